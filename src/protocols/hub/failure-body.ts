/** A worker's error in the words of another dialect: the type follows from the status, the message is the worker's. */
import type { OpenAiErrorType } from '../../domain/errors.ts';
import type { Dialect } from '../dialect.ts';
import { ANTHROPIC_TYPES, GOOGLE_STATUSES } from '../dialect.ts';
import type { Failure } from './codec.ts';

/** Anthropic's own status for overload. Source: Anthropic API reference, errors. */
const OVERLOADED = 529;

const TYPES: Readonly<Record<number, OpenAiErrorType>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

function typeOf(status: number): OpenAiErrorType {
  return TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

/** 529 is said by Anthropic only; everybody else says 503. */
export function statusIn(dialect: Dialect, status: number): number {
  if (dialect.name === 'anthropic') return status === 503 ? OVERLOADED : status;
  return status === OVERLOADED ? 503 : status;
}

export interface FailureFacts {
  /** As the worker gave it. */
  readonly status: number;
  readonly failure: Failure;
  readonly requestId: string;
}

export function encodeFailure(dialect: Dialect, { status, failure, requestId }: FailureFacts): Buffer {
  return Buffer.from(JSON.stringify(bodyIn(dialect, { status, failure, requestId })));
}

function bodyIn(dialect: Dialect, { status, failure, requestId }: FailureFacts): Record<string, unknown> {
  const { message, code, type, param } = failure;
  const ownType = typeOf(status);
  switch (dialect.name) {
    case 'anthropic': {
      const named = status === 413 ? 'request_too_large' : ANTHROPIC_TYPES[ownType];
      return { type: 'error', error: { type: named, message }, request_id: requestId };
    }
    case 'gemini':
      return { error: { code: statusIn(dialect, status), message, status: GOOGLE_STATUSES[ownType] } };
    case 'openai':
      return { error: { message, type: ownType, param: param ?? null, code: code ?? type ?? null } };
  }
}

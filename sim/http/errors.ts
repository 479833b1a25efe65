/**
 * How the engines word their errors, per API family.
 * Sources: SGLang `ErrorResponse` (flat) and its nested form on /v1/responses; vLLM and all others nested;
 * Anthropic error objects on /v1/messages for both; SGLang's native /generate.
 */

import type { EngineKind } from '../options.ts';

/** An error an endpoint answers with. */
export interface EngineError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
}

const TYPES: { readonly [status: number]: string } = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  404: 'NotFoundError',
  429: 'RateLimitError',
  503: 'ServiceUnavailableError',
  529: 'OverloadedError',
};

const ANTHROPIC_TYPES: { readonly [status: number]: string } = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  529: 'overloaded_error',
};

/** An error with the usual type of its status. */
export function engineError(status: number, message: string, param: string | null = null): EngineError {
  return { status, message, param, type: TYPES[status] ?? 'InternalServerError' };
}

/** The error for a model this engine does not serve. */
export function modelNotFound(model: string): EngineError {
  return engineError(404, `The model \`${model}\` does not exist.`, 'model');
}

/** The error for a body that lacks a field. */
export function fieldRequired(name: string): EngineError {
  const message = `1 validation error: {'type': 'missing', 'loc': ('body', '${name}'), 'msg': 'Field required'}`;
  return { status: 400, type: 'Bad Request', message, param: null };
}

/** The JSON body an engine of that kind answers with on that path. */
export function errorBody(kind: EngineKind, path: string, error: EngineError): unknown {
  if (path.startsWith('/v1/messages')) {
    return { type: 'error', error: { type: anthropicType(error.status), message: error.message } };
  }
  const { message, type, param, status: code } = error;
  if (kind !== 'sglang' || path.startsWith('/v1/responses')) return { error: { message, type, param, code } };
  if (path === '/generate') return { error: { message } };
  return { object: 'error', message, type, param, code };
}

/** Anthropic's name for an error status. */
export function anthropicType(status: number): string {
  return ANTHROPIC_TYPES[status] ?? 'api_error';
}

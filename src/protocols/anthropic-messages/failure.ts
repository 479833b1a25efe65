/**
 * Errors of the Messages API: as a body and within a stream. Source: Anthropic API reference, errors; rate limits.
 */
import type { ErrorCode } from '../../domain/errors.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Failure, FailureKind } from '../hub/codec.ts';
import { readJson } from '../sse.ts';

const NO_MESSAGE = 'The worker gave no message.';

interface ReadError {
  readonly type: string | undefined;
  readonly message: string;
}

/** An `error` event of a stream. */
export function errorOf(json: Readonly<Record<string, unknown>>): GatewayError {
  const { type, message } = readError(json) ?? { type: undefined, message: NO_MESSAGE };
  return new GatewayError(CODES.get(type ?? '') ?? 'upstream_error', message);
}

const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['rate_limit_error', 'rate_limited'],
  ['timeout_error', 'upstream_timeout'],
  ['invalid_request_error', 'invalid_request'],
  ['request_too_large', 'payload_too_large'],
]);

/** Undefined when the body is not `{"type":"error","error":{…}}`. */
export function readFailure(status: number, body: Buffer): Failure | undefined {
  const json = readJson(body.toString('utf8').trim());
  const error = json && readError(json);
  if (!error) return undefined;
  return {
    kind: kindOf(status, error),
    message: error.message,
    type: error.type,
    code: undefined,
    param: paramOf(error.message),
    retryAfterMs: undefined,
  };
}

function readError(json: Readonly<Record<string, unknown>>): ReadError | undefined {
  const error = json['error'];
  if (typeof error !== 'object' || error === null) return undefined;
  const { type, message } = error as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' && typeof message !== 'string') return undefined;
  return {
    type: typeof type === 'string' ? type : undefined,
    message: typeof message === 'string' ? message : NO_MESSAGE,
  };
}

/** A spent credit comes as a 402, or as a 400 that says so in words; a prompt that is too long always as a 400. */
function kindOf(status: number, { type, message }: ReadError): FailureKind {
  if (type === 'billing_error' || /credit balance|usage limit|spend limit/i.test(message)) return 'quota';
  if (type === 'rate_limit_error' || status === 429) return 'rate_limited';
  if (type === 'overloaded_error' || status === 529 || status === 503) return 'overloaded';
  if (/prompt is too long|exceed[a-z]* (the )?context (limit|window)|context window/i.test(message)) return 'context';
  if (/blocked by content filtering|content filter|usage polic/i.test(message)) return 'refused';
  return 'other';
}

/** Messages about a field begin with its path: `messages.1.content.0: …`. */
function paramOf(message: string): string | undefined {
  return /^([a-z_]+(?:\.[a-z_0-9]+)*): /.exec(message)?.[1];
}

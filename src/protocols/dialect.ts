/** The shapes of an error body, chosen by the path that was called. */
import type { GatewayError, OpenAiErrorType } from '../domain/errors.ts';

export interface Dialect {
  readonly name: 'openai' | 'anthropic' | 'gemini';
  encodeError(error: GatewayError, requestId: string): Buffer;
}

export const openaiDialect: Dialect = {
  name: 'openai',
  encodeError: (error) => Buffer.from(JSON.stringify({ error: openaiErrorObject(error) })),
};

/** Source: OpenAI API reference, error objects. */
export function openaiErrorObject(error: GatewayError): Record<string, unknown> {
  const { message, type, param = null, code, workerId } = error;
  return { message, type, param, code, ...(workerId === undefined ? {} : { worker_id: workerId }) };
}

/** Source: Anthropic API reference, errors: the closed set of `error.type`. */
export const ANTHROPIC_TYPES: Readonly<Record<OpenAiErrorType, string>> = {
  invalid_request_error: 'invalid_request_error',
  authentication_error: 'authentication_error',
  permission_error: 'permission_error',
  not_found_error: 'not_found_error',
  rate_limit_error: 'rate_limit_error',
  timeout_error: 'timeout_error',
  api_error: 'api_error',
  overloaded_error: 'overloaded_error',
  service_unavailable_error: 'overloaded_error',
};

export function anthropicErrorObject(error: GatewayError): Record<string, unknown> {
  const type = error.code === 'payload_too_large' ? 'request_too_large' : ANTHROPIC_TYPES[error.type];
  return { type, message: error.message };
}

export const anthropicDialect: Dialect = {
  name: 'anthropic',
  encodeError: (error, requestId) =>
    Buffer.from(JSON.stringify({ type: 'error', error: anthropicErrorObject(error), request_id: requestId })),
};

/** Source: Google APIs, `google.rpc.Status` in JSON: the canonical code's name in `status`. */
export const GOOGLE_STATUSES: Readonly<Record<OpenAiErrorType, string>> = {
  invalid_request_error: 'INVALID_ARGUMENT',
  authentication_error: 'UNAUTHENTICATED',
  permission_error: 'PERMISSION_DENIED',
  not_found_error: 'NOT_FOUND',
  rate_limit_error: 'RESOURCE_EXHAUSTED',
  timeout_error: 'DEADLINE_EXCEEDED',
  api_error: 'INTERNAL',
  overloaded_error: 'UNAVAILABLE',
  service_unavailable_error: 'UNAVAILABLE',
};

export function geminiErrorObject(error: GatewayError): Record<string, unknown> {
  const { status: code, message, type, retryAfterSeconds } = error;
  const plain = { code, message, status: GOOGLE_STATUSES[type] };
  if (retryAfterSeconds === undefined) return plain;
  const retryDelay = `${Math.max(0, retryAfterSeconds)}s`;
  return { ...plain, details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] };
}

export const geminiDialect: Dialect = {
  name: 'gemini',
  encodeError: (error) => Buffer.from(JSON.stringify({ error: geminiErrorObject(error) })),
};

/**
 * The one error class and the one table of codes. A code fixes its default status, its `type` in the OpenAI and the
 * Anthropic dialect and what it means; docs/reference/errors.md is generated from this table.
 */

import type { HeaderList } from './headers.ts';

export type OpenAiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error'
  | 'service_unavailable_error';

/** Who caused it: the client's request, the gateway itself, or the worker behind it. */
export type ErrorOrigin = 'client' | 'gateway' | 'upstream';

interface ErrorRow {
  readonly status: number;
  readonly type: OpenAiErrorType;
  readonly origin: ErrorOrigin;
  readonly meaning: string;
}

export const errorTable = {
  invalid_json: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The body is not a JSON object.',
  },
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'A field or a header of the request has a value that the gateway cannot use.',
  },
  invalid_http: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The request is not valid HTTP/1.1; the connection is closed.',
  },
  missing_model: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The body names no model and the endpoint or the pool needs one.',
  },
  not_translatable: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'No worker of the model speaks the API of the call, and the call cannot be translated for one of them.',
  },
  translation_loss: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'Strict translation is on and a field of the request would not reach the worker; `param` names it.',
  },
  media_unreachable: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning:
      'A picture or a file that the request names by URL, and that the provider takes as bytes only, could not be fetched.',
  },
  template_refused: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning:
      "The model's chat template refuses the conversation, or cannot read one of its form; the message has its words.",
  },
  context_length_exceeded: {
    status: 400,
    type: 'invalid_request_error',
    origin: 'client',
    meaning:
      "The prompt, with the tokens that the answer may have, is longer than the model's context; the message has the numbers.",
  },
  tokenizer_not_found: {
    status: 404,
    type: 'not_found_error',
    origin: 'client',
    meaning: 'No tokenizer has this name or id.',
  },
  tokenizer_exists: {
    status: 409,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'A tokenizer of this name is loaded or being loaded already.',
  },
  authentication_required: {
    status: 401,
    type: 'authentication_error',
    origin: 'client',
    meaning: 'The path needs a key and the request has none.',
  },
  invalid_key: {
    status: 401,
    type: 'authentication_error',
    origin: 'client',
    meaning: 'The key of the request is not one of the gateway.',
  },
  admin_required: {
    status: 403,
    type: 'permission_error',
    origin: 'client',
    meaning: 'The key is good, but not for the control plane.',
  },
  route_not_found: {
    status: 404,
    type: 'not_found_error',
    origin: 'client',
    meaning: 'The gateway has no such path.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The path exists, but not for this method; `Allow` names those that work.',
  },
  model_not_found: {
    status: 404,
    type: 'not_found_error',
    origin: 'client',
    meaning: 'No worker lists this model and none takes models by any name.',
  },
  worker_not_found: {
    status: 404,
    type: 'not_found_error',
    origin: 'client',
    meaning: 'No worker has this id.',
  },
  worker_exists: {
    status: 409,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'A worker with this URL is registered already; `worker_id` in the error says which.',
  },
  worker_not_ready: {
    status: 504,
    type: 'timeout_error',
    origin: 'upstream',
    meaning: 'The worker is registered, but it did not become ready within `?wait`; it is asked again by itself.',
  },
  request_timeout: {
    status: 408,
    type: 'timeout_error',
    origin: 'client',
    meaning: 'The client did not finish sending its request in time.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The body is larger than `--max-payload-size`.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The body is not JSON, or it is sent with a content encoding that the gateway does not read.',
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    origin: 'client',
    meaning: 'The request headers are larger than 32 KiB together.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    origin: 'upstream',
    meaning:
      'Every worker of the model is cooling down after a 429 and `Retry-After` says for how long, or the last one asked said so inside its stream.',
  },
  queue_full: {
    status: 429,
    type: 'rate_limit_error',
    origin: 'client',
    meaning: 'As many calls as may run are running, and as many as may wait are waiting.',
  },
  queue_timeout: {
    status: 408,
    type: 'timeout_error',
    origin: 'client',
    meaning: 'The call waited for a free place longer than it may.',
  },
  preempted: {
    status: 503,
    type: 'overloaded_error',
    origin: 'gateway',
    meaning: 'A call of a higher class took the place of this one before its answer began; try again.',
  },
  client_closed_request: {
    status: 499,
    type: 'api_error',
    origin: 'client',
    meaning: 'The client left before its answer was complete. Seen in logs and metrics only.',
  },
  internal_error: {
    status: 500,
    type: 'api_error',
    origin: 'gateway',
    meaning: 'A fault of the gateway itself; the log has the details under the request id.',
  },
  template_limit: {
    status: 500,
    type: 'api_error',
    origin: 'gateway',
    meaning: "The model's chat template took more steps or wrote more than a template may.",
  },
  template_unusable: {
    status: 500,
    type: 'api_error',
    origin: 'gateway',
    meaning: 'The model has no chat template, or one that cannot be compiled; `--chat-template` names another.',
  },
  tokenizer_unavailable: {
    status: 503,
    type: 'service_unavailable_error',
    origin: 'gateway',
    meaning: 'The tokenizer of the model could not be loaded, or is not loaded yet; the message says why.',
  },
  upstream_unreachable: {
    status: 502,
    type: 'api_error',
    origin: 'upstream',
    meaning: 'No connection to the worker could be made.',
  },
  upstream_broken: {
    status: 502,
    type: 'api_error',
    origin: 'upstream',
    meaning: 'The worker broke off before or inside its answer.',
  },
  upstream_invalid_answer: {
    status: 502,
    type: 'api_error',
    origin: 'upstream',
    meaning: 'The worker answered with something that is no answer: empty, cut, HTML, a redirect or broken HTTP.',
  },
  upstream_error: {
    status: 502,
    type: 'api_error',
    origin: 'upstream',
    meaning: 'The worker reported an error inside a stream before any content.',
  },
  upstream_timeout: {
    status: 504,
    type: 'timeout_error',
    origin: 'upstream',
    meaning: 'The worker stayed silent longer than a time limit allows.',
  },
  no_available_workers: {
    status: 503,
    type: 'service_unavailable_error',
    origin: 'gateway',
    meaning: 'The model is known, but none of its workers can take a call now.',
  },
  shutting_down: {
    status: 503,
    type: 'service_unavailable_error',
    origin: 'gateway',
    meaning: 'The gateway is shutting down and takes no new calls.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorOptions {
  /** The request field at fault, as a path, e.g. `model`. */
  readonly param?: string;
  /** Seconds after which a new try makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** The worker that it is about, where the client needs its id; `worker_id` in the OpenAI dialect. */
  readonly workerId?: string;
  /** Further headers of the answer; not shared with anybody who may change them. */
  readonly headers?: HeaderList;
  readonly cause?: unknown;
}

/** Every failure that a client may see. Messages name worker ids, never URLs or keys. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: OpenAiErrorType;
  readonly origin: ErrorOrigin;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly workerId: string | undefined;
  readonly headers: HeaderList | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const row = errorTable[code];
    this.name = 'GatewayError';
    this.code = code;
    this.status = row.status;
    this.type = row.type;
    this.origin = row.origin;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.workerId = options.workerId;
    this.headers = options.headers;
  }

  /** Wraps anything thrown; an unknown fault becomes `internal_error` without its text. */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    return new GatewayError('internal_error', 'The gateway failed to handle this request.', { cause: thrown });
  }
}

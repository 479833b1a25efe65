/**
 * OpenAI's errors: `{"error": {message, type, param, code}}`, also inside streams.
 * Source: OpenAI guide "Error codes" and API reference; wordings as users report them.
 */

import type { RefusalWords } from '../refusal.ts';
import { Refusal } from '../refusal.ts';

const TYPES: Readonly<Record<number, string>> = {
  403: 'permission_error',
  429: 'requests',
  500: 'server_error',
  503: 'server_error',
};

const CODES: Readonly<Record<number, string>> = { 429: 'rate_limit_exceeded' };

/** The body of an error. */
export function openaiErrorBody(words: RefusalWords): unknown {
  return {
    error: {
      message: words.message,
      type: words.type ?? TYPES[words.status] ?? (words.status >= 500 ? 'server_error' : 'invalid_request_error'),
      param: words.param ?? null,
      code: words.code ?? CODES[words.status] ?? null,
    },
  };
}

/** A field that the API does not have. Nested ones have a code, top-level ones of chat completions have none. */
export function unknownParameter(param: string): Refusal {
  return new Refusal({ status: 400, message: `Unknown parameter: '${param}'.`, param, code: 'unknown_parameter' });
}

/** A field that this model does not take. */
export function unsupportedParameter(param: string, hint = ''): Refusal {
  const message = `Unsupported parameter: '${param}' is not supported with this model.${hint}`;
  return new Refusal({ status: 400, message, param, code: 'unsupported_parameter' });
}

/** A value that is wrong whatever the model. */
export function invalidValue(param: string, why: string, code = 'invalid_value'): Refusal {
  return new Refusal({ status: 400, message: `Invalid '${param}': ${why}`, param, code });
}

/** An obligatory field is missing. */
export function missingParameter(param: string): Refusal {
  const message = `Missing required parameter: '${param}'.`;
  return new Refusal({ status: 400, message, param, code: 'missing_required_parameter' });
}

/** A request that is wrong as a whole. */
export function invalidRequest(message: string, param?: string): Refusal {
  return new Refusal({ status: 400, message, ...(param === undefined ? {} : { param }) });
}

/** The model is not served. */
export function noSuchModel(model: string): Refusal {
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  return new Refusal({ status: 404, message, code: 'model_not_found' });
}

/** A wrong key, with its ends shown as OpenAI does. */
export function incorrectKey(key: string): RefusalWords {
  const shown = `${key.slice(0, 8)}${'*'.repeat(12)}${key.slice(-4)}`;
  const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  return { status: 401, message, code: 'invalid_api_key' };
}

/** No key at all. */
export const MISSING_KEY: RefusalWords = {
  status: 401,
  message:
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
};

/** More than one credential: a real provider takes one of them, which is why a caller must not rely on it. */
export const TWO_KEYS: RefusalWords = {
  status: 401,
  message: 'More than one credential was provided; send exactly one.',
};

/**
 * Google's errors: `{"error": {code, message, status, details}}`.
 * Source: Gemini API guide "Troubleshooting" (status names), google.rpc error model; wordings as users report them.
 */

import { Refusal, type RefusalWords } from '../refusal.ts';

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** The body of an error. */
export function geminiErrorBody(words: RefusalWords): unknown {
  const { status: code, message, details } = words;
  const status = words.type ?? STATUSES[code] ?? 'UNKNOWN';
  return { error: { code, message, status, ...(details === undefined ? {} : { details }) } };
}

/** A request that is wrong as a whole. */
export function invalidArgument(message: string): Refusal {
  return new Refusal({ status: 400, message });
}

/** A field whose value is wrong: `at` is its path in Google's spelling. */
export function wrongField(at: string, why: string): Refusal {
  return new Refusal({ status: 400, message: `* GenerateContentRequest.${at}: ${why}\n`, param: at });
}

/** One thing that the JSON reader did not understand. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** All that the JSON reader did not understand, at once, as Google answers. */
export function badPayload(violations: readonly FieldViolation[]): Refusal {
  return new Refusal({
    status: 400,
    message: violations.map(({ description }) => description).join('\n'),
    ...(violations[0] === undefined ? {} : { param: violations[0].field }),
    details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations }],
  });
}

/** The model is not served, or not for this. */
export function noSuchModel(model: string, method: string): Refusal {
  const hint = 'Call ListModels to see the list of available models and their supported methods.';
  const message = `models/${model} is not found for API version v1beta, or is not supported for ${method}. ${hint}`;
  return new Refusal({ status: 404, message });
}

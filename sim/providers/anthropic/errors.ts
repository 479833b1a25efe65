/**
 * Anthropic's errors: `{"type": "error", "error": {type, message}, "request_id"}`, also inside streams.
 * Source: Anthropic API reference, "Errors".
 */

import { anthropicType } from '../../http/errors.ts';
import { Refusal, type RefusalWords } from '../refusal.ts';

/** The body of an error. */
export function anthropicErrorBody(words: RefusalWords, requestId: string): unknown {
  const type = words.type ?? anthropicType(words.status);
  return { type: 'error', error: { type, message: words.message }, request_id: requestId };
}

/** A request that is wrong; `at` is the path of the field, dotted. */
export function invalid(at: string, why: string): Refusal {
  return new Refusal({ status: 400, message: at === '' ? why : `${at}: ${why}`, ...(at === '' ? {} : { param: at }) });
}

/** A field that the API does not have. */
export function extraInput(at: string): Refusal {
  return invalid(at, 'Extra inputs are not permitted');
}

/** Throws when an object has fields beside the known ones. */
export function onlyFields(value: Readonly<Record<string, unknown>>, known: readonly string[], at: string): void {
  const extra = Object.keys(value).find((name) => !known.includes(name));
  if (extra !== undefined) throw extraInput(at === '' ? extra : `${at}.${extra}`);
}

/**
 * Reading untrusted JSON bodies: typed looks at `unknown` values that never throw.
 * Owns no engine rule; the API files decide what a missing or odd value means.
 */

/** A parsed JSON object of unknown content. */
export type JsonRecord = { readonly [key: string]: unknown };

/** True for a JSON object (not null, not an array). */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object, or an empty one. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** The value as a list, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a string. */
export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value when it is a finite number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value when it is a whole number of at least `minimum`. */
export function countOf(value: unknown, minimum = 0): number | undefined {
  return Number.isInteger(value) && (value as number) >= minimum ? (value as number) : undefined;
}

/** One string, or a list of strings, as a list; undefined when it is neither. */
export function stringsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return undefined;
  return value;
}

/** The value as a message shows it: text as it is, anything else as JSON, nothing as ''. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Reading of parsed JSON whose form is not known: each question has an answer, or the file is refused. */

import { UnusableTokenizer } from './unusable.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectOf(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new UnusableTokenizer(`no ${what}`);
}

/** Absent counts as empty. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new UnusableTokenizer(`a ${what} that is no list`);
}

export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw new UnusableTokenizer(`a ${what} that is no text`);
}

export function idOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new UnusableTokenizer(`a ${what} that is no id`);
}

export function flagOf(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}

export function parseJson(text: string, what: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new UnusableTokenizer(`a ${what} that is not JSON`);
  }
  return objectOf(parsed, what);
}

/** Writing JSON in which some values are text that was JSON already and keeps its bytes. */
import type { JsonText } from '../../domain/generation.ts';

/** JSON text that goes into the output as it is. */
export class RawJson {
  readonly text: JsonText;

  constructor(text: JsonText) {
    this.text = text;
  }
}

/**
 * What can be written; members that are undefined are left out. A map keeps the order of its members whatever their
 * names; an object puts those first that look like numbers.
 */
export type JsonOut =
  | string
  | number
  | boolean
  | null
  | RawJson
  | readonly JsonOut[]
  | ReadonlyMap<string, JsonOut>
  | { readonly [name: string]: JsonOut | undefined };

export function raw(text: JsonText): RawJson {
  return new RawJson(text);
}

/** The same for text that may be missing. */
export function rawOr(text: JsonText | undefined): RawJson | undefined {
  return text === undefined ? undefined : new RawJson(text);
}

/**
 * Compact, members in the order in which they stand. What holds no raw text is left to the native writer, which takes a
 * quarter of the time for long texts.
 */
export function jsonText(value: JsonOut): JsonText {
  if (value instanceof RawJson) return value.text;
  if (isPlain(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonOut) => jsonText(item)).join(',')}]`;
  const members: string[] = [];
  for (const [name, member] of entriesOf(value as JsonMembers))
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${jsonText(member)}`);
  return `{${members.join(',')}}`;
}

type JsonMembers = ReadonlyMap<string, JsonOut> | { readonly [name: string]: JsonOut | undefined };

function entriesOf(value: JsonMembers): Iterable<readonly [string, JsonOut | undefined]> {
  return value instanceof Map ? value : Object.entries(value);
}

/** Neither raw text nor a map in it: the native writer writes the same. */
function isPlain(value: JsonOut | undefined): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof RawJson || value instanceof Map) return false;
  if (Array.isArray(value)) return value.every((item: JsonOut) => isPlain(item));
  return Object.values(value).every((member: JsonOut | undefined) => isPlain(member));
}

export function jsonBytes(value: JsonOut): Buffer {
  return Buffer.from(jsonText(value));
}

/** Is it the text of a JSON object? Model output may be anything. */
export function isObjectText(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // That it is none is the answer.
    return false;
  }
}

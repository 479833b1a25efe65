/**
 * A scan over the bytes of a JSON object that finds top-level members without building values: what routing needs of
 * a body costs no parse, and the bytes go on untouched. Checks structure only as far as it walks: a value that is
 * not JSON inside is the worker's to refuse.
 * Cost  about one pass over the bytes; long strings are skipped with a native search.
 * Rules UTF-8 input; escaped keys count as what they mean; of a key given twice every place is reported.
 */
import type { Span } from '../domain/call.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Thrown for bytes that are no JSON object; `offset` is where it was noticed. */
export class JsonScanError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = 'JsonScanError';
    this.offset = offset;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/** Short strings are walked in place; beyond this a native search for the closing quote is cheaper. */
const WALK_BYTES = 48;
/** Three escaped quotes so near to each other are JSON within the string: it goes on, at a search for each of them. */
const DENSE_BYTES = 24;
const DENSE_QUOTES = 3;
/** Walked then before the next search: 0.9 ns a byte instead of 4.9, while prose and code stay with searches. */
const DENSE_WALK_BYTES = 256;

/** `from` is the opening quote; returns the index after the closing one. */
export function skipString(bytes: Buffer, from: number): number {
  const walkEnd = Math.min(bytes.length, from + 1 + WALK_BYTES);
  let at = from + 1;
  for (; at < walkEnd; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  return skipLongString(bytes, from, at);
}

function skipLongString(bytes: Buffer, start: number, from: number): number {
  let at = from;
  let dense = 0;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) throw new JsonScanError('unterminated string', start);
    // An odd run of backslashes before the quote escapes it. `at` never stands inside an escape.
    let slashes = 0;
    while (quote - 1 - slashes >= at && bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    dense = quote - at < DENSE_BYTES ? dense + 1 : 0;
    at = quote + 1;
    if (dense < DENSE_QUOTES) continue;
    dense -= 1;
    const walkEnd = Math.min(bytes.length, quote + DENSE_WALK_BYTES);
    for (; at < walkEnd; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at += 1;
    }
  }
}

/** `from` is `{` or `[`; returns the index after its partner. No recursion: depth costs no stack. */
function skipContainer(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = skipString(bytes, at) - 1;
    } else if (byte >= OPEN_BRACKET) {
      // Brackets and braces differ in this bit only.
      const brace = byte | 0x20;
      if (brace === OPEN_BRACE) depth += 1;
      else if (brace === CLOSE_BRACE) depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new JsonScanError('unterminated object or array', from);
}

/** Returns the index after the value that starts at `from` (no white space before it). */
export function skipValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return skipString(bytes, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(bytes, from);
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
    at += 1;
  }
  if (at === from) throw new JsonScanError('a value is missing', from);
  return at;
}

/** Which of `names` the string token (quotes included) means, or -1. A token with escapes is decoded: none can hide a key. */
function nameMeant(bytes: Buffer, token: Span, names: readonly string[]): number {
  const length = token.end - token.start - 2;
  let mayBeEscaped = false;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string;
    if (length === name.length && startsWith(bytes, token.start + 1, name)) return i;
    mayBeEscaped ||= length >= name.length;
  }
  // Within the token only: a search to the end of the body for each key would make the scan quadratic.
  if (!mayBeEscaped || !hasBackslash(bytes, token)) return -1;
  return names.indexOf(decodeString(bytes, token));
}

/** Do the bytes from `at` spell `text`, which is ASCII? */
export function startsWith(bytes: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function hasBackslash(bytes: Buffer, { start, end }: Span): boolean {
  if (end - start > WALK_BYTES) return bytes.subarray(start, end).indexOf(BACKSLASH) >= 0;
  for (let at = start; at < end; at += 1) if (bytes[at] === BACKSLASH) return true;
  return false;
}

/** The text of a string token (quotes included). */
export function decodeString(bytes: Buffer, span: Span): string {
  try {
    return JSON.parse(bytes.toString('utf8', span.start, span.end)) as string;
  } catch (cause) {
    throw new JsonScanError(`invalid string (${(cause as Error).name})`, span.start);
  }
}

/**
 * Where the values of the named top-level members stand. The n-th list belongs to the n-th name and has one span for
 * each time that the key occurs, in order.
 */
export function findMembers(bytes: Buffer, names: readonly string[]): Span[][] {
  const found: Span[][] = names.map(() => []);
  scanMembers(bytes, names, (index, start) => {
    const end = skipValue(bytes, start);
    found[index]?.push({ start, end });
    return end;
  });
  return found;
}

/** Tells of each member with one of these names, in order: which name, and where its value begins. `visit` returns where it ends. */
export function scanMembers(
  bytes: Buffer,
  names: readonly string[],
  visit: (index: number, start: number) => number,
): void {
  let at = skipSpace(bytes, hasByteOrderMark(bytes) ? 3 : 0);
  if (bytes[at] !== OPEN_BRACE) throw new JsonScanError('the body is not a JSON object', at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return finish(bytes, at);
  for (;;) {
    if (bytes[at] !== QUOTE) throw new JsonScanError('a member name is missing', at);
    const key = { start: at, end: skipString(bytes, at) };
    at = skipSpace(bytes, key.end);
    if (bytes[at] !== COLON) throw new JsonScanError('a colon is missing', at);
    at = skipSpace(bytes, at + 1);
    const index = nameMeant(bytes, key, names);
    at = skipSpace(bytes, index < 0 ? skipValue(bytes, at) : visit(index, at));
    if (bytes[at] === CLOSE_BRACE) return finish(bytes, at);
    if (bytes[at] !== COMMA) throw new JsonScanError('a comma is missing', at);
    at = skipSpace(bytes, at + 1);
  }
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function finish(bytes: Buffer, closingBrace: number): void {
  const rest = skipSpace(bytes, closingBrace + 1);
  if (rest < bytes.length) throw new JsonScanError('text after the JSON object', rest);
}

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

export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/** Short strings are walked in place; beyond this a native search for the closing quote is cheaper. */
const WALK_BYTES = 48;

/** `from` is the opening quote; returns the index after the closing one. */
export function skipString(bytes: Buffer, from: number): number {
  let at = from + 1;
  const walkEnd = Math.min(bytes.length, at + WALK_BYTES);
  for (; at < walkEnd; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  return skipLongString(bytes, from, at);
}

function skipLongString(bytes: Buffer, start: number, from: number): number {
  let at = from;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) throw new JsonScanError('unterminated string', start);
    // An odd run of backslashes before the quote escapes it. `from` never stands inside an escape.
    let slashes = 0;
    while (quote - 1 - slashes >= from && bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** `from` is `{` or `[`; returns the index after its partner. No recursion: depth costs no stack. */
function skipContainer(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at) - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
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

/** Does the string token (quotes included) mean `text`? A token with escapes is decoded, so none can hide a key. */
function tokenMeans(bytes: Buffer, span: Span, text: string): boolean {
  const length = span.end - span.start - 2;
  if (length === text.length) {
    let at = 0;
    while (at < length && bytes[span.start + 1 + at] === text.charCodeAt(at)) at += 1;
    if (at === length) return true;
  }
  // Within the token only: a search to the end of the body for each key would make the scan quadratic.
  if (length < text.length || bytes.subarray(span.start, span.end).indexOf(BACKSLASH) < 0) return false;
  return decodeString(bytes, span) === text;
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
  let at = skipSpace(bytes, hasByteOrderMark(bytes) ? 3 : 0);
  if (bytes[at] !== OPEN_BRACE) throw new JsonScanError('the body is not a JSON object', at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return finish(bytes, at, found);
  for (;;) {
    if (bytes[at] !== QUOTE) throw new JsonScanError('a member name is missing', at);
    const key = { start: at, end: skipString(bytes, at) };
    at = skipSpace(bytes, key.end);
    if (bytes[at] !== COLON) throw new JsonScanError('a colon is missing', at);
    at = skipSpace(bytes, at + 1);
    const end = skipValue(bytes, at);
    for (let i = 0; i < names.length; i += 1) {
      if (tokenMeans(bytes, key, names[i] as string)) found[i]?.push({ start: at, end });
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return finish(bytes, at, found);
    if (bytes[at] !== COMMA) throw new JsonScanError('a comma is missing', at);
    at = skipSpace(bytes, at + 1);
  }
}

function hasByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function finish(bytes: Buffer, closingBrace: number, found: Span[][]): Span[][] {
  const rest = skipSpace(bytes, closingBrace + 1);
  if (rest < bytes.length) throw new JsonScanError('text after the JSON object', rest);
  return found;
}

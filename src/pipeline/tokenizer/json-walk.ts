/**
 * Reads the two great parts of tokenizer.json, vocabulary and merges, straight from its bytes: no object, no string is made
 * for their entries, which takes a quarter of the time of `JSON.parse` and none of its memory. The rest is parsed as usual.
 * What is not as expected is left to `JSON.parse`: `read` says so and the caller begins anew.
 */

import { byteOfUnit } from './byte-alphabet.ts';
import type { Steps } from './steps.ts';
import { textOfBytes } from './utf8.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BLANK = 0x20;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Behind the last byte. */
const END = -1;
/** No token is longer; a longer text is read in the ordinary way. */
const ROOM = 1 << 14;
/** Tokens or merges that are read in one step. */
const ENTRIES_AT_ONCE = 1024;

/** Entries as they are read; bytes are those of the token, in `bytes[from..to)`, and only good during the call. */
export interface ModelSink {
  readonly byteLevel: boolean;
  token(bytes: Uint8Array, length: number, id: number): void;
  /** A token with characters outside the byte alphabet, by name. */
  oddToken(name: string, id: number): void;
  /** False to give up. */
  merge(bytes: Uint8Array, middle: number, end: number): boolean;
}

/** Thrown inside only. */
class Unexpected extends Error {}

export class ModelText {
  readonly #text: Uint8Array;
  readonly #bytes = new Uint8Array(ROOM);
  #at = 0;
  #vocabulary: readonly [number, number] | undefined;
  #merges: readonly [number, number] | undefined;

  /** UTF-8. */
  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /**
   * Reads both parts into the sink that `open` makes of `decoder`, which has to stand before them. What is left of the text,
   * or undefined where it is not as expected.
   */
  *read(open: (decoder: unknown) => ModelSink): Steps<string | undefined> {
    try {
      yield* this.#readAll(open);
    } catch (error) {
      if (error instanceof Unexpected) return undefined;
      throw error;
    }
    const [vocabulary, merges] = [this.#vocabulary, this.#merges];
    if (vocabulary === undefined || merges === undefined) return undefined;
    const between = this.#slice(vocabulary[1], merges[0]);
    return `${this.#slice(0, vocabulary[0])}null${between}null${this.#slice(merges[1], this.#text.length)}`;
  }

  #slice(from: number, to: number): string {
    return textOfBytes(this.#text.subarray(from, to));
  }

  *#readAll(open: (decoder: unknown) => ModelSink): Steps<void> {
    let decoder: unknown;
    for (let key = this.#firstKey(); key !== undefined; key = this.#nextKey()) {
      const start = this.#at;
      if (key === 'model' && decoder !== undefined) yield* this.#readModel(open(decoder));
      else this.#skipValue();
      if (key === 'decoder') decoder = JSON.parse(this.#slice(start, this.#at));
    }
  }

  *#readModel(sink: ModelSink): Steps<void> {
    for (let key = this.#firstKey(); key !== undefined; key = this.#nextKey()) {
      const start = this.#at;
      const opening = this.#text[start];
      if (key === 'vocab' && opening === OPEN_OBJECT) {
        this.#expect(OPEN_OBJECT);
        if (!this.#take(CLOSE_OBJECT)) while (this.#readTokens(sink)) yield;
        this.#vocabulary = [start, this.#at];
      } else if (key === 'merges' && opening === OPEN_LIST && this.#vocabulary !== undefined) {
        this.#expect(OPEN_LIST);
        if (!this.#take(CLOSE_LIST)) while (this.#readMerges(sink)) yield;
        this.#merges = [start, this.#at];
      } else this.#skipValue();
    }
  }

  /** Some entries of the vocabulary; true while there are more. */
  #readTokens(sink: ModelSink): boolean {
    for (let count = 0; count < ENTRIES_AT_ONCE; count++) {
      this.#blanks();
      const start = this.#at;
      const length = this.#tokenBytes(sink.byteLevel, 0, QUOTE);
      const isOdd = length < 0;
      if (isOdd) this.#skipString(start);
      const end = this.#at;
      this.#expect(COLON);
      this.#blanks();
      const id = this.#number();
      if (isOdd) sink.oddToken(String(JSON.parse(this.#slice(start, end))), id);
      else sink.token(this.#bytes, length, id);
      if (!this.#take(COMMA)) {
        this.#expect(CLOSE_OBJECT);
        return false;
      }
    }
    return true;
  }

  /** Some merges; true while there are more. */
  #readMerges(sink: ModelSink): boolean {
    for (let count = 0; count < ENTRIES_AT_ONCE; count++) {
      this.#blanks();
      const isPair = this.#take(OPEN_LIST);
      this.#blanks();
      const middle = this.#tokenBytes(sink.byteLevel, 0, isPair ? QUOTE : BLANK);
      if (isPair) {
        this.#expect(COMMA);
        this.#blanks();
      }
      const end = middle < 0 ? -1 : this.#tokenBytes(sink.byteLevel, middle, QUOTE, isPair);
      if (isPair) this.#expect(CLOSE_LIST);
      if (end < 0 || !sink.merge(this.#bytes, middle, end)) throw new Unexpected();
      if (!this.#take(COMMA)) {
        this.#expect(CLOSE_LIST);
        return false;
      }
    }
    return true;
  }

  /**
   * The text of a string up to `stop`, as bytes from `from` on; gives their end, or -1 for characters outside the byte
   * alphabet. `isOpening`: a quote stands before it.
   */
  #tokenBytes(byteLevel: boolean, from: number, stop: number, isOpening = true): number {
    const text = this.#text;
    const bytes = this.#bytes;
    if (isOpening) this.#expect(QUOTE);
    let end = from;
    let at = this.#at;
    for (;;) {
      let unit = text[at++] ?? END;
      if (unit === stop) break;
      if (unit === QUOTE || unit === END || end > ROOM - 8) throw new Unexpected();
      if (unit === BACKSLASH) {
        this.#at = at;
        unit = this.#escape();
        at = this.#at;
      } else if (unit >= 0x80) {
        if (!byteLevel) {
          bytes[end++] = unit;
          continue;
        }
        // What the byte alphabet has beyond ASCII is two bytes long.
        const second = text[at++] ?? END;
        if (unit > 0xdf || (second & 0xc0) !== 0x80) return -1;
        unit = ((unit & 0x1f) << 6) | (second & 0x3f);
      }
      if (byteLevel) {
        const byte = byteOfUnit[unit] ?? -1;
        if (byte < 0) return -1;
        bytes[end++] = byte;
      } else if (unit < 0x80) bytes[end++] = unit;
      else if (unit >= 0xd800 && unit <= 0xdfff) {
        // Escaped, and so must the other half be.
        if (unit > 0xdbff || text[at++] !== BACKSLASH) throw new Unexpected();
        this.#at = at;
        const low = this.#escape();
        at = this.#at;
        if (!(low >= 0xdc00 && low <= 0xdfff)) throw new Unexpected();
        end = wide(bytes, end, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      } else end = wide(bytes, end, unit);
    }
    this.#at = at;
    return end;
  }

  /** Behind a backslash: a code unit. */
  #escape(): number {
    const unit = this.#text[this.#at++] ?? END;
    if (unit === 0x75) {
      const digits = this.#slice(this.#at, this.#at + 4);
      this.#at += 4;
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Unexpected();
      return Number.parseInt(digits, 16);
    }
    if (unit === END || unit >= 0x80) throw new Unexpected();
    const plain = 'bfnrt'.indexOf(String.fromCharCode(unit));
    return plain < 0 ? unit : ([8, 12, 10, 13, 9][plain] ?? 0);
  }

  #number(): number {
    let id = 0;
    const start = this.#at;
    for (;;) {
      const digit = (this.#text[this.#at] ?? END) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      id = id * 10 + digit;
      this.#at++;
    }
    if (this.#at === start) throw new Unexpected();
    return id;
  }

  /** Of the object here, or undefined where it is empty; the reader stands before the value then, and must consume it. */
  #firstKey(): string | undefined {
    this.#expect(OPEN_OBJECT);
    return this.#take(CLOSE_OBJECT) ? undefined : this.#key();
  }

  /** Behind a value; undefined at the end of the object. */
  #nextKey(): string | undefined {
    if (this.#take(COMMA)) return this.#key();
    this.#expect(CLOSE_OBJECT);
    return undefined;
  }

  #key(): string {
    this.#blanks();
    const start = this.#at;
    this.#skipString(start);
    const key = this.#slice(start + 1, this.#at - 1);
    this.#expect(COLON);
    this.#blanks();
    return key;
  }

  /** Past a value of any kind: brackets are counted, strings jumped over. */
  #skipValue(): void {
    const text = this.#text;
    let depth = 0;
    let at = this.#at;
    for (; ; at++) {
      const unit = text[at] ?? END;
      if (unit === QUOTE) at = stringEnd(text, at) - 1;
      else if (unit === OPEN_LIST || unit === OPEN_OBJECT) depth++;
      else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) {
        if (depth === 0) break;
        depth--;
      } else if (unit === COMMA) {
        if (depth === 0) break;
      } else if (unit === END) throw new Unexpected();
    }
    this.#at = at;
  }

  /** Past the string whose quote is at `start`. */
  #skipString(start: number): void {
    this.#at = stringEnd(this.#text, start);
  }

  #blanks(): void {
    for (;;) {
      const unit = this.#text[this.#at];
      if (unit !== BLANK && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at++;
    }
  }

  #take(unit: number): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== unit) return false;
    this.#at++;
    return true;
  }

  #expect(unit: number): void {
    if (!this.#take(unit)) throw new Unexpected();
  }
}

/** Behind the string whose quote is at `start`. */
function stringEnd(text: Uint8Array, start: number): number {
  if (text[start] !== QUOTE) throw new Unexpected();
  let at = start + 1;
  for (;;) {
    const unit = text[at++] ?? END;
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at++;
    else if (unit === END) throw new Unexpected();
  }
}

function wide(bytes: Uint8Array, from: number, codePoint: number): number {
  let end = from;
  if (codePoint > 0xffff) {
    bytes[end++] = 0xf0 | (codePoint >> 18);
    bytes[end++] = 0x80 | ((codePoint >> 12) & 0x3f);
  } else if (codePoint > 0x7ff) bytes[end++] = 0xe0 | (codePoint >> 12);
  else {
    bytes[end++] = 0xc0 | (codePoint >> 6);
    bytes[end++] = 0x80 | (codePoint & 0x3f);
    return end;
  }
  bytes[end++] = 0x80 | ((codePoint >> 6) & 0x3f);
  bytes[end++] = 0x80 | (codePoint & 0x3f);
  return end;
}

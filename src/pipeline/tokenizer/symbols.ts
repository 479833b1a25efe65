/** The first step of merging: the ids of the smallest parts of a word, by bytes or by characters. */

import type { TokenTable } from './token-table.ts';
import { codePointAt } from './words.ts';

/** Writes the ids of the parts of `text[from..to)` into `ids`, which has room for three per code unit; gives their count. */
export type Symbols = (text: string, from: number, to: number, ids: Int32Array) => number;

/** Writes UTF-8 of well-formed text; gives the end. */
export function writeUtf8(text: string, from: number, to: number, bytes: Uint8Array): number {
  let end = 0;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      bytes[end++] = unit;
    } else if (unit < 0x800) {
      bytes[end++] = 0xc0 | (unit >> 6);
      bytes[end++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[end++] = 0xe0 | (unit >> 12);
      bytes[end++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[end++] = 0x80 | (unit & 0x3f);
    } else {
      const codePoint = text.codePointAt(at++) ?? 0xfffd;
      bytes[end++] = 0xf0 | (codePoint >> 18);
      bytes[end++] = 0x80 | ((codePoint >> 12) & 0x3f);
      bytes[end++] = 0x80 | ((codePoint >> 6) & 0x3f);
      bytes[end++] = 0x80 | (codePoint & 0x3f);
    }
  }
  return end;
}

export interface UnknownRules {
  /** Stands for what the vocabulary has not; undefined: such parts vanish. */
  readonly unknownId: number | undefined;
  /** Neighbouring unknown parts become one. */
  readonly fuseUnknown: boolean;
  /** Bytes of an unknown character as `<0x41>`, where the vocabulary has all of them. */
  readonly byteFallback: boolean;
}

/** Ids of `<0x00>` to `<0xFF>`, or -1. */
export function byteTokenIds(table: TokenTable): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    return table.idOf(name) ?? -1;
  });
}

const UNSEEN = -2;

/** By characters, for vocabularies of text. */
export function characterSymbols(table: TokenTable, rules: UnknownRules): Symbols {
  const basic = new Int32Array(0x10000).fill(UNSEEN);
  const scratch = new Uint8Array(4);
  const byteIds = byteTokenIds(table);
  const idOf = (text: string, at: number, codePoint: number): number => {
    const known = codePoint < 0x10000 ? (basic[codePoint] ?? UNSEEN) : UNSEEN;
    if (known !== UNSEEN) return known;
    const id = table.find(scratch, 0, writeUtf8(text, at, at + (codePoint < 0x10000 ? 1 : 2), scratch));
    if (codePoint < 0x10000) basic[codePoint] = id;
    return id;
  };
  return (text, from, to, ids) => {
    let count = 0;
    /** Unknown parts wait: bytes that come after them overtake them, as in the reference. */
    let waiting = false;
    for (let at = from; at < to; ) {
      const codePoint = codePointAt(text, at);
      const id = idOf(text, at, codePoint);
      const end = at + (codePoint < 0x10000 ? 1 : 2);
      if (id >= 0) {
        if (waiting) ids[count++] = rules.unknownId ?? 0;
        waiting = false;
        ids[count++] = id;
      } else {
        const added = rules.byteFallback
          ? fallBack(writeUtf8(text, at, end, scratch), scratch, byteIds, ids, count)
          : 0;
        count += added;
        if (added === 0 && rules.unknownId !== undefined) {
          if (waiting && !rules.fuseUnknown) ids[count++] = rules.unknownId;
          waiting = true;
        }
      }
      at = end;
    }
    if (waiting) ids[count++] = rules.unknownId ?? 0;
    return count;
  };
}

function fallBack(length: number, bytes: Uint8Array, byteIds: Int32Array, ids: Int32Array, count: number): number {
  for (let at = 0; at < length; at++) if ((byteIds[bytes[at] ?? 0] ?? -1) < 0) return 0;
  for (let at = 0; at < length; at++) ids[count + at] = byteIds[bytes[at] ?? 0] ?? 0;
  return length;
}

/** Ids of the single bytes of a byte-level vocabulary, or -1. */
export function singleByteIds(table: TokenTable): Int32Array {
  const one = new Uint8Array(1);
  return Int32Array.from({ length: 256 }, (_, byte) => {
    one[0] = byte;
    return table.find(one, 0, 1);
  });
}

/** Whether a token's name is that of a byte (`<0x0A>`), and of which; else -1. */
export function byteOfName(name: string): number {
  if (name.length !== 6 || !name.startsWith('<0x') || !name.endsWith('>')) return -1;
  const digits = name.slice(3, 5);
  return /^(?:[0-9a-fA-F]{2}|\+[0-9a-fA-F])$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/**
 * All tokens of a model as bytes in one arena, found by id or by bytes. Byte-level tokens are kept as the bytes they
 * stand for, others as UTF-8; a token that is not spelled in the byte alphabet keeps its own name beside.
 * Cost: the bytes of all tokens and some 30 bytes for each; no string is kept. Looking at a token by its bytes touches
 * three lines of memory, which is what loading the merges spends its time on.
 */

import { byteOfUnit, spellBytes } from './byte-alphabet.ts';
import { UnusableTokenizer } from './unusable.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Ids from here on are a mistake or an attack: rooms are sized by them. */
const MAX_IDS = 4_000_000;
const NO_BYTES = new Uint8Array(0);

export class TokenTable {
  readonly #byteLevel: boolean;
  /** Names that do not follow from the bytes: added tokens, and those with characters outside the byte alphabet. */
  readonly #odd = new Map<number, string>();
  readonly #oddIds = new Map<string, number>();
  /** Per id: start and length of its bytes. */
  #spans = new Int32Array(1 << 16);
  /** Per slot: id (-1: empty) and hash. */
  #slots = new Int32Array(1 << 17).fill(-1);
  #mask = (1 << 16) - 1;
  #arena = new Uint8Array(1 << 18);
  #used = 0;
  #findable = 0;
  #size = 0;
  #longest = 0;

  constructor(byteLevel: boolean) {
    this.#byteLevel = byteLevel;
  }

  /** All ids are below. */
  get size(): number {
    return this.#size;
  }

  /** Of the longest token, in bytes. */
  get longestBytes(): number {
    return this.#longest;
  }

  /** A token by its name in the vocabulary file. The first of two with the same bytes is found by them. */
  add(token: string, id: number): void {
    this.#reserve(token.length * 3);
    const start = this.#used;
    const end = this.#byteLevel ? this.#spellOut(token, start) : -1;
    if (end >= 0) {
      this.#place(id, end, true);
      return;
    }
    const { written } = encoder.encodeInto(token, this.#arena.subarray(start));
    if (this.#byteLevel) this.#nameApart(token, id);
    this.#place(id, start + written, !this.#byteLevel);
  }

  /** A token that is no part of the model: found by its name, never by its bytes. */
  addApart(token: string, id: number): void {
    this.#reserve(token.length * 3);
    const start = this.#used;
    let end = this.#byteLevel ? this.#spellOut(token, start) : -1;
    if (end < 0) end = start + encoder.encodeInto(token, this.#arena.subarray(start)).written;
    this.#nameApart(token, id);
    this.#place(id, end, false);
  }

  /** A token by its bytes, `bytes[0..length)`. */
  addBytes(bytes: Uint8Array, length: number, id: number): void {
    this.#reserve(length);
    const arena = this.#arena;
    let end = this.#used;
    for (let at = 0; at < length; at++) arena[end++] = bytes[at] ?? 0;
    this.#place(id, end, true);
  }

  /** Of all tokens; `startOf` and `lengthOf` say where one stands. Good until the next token is added. */
  get arena(): Uint8Array {
    return this.#arena;
  }

  startOf(id: number): number {
    return this.#spans[id * 2] ?? 0;
  }

  lengthOf(id: number): number {
    return this.#spans[id * 2 + 1] ?? 0;
  }

  bytesOf(id: number): Uint8Array {
    if (!this.has(id)) return NO_BYTES;
    const start = this.#spans[id * 2] ?? 0;
    return this.#arena.subarray(start, start + (this.#spans[id * 2 + 1] ?? 0));
  }

  has(id: number): boolean {
    return id >= 0 && id < this.#size && (this.#spans[id * 2 + 1] ?? 0) > 0;
  }

  nameOf(id: number): string | undefined {
    if (!this.has(id)) return undefined;
    const odd = this.#odd.get(id);
    if (odd !== undefined) return odd;
    const bytes = this.bytesOf(id);
    return this.#byteLevel ? spellBytes(bytes) : decoder.decode(bytes);
  }

  /** By the name in the vocabulary. */
  idOf(token: string): number | undefined {
    const odd = this.#oddIds.get(token);
    if (odd !== undefined) return odd;
    const bytes = this.#byteLevel ? unspell(token) : encoder.encode(token);
    const id = bytes === undefined ? -1 : this.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  }

  /** The id of the token of these bytes, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#lookUp(bytes, from, to, hashOf(bytes, from, to, 0));
  }

  /** The id of what two tokens give when joined; -1 where there is none. */
  findJoined(left: number, right: number): number {
    const arena = this.#arena;
    const spans = this.#spans;
    const slots = this.#slots;
    const leftStart = spans[left * 2] ?? 0;
    const leftLength = spans[left * 2 + 1] ?? 0;
    const rightStart = spans[right * 2] ?? 0;
    const rightLength = spans[right * 2 + 1] ?? 0;
    const leftHash = hashOf(arena, leftStart, leftStart + leftLength, 0);
    const hash = hashOf(arena, rightStart, rightStart + rightLength, leftHash);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = slots[slot * 2] ?? -1;
      if (id < 0) return -1;
      if (slots[slot * 2 + 1] !== hash || spans[id * 2 + 1] !== leftLength + rightLength) continue;
      const start = spans[id * 2] ?? 0;
      if (
        sameBytes(arena, start, arena, leftStart, leftLength) &&
        sameBytes(arena, start + leftLength, arena, rightStart, rightLength)
      )
        return id;
    }
  }

  #lookUp(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const slots = this.#slots;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = slots[slot * 2] ?? -1;
      if (id < 0) return -1;
      if (slots[slot * 2 + 1] !== hash || this.#spans[id * 2 + 1] !== to - from) continue;
      if (sameBytes(this.#arena, this.#spans[id * 2] ?? 0, bytes, from, to - from)) return id;
    }
  }

  /** What was written from `#used` to `end` is the token `id`. */
  #place(id: number, end: number, findable: boolean): void {
    if (!(id >= 0 && id < MAX_IDS)) throw new UnusableTokenizer(`the id ${id}`);
    if (id * 2 >= this.#spans.length) this.#growSpans(id);
    const start = this.#used;
    this.#spans[id * 2] = start;
    this.#spans[id * 2 + 1] = end - start;
    this.#used = end;
    this.#size = Math.max(this.#size, id + 1);
    this.#longest = Math.max(this.#longest, end - start);
    if (!findable || end === start) return;
    if (this.#findable * 2 > this.#mask) this.#growSlots();
    this.#insertNew(id, start, end - start);
  }

  /** Unless another has the same bytes. */
  #insertNew(id: number, start: number, length: number): void {
    const slots = this.#slots;
    const hash = hashOf(this.#arena, start, start + length, 0);
    let slot = hash & this.#mask;
    for (; ; slot = (slot + 1) & this.#mask) {
      const other = slots[slot * 2] ?? -1;
      if (other < 0) break;
      if (slots[slot * 2 + 1] !== hash || this.#spans[other * 2 + 1] !== length) continue;
      if (sameBytes(this.#arena, this.#spans[other * 2] ?? 0, this.#arena, start, length)) return;
    }
    slots[slot * 2] = id;
    slots[slot * 2 + 1] = hash;
    this.#findable++;
  }

  #nameApart(token: string, id: number): void {
    this.#odd.set(id, token);
    this.#oddIds.set(token, id);
  }

  #spellOut(token: string, start: number): number {
    let at = start;
    for (let index = 0; index < token.length; index++) {
      const byte = byteOfUnit[token.charCodeAt(index)] ?? -1;
      if (byte < 0) return -1;
      this.#arena[at++] = byte;
    }
    return at;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#arena.length) return;
    const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#used + bytes));
    grown.set(this.#arena);
    this.#arena = grown;
  }

  #growSpans(id: number): void {
    const grown = new Int32Array(Math.max(this.#spans.length * 2, id * 2 + 2));
    grown.set(this.#spans);
    this.#spans = grown;
  }

  #growSlots(): void {
    const old = this.#slots;
    const grown = new Int32Array(old.length * 2).fill(-1);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < old.length; at += 2) {
      const id = old[at] ?? -1;
      if (id >= 0) insert(grown, this.#mask, id, old[at + 1] ?? 0);
    }
    this.#slots = grown;
  }
}

function insert(slots: Int32Array, mask: number, id: number, hash: number): void {
  let slot = hash & mask;
  while ((slots[slot * 2] ?? -1) >= 0) slot = (slot + 1) & mask;
  slots[slot * 2] = id;
  slots[slot * 2 + 1] = hash;
}

function unspell(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let index = 0; index < token.length; index++) {
    const byte = byteOfUnit[token.charCodeAt(index)] ?? -1;
    if (byte < 0) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}

/** Goes on from `seed`, so that the hash of two parts is that of the whole. */
function hashOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  for (let at = from; at < to; at++) {
    hash = (Math.imul(hash ^ (bytes[at] ?? 0) ^ (hash >>> 15), 0x2c1b3c6d) + 0x165667b1) | 0;
  }
  return hash;
}

function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (a[aStart + at] !== b[bStart + at]) return false;
  return true;
}

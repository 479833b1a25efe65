/**
 * All tokens of a model as bytes in one arena, found by id or by bytes. Byte-level tokens are kept as the bytes they
 * stand for, others as UTF-8; a token that is not spelled in the byte alphabet keeps its own name beside.
 * Cost: bytes of all tokens and 16 bytes for each; no string is kept, so a vocabulary of 200,000 takes some 6 MB.
 */

import { byteOfUnit, spellBytes } from './byte-alphabet.ts';
import { UnusableTokenizer } from './unusable.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Ids above are a mistake or an attack: arenas are sized by them. */
const MAX_IDS = 4_000_000;
const NO_BYTES = new Uint8Array(0);

export class TokenTable {
  /** All ids are below. */
  readonly size: number;
  readonly #byteLevel: boolean;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #hashes: Int32Array;
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** Names that do not follow from the bytes: added tokens, and those with characters outside the byte alphabet. */
  readonly #odd = new Map<number, string>();
  readonly #oddIds = new Map<string, number>();
  #arena: Uint8Array;
  #used = 0;
  #longest = 0;

  constructor(highestId: number, byteLevel: boolean) {
    if (!(highestId >= 0 && highestId < MAX_IDS)) throw new UnusableTokenizer(`ids up to ${highestId}`);
    this.size = highestId + 1;
    this.#byteLevel = byteLevel;
    this.#starts = new Uint32Array(this.size);
    this.#lengths = new Uint32Array(this.size);
    this.#hashes = new Int32Array(this.size);
    let slots = 1024;
    while (slots < this.size * 2) slots *= 2;
    this.#slots = new Int32Array(slots).fill(-1);
    this.#mask = slots - 1;
    this.#arena = new Uint8Array(this.size * 12 + 1024);
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
      this.#place(id, start, end, true);
      return;
    }
    const { written } = encoder.encodeInto(token, this.#arena.subarray(start));
    if (this.#byteLevel) this.#nameApart(token, id);
    this.#place(id, start, start + written, !this.#byteLevel);
  }

  /** A token that is no part of the model: found by its name, never by its bytes. */
  addApart(token: string, id: number): void {
    this.#reserve(token.length * 3);
    const start = this.#used;
    let end = this.#byteLevel ? this.#spellOut(token, start) : -1;
    if (end < 0) end = start + encoder.encodeInto(token, this.#arena.subarray(start)).written;
    this.#nameApart(token, id);
    this.#place(id, start, end, false);
  }

  #nameApart(token: string, id: number): void {
    this.#odd.set(id, token);
    this.#oddIds.set(token, id);
  }

  /** A token by its bytes. */
  addBytes(bytes: Uint8Array, id: number): void {
    this.#reserve(bytes.length);
    this.#arena.set(bytes, this.#used);
    this.#place(id, this.#used, this.#used + bytes.length, true);
  }

  bytesOf(id: number): Uint8Array {
    const length = this.#lengths[id] ?? 0;
    if (length === 0) return NO_BYTES;
    const start = this.#starts[id] ?? 0;
    return this.#arena.subarray(start, start + length);
  }

  has(id: number): boolean {
    return (this.#lengths[id] ?? 0) > 0;
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
    let bytes: Uint8Array = encoder.encode(token);
    if (this.#byteLevel) {
      const spelled = unspell(token);
      if (spelled === undefined) return undefined;
      bytes = spelled;
    }
    const id = this.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  }

  /** The id of the token of these bytes, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#lookUp(bytes, from, to, hashOf(bytes, from, to, 0));
  }

  /** The id of what two tokens give when joined, the second without its first `skip` bytes; -1 where there is none. */
  findJoined(left: number, right: number, skip: number): number {
    const arena = this.#arena;
    const leftStart = this.#starts[left] ?? 0;
    const leftLength = this.#lengths[left] ?? 0;
    const rightStart = (this.#starts[right] ?? 0) + skip;
    const rightLength = (this.#lengths[right] ?? 0) - skip;
    const hash = hashOf(arena, rightStart, rightStart + rightLength, this.#hashes[left] ?? 0);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = this.#slots[slot] ?? -1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash || this.#lengths[id] !== leftLength + rightLength) continue;
      const start = this.#starts[id] ?? 0;
      if (
        sameBytes(arena, start, arena, leftStart, leftLength) &&
        sameBytes(arena, start + leftLength, arena, rightStart, rightLength)
      )
        return id;
    }
  }

  #lookUp(bytes: Uint8Array, from: number, to: number, hash: number): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const id = this.#slots[slot] ?? -1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash || this.#lengths[id] !== to - from) continue;
      if (sameBytes(this.#arena, this.#starts[id] ?? 0, bytes, from, to - from)) return id;
    }
  }

  #place(id: number, start: number, end: number, findable: boolean): void {
    if (!(id >= 0 && id < this.size)) throw new UnusableTokenizer(`the id ${id}`);
    const hash = hashOf(this.#arena, start, end, 0);
    this.#starts[id] = start;
    this.#lengths[id] = end - start;
    this.#hashes[id] = hash;
    this.#used = end;
    this.#longest = Math.max(this.#longest, end - start);
    if (!findable || end === start || this.#lookUp(this.#arena, start, end, hash) >= 0) return;
    let slot = hash & this.#mask;
    while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = id;
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

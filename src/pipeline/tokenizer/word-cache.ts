/**
 * Words that were encoded before, and their ids: an open-addressing table over code units, without a string or an object
 * per entry. Cost: 7 MB at most, taken up as it fills; when full it is emptied, which costs less than keeping an order.
 */

import type { IdList } from './id-list.ts';

/** Words of more code units are seldom seen again. */
export const LONGEST_CACHED = 64;
const SLOT = 4;
const SLOTS = 1 << 17;
const MOST_WORDS = SLOTS * 0.6;
const UNITS = 1 << 20;
const IDS = 1 << 19;
/** Slots that are looked at for a word: clients choose the words, and could choose ones that all meet in one place. */
const MOST_PROBES = 16;

export class WordCache {
  /** Per slot: hash, start of the units, length of the units * 256 + count of ids (0: empty), start of the ids or the id. */
  readonly #slots = new Int32Array(SLOTS * SLOT);
  readonly #units = new Uint16Array(UNITS);
  readonly #ids = new Int32Array(IDS);
  #words = 0;
  #unitsUsed = 0;
  #idsUsed = 0;

  /** Appends the ids of the word and says true, or says false. */
  take(text: string, from: number, to: number, out: IdList): boolean {
    const slots = this.#slots;
    const hash = hashOf(text, from, to);
    const length = to - from;
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const at = ((hash + probe) & (SLOTS - 1)) * SLOT;
      const shape = slots[at + 2] ?? 0;
      if (shape === 0) return false;
      if (slots[at] !== hash || shape >>> 8 !== length) continue;
      if (!this.#isSame(text, from, to, slots[at + 1] ?? 0)) continue;
      const count = shape & 0xff;
      if (count === 1) out.push(slots[at + 3] ?? 0);
      else out.append(this.#ids, slots[at + 3] ?? 0, count);
      return true;
    }
    return false;
  }

  /** A word that is not there yet, with `ids[0..count)`; not kept with more than 255, or where its place is crowded. */
  put(text: string, from: number, to: number, ids: Int32Array, count: number): void {
    if (count === 0 || count > 255) return;
    const length = to - from;
    const isFull = this.#unitsUsed + length > UNITS || this.#idsUsed + count > IDS || this.#words >= MOST_WORDS;
    if (isFull) this.clear();
    const hash = hashOf(text, from, to);
    const at = this.#emptySlot(hash);
    if (at < 0) return;
    this.#slots[at] = hash;
    this.#slots[at + 1] = this.#unitsUsed;
    this.#slots[at + 2] = length * 256 + count;
    this.#slots[at + 3] = count === 1 ? (ids[0] ?? 0) : this.#idsUsed;
    for (let index = from; index < to; index++) this.#units[this.#unitsUsed++] = text.charCodeAt(index);
    if (count > 1) for (let index = 0; index < count; index++) this.#ids[this.#idsUsed++] = ids[index] ?? 0;
    this.#words++;
  }

  #emptySlot(hash: number): number {
    for (let probe = 0; probe < MOST_PROBES; probe++) {
      const at = ((hash + probe) & (SLOTS - 1)) * SLOT;
      if (this.#slots[at + 2] === 0) return at;
    }
    return -1;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#words = 0;
    this.#unitsUsed = 0;
    this.#idsUsed = 0;
  }

  #isSame(text: string, from: number, to: number, start: number): boolean {
    const units = this.#units;
    let at = start;
    for (let index = from; index < to; index++) if (units[at++] !== text.charCodeAt(index)) return false;
    return true;
  }
}

function hashOf(text: string, from: number, to: number): number {
  let hash = to - from;
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15) ^ (hash >>> 7);
}

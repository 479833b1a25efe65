/**
 * Byte-pair merging of one word: always the pair of the lowest rank, the leftmost of equals, until none is left.
 * Short words by looking for the minimum, long ones by a heap, so that a run of a million equal letters stays n log n.
 */

import type { MergeTable } from './merge-table.ts';

/** Up to this many symbols a scan for the minimum beats the heap (measured: equal at about 40). */
const SHORT = 32;
const NONE = 0x7fffffff;
/** Heap keys are rank * 2^32 + position: exact in a double while ranks are below 2^21. */
const POSITIONS = 0x1_0000_0000;
/** The most merges for which that holds. */
export const MAX_MERGES = 2_000_000;

const shortRanks = new Int32Array(SHORT);
const shortJoined = new Int32Array(SHORT);

/** Merges `ids[0..count)` in place and gives the new count. */
export function mergeWord(table: MergeTable, ids: Int32Array, count: number): number {
  if (count < 2) return count;
  return count <= SHORT ? mergeShort(table, ids, count) : mergeLong(table, ids, count);
}

function rankAt(table: MergeTable, ids: Int32Array, at: number): void {
  const found = table.find(ids[at] ?? -2, ids[at + 1] ?? -2);
  shortRanks[at] = found < 0 ? NONE : (table.slots[found + 2] ?? NONE);
  shortJoined[at] = found < 0 ? 0 : (table.slots[found + 3] ?? 0);
}

function mergeShort(table: MergeTable, ids: Int32Array, count: number): number {
  let left = count;
  for (let at = 0; at < left - 1; at++) rankAt(table, ids, at);
  for (;;) {
    let best = NONE;
    let where = -1;
    for (let at = 0; at < left - 1; at++) {
      const rank = shortRanks[at] ?? NONE;
      if (rank < best) {
        best = rank;
        where = at;
      }
    }
    if (where < 0) return left;
    ids[where] = shortJoined[where] ?? 0;
    left--;
    for (let at = where + 1; at < left; at++) {
      ids[at] = ids[at + 1] ?? 0;
      shortRanks[at] = shortRanks[at + 1] ?? NONE;
      shortJoined[at] = shortJoined[at + 1] ?? 0;
    }
    if (where > 0) rankAt(table, ids, where - 1);
    if (where < left - 1) rankAt(table, ids, where);
  }
}

/** A min-heap of doubles in one array. */
class Heap implements Queue {
  size = 0;
  #keys: Float64Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
  }

  /** The smallest; 0 where there is none. */
  get top(): number {
    return this.#keys[0] ?? 0;
  }

  push(key: number): void {
    if (this.size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = keys[parent] ?? 0;
      if (above <= key) break;
      keys[at] = above;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const keys = this.#keys;
    const top = keys[0] ?? 0;
    const key = keys[--this.size] ?? 0;
    const size = this.size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (keys[child + 1] ?? 0) < (keys[child] ?? 0)) child++;
      const below = keys[child] ?? 0;
      if (below >= key) break;
      keys[at] = below;
      at = child;
    }
    keys[at] = key;
    return top;
  }

  #grow(): void {
    const grown = new Float64Array(this.#keys.length * 2);
    grown.set(this.#keys);
    this.#keys = grown;
  }
}

/** From this many symbols on a queue by ranks is faster than one heap of all pairs (a run of a million letters: 3 times). */
const VERY_LONG = 2048;

interface Queue {
  readonly size: number;
  push(key: number): void;
  pop(): number;
}

/** Keys by rank, each rank's positions in a list of their own that is sorted only where they came out of order. */
class RankQueue implements Queue {
  size = 0;
  readonly #ranks = new Heap(1024);
  readonly #lists = new Map<number, PositionList>();
  #lowest: PositionList | undefined;

  push(key: number): void {
    const rank = Math.floor(key / POSITIONS);
    this.size++;
    let list = this.#lists.get(rank);
    if (list === undefined) {
      list = new PositionList(rank);
      this.#lists.set(rank, list);
    }
    if (list.isEmpty) {
      this.#ranks.push(rank);
      if (this.#lowest !== undefined && rank < this.#lowest.rank) this.#lowest = undefined;
    }
    list.push(key - rank * POSITIONS);
  }

  pop(): number {
    let list = this.#lowest;
    if (list === undefined || list.isEmpty) {
      const rank = this.#nextRank();
      list = this.#lists.get(rank) ?? new PositionList(rank);
      this.#lowest = list;
    }
    this.size--;
    return list.rank * POSITIONS + list.shift();
  }

  /** The lowest rank with positions; it stays in the heap until its list is empty. */
  #nextRank(): number {
    for (;;) {
      const rank = this.#ranks.top;
      if (this.#lists.get(rank)?.isEmpty === false) return rank;
      this.#ranks.pop();
    }
  }
}

class PositionList {
  readonly rank: number;
  #positions: number[] = [];
  #head = 0;
  #isSorted = true;

  constructor(rank: number) {
    this.rank = rank;
  }

  get isEmpty(): boolean {
    return this.#head === this.#positions.length;
  }

  push(position: number): void {
    const last = this.#positions.at(-1);
    if (last !== undefined && this.#head < this.#positions.length && position < last) this.#isSorted = false;
    this.#positions.push(position);
  }

  shift(): number {
    if (!this.#isSorted) {
      this.#positions = this.#positions.slice(this.#head).sort((a, b) => a - b);
      this.#head = 0;
      this.#isSorted = true;
    }
    const position = this.#positions[this.#head++] ?? 0;
    if (this.isEmpty) {
      this.#positions = [];
      this.#head = 0;
    }
    return position;
  }
}

function mergeLong(table: MergeTable, ids: Int32Array, count: number): number {
  const { slots } = table;
  const next = new Int32Array(count);
  const previous = new Int32Array(count);
  const heap: Queue = count < VERY_LONG ? new Heap(count) : new RankQueue();
  for (let at = 0; at < count; at++) {
    next[at] = at + 1;
    previous[at] = at - 1;
    if (at + 1 < count) offer(table, heap, at, ids[at] ?? -2, ids[at + 1] ?? -2);
  }
  while (heap.size > 0) {
    const key = heap.pop();
    const rank = Math.floor(key / POSITIONS);
    const at = key - rank * POSITIONS;
    const right = next[at] ?? count;
    if ((ids[at] ?? -1) < 0 || right >= count) continue;
    const found = table.find(ids[at] ?? -2, ids[right] ?? -2);
    if (found < 0 || slots[found + 2] !== rank) continue;
    const joined = slots[found + 3] ?? 0;
    const after = next[right] ?? count;
    const before = previous[at] ?? -1;
    ids[at] = joined;
    ids[right] = -1;
    next[at] = after;
    if (after < count) {
      previous[after] = at;
      offer(table, heap, at, joined, ids[after] ?? -2);
    }
    if (before >= 0) offer(table, heap, before, ids[before] ?? -2, joined);
  }
  let kept = 0;
  for (let at = 0; at < count; at = next[at] ?? count) ids[kept++] = ids[at] ?? 0;
  return kept;
}

function offer(table: MergeTable, heap: Queue, at: number, left: number, right: number): void {
  const found = table.find(left, right);
  if (found >= 0) heap.push((table.slots[found + 2] ?? 0) * POSITIONS + at);
}

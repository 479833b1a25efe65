/** Merges as files list them, or as ranks imply them, into a table of ids. */

import { MAX_MERGES } from './merge.ts';
import { MergeTable } from './merge-table.ts';
import type { Steps } from './steps.ts';
import type { TokenTable } from './token-table.ts';
import { UnusableTokenizer } from './unusable.ts';

/** Merges that are put into the table in one step, and tokens whose parts are looked for in one. */
const MERGES_AT_ONCE = 4096;
const TOKENS_AT_ONCE = 256;

/** Merges in the order of their ranks; grows as they come. */
export class MergeList {
  readonly #table: TokenTable;
  #pairs = new Int32Array(3 << 16);
  #count = 0;

  constructor(table: TokenTable) {
    this.#table = table;
  }

  /** False where one of the two, or both together, is no token. */
  add(left: number, right: number): boolean {
    const joined = left < 0 || right < 0 ? -1 : this.#table.findJoined(left, right);
    if (joined < 0) return false;
    if (this.#count >= MAX_MERGES) throw new UnusableTokenizer(`more than ${MAX_MERGES} merges`);
    if (this.#count * 3 === this.#pairs.length) {
      const grown = new Int32Array(this.#pairs.length * 2);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    const at = 3 * this.#count++;
    this.#pairs[at] = left;
    this.#pairs[at + 1] = right;
    this.#pairs[at + 2] = joined;
    return true;
  }

  *toTable(): Steps<MergeTable> {
    const merges = new MergeTable(this.#count);
    for (let rank = 0; rank < this.#count; rank += MERGES_AT_ONCE) {
      yield;
      this.#fill(merges, rank, Math.min(this.#count, rank + MERGES_AT_ONCE));
    }
    return merges;
  }

  #fill(merges: MergeTable, from: number, to: number): void {
    const pairs = this.#pairs;
    for (let rank = from; rank < to; rank++) {
      const at = rank * 3;
      merges.set(pairs[at] ?? 0, pairs[at + 1] ?? 0, rank, pairs[at + 2] ?? 0);
    }
  }
}

/** Of parsed JSON: texts with a blank between, or pairs. */
export function* mergesOfList(list: readonly unknown[], table: TokenTable): Steps<MergeTable> {
  const merges = new MergeList(table);
  const idOf = (name: unknown) => (typeof name === 'string' ? (table.idOf(name) ?? -1) : -1);
  for (const [rank, entry] of list.entries()) {
    const pair: readonly unknown[] = Array.isArray(entry) ? entry : String(entry).split(' ');
    if (pair.length !== 2 || !merges.add(idOf(pair[0]), idOf(pair[1]))) {
      throw new UnusableTokenizer(`merge ${rank} with a token that its vocabulary has not`);
    }
    if (rank % MERGES_AT_ONCE === 0) yield;
  }
  return yield* merges.toTable();
}

/**
 * Of a vocabulary by ranks: two neighbours merge where both together are a token, the lowest rank first. So every way to
 * cut a token in two tokens is a merge with that token's rank, which is its id.
 */
export function* mergesOfRanks(table: TokenTable, count: number): Steps<MergeTable> {
  if (count > MAX_MERGES) throw new UnusableTokenizer(`${count} ranks`);
  const pairs: number[] = [];
  for (let id = 0; id < count; id++) {
    if (id % TOKENS_AT_ONCE === 0) yield;
    const bytes = table.bytesOf(id);
    for (let cut = 1; cut < bytes.length; cut++) {
      const left = table.find(bytes, 0, cut);
      if (left < 0) continue;
      const right = table.find(bytes, cut, bytes.length);
      if (right >= 0) pairs.push(left, right, id);
    }
  }
  const merges = new MergeTable(pairs.length / 3);
  for (let at = 0; at < pairs.length; at += 3) {
    if (at % (3 * MERGES_AT_ONCE) === 0) yield;
    const id = pairs[at + 2] ?? 0;
    merges.set(pairs[at] ?? 0, pairs[at + 1] ?? 0, id, id);
  }
  return merges;
}

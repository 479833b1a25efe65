/** Merges as files list them, or as ranks imply them, into a table of ids. */

import { MAX_MERGES } from './merge.ts';
import { MergeTable } from './merge-table.ts';
import type { TokenTable } from './token-table.ts';
import { UnusableTokenizer } from './unusable.ts';

/** `idOf`: of a name in the vocabulary; -1 for none. `prefixBytes`: what a continuing part drops when it is joined. */
export function mergesOfList(
  list: readonly unknown[],
  table: TokenTable,
  lookUp: { readonly idOf: (token: string) => number; readonly prefixBytes: number },
): MergeTable {
  if (list.length > MAX_MERGES) throw new UnusableTokenizer(`${list.length} merges`);
  const merges = new MergeTable(list.length);
  for (let rank = 0; rank < list.length; rank++) {
    const entry: unknown = list[rank];
    let left = -1;
    let right = -1;
    if (typeof entry === 'string') {
      const blank = entry.indexOf(' ');
      left = lookUp.idOf(entry.slice(0, blank));
      right = lookUp.idOf(entry.slice(blank + 1));
    } else if (Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string') {
      left = lookUp.idOf(entry[0]);
      right = lookUp.idOf(entry[1]);
    }
    const joined = left < 0 || right < 0 ? -1 : table.findJoined(left, right, lookUp.prefixBytes);
    if (joined < 0) throw new UnusableTokenizer(`merge ${rank} with a token that its vocabulary has not`);
    merges.set(left, right, rank, joined);
  }
  return merges;
}

/**
 * Of a vocabulary by ranks: two neighbours merge where both together are a token, the lowest rank first. So every way to
 * cut a token in two tokens is a merge with that token's rank, which is its id.
 */
export function mergesOfRanks(table: TokenTable, count: number): MergeTable {
  if (count > MAX_MERGES) throw new UnusableTokenizer(`${count} ranks`);
  const pairs: number[] = [];
  for (let id = 0; id < count; id++) {
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
    const id = pairs[at + 2] ?? 0;
    merges.set(pairs[at] ?? 0, pairs[at + 1] ?? 0, id, id);
  }
  return merges;
}

/**
 * Where a text without pre-tokenizer may be cut without a change of its tokens: between two characters that stand side by
 * side in no token that merging can make. Known for ASCII, the metaspace and all others as one kind.
 */

import type { MergeTable } from './merge-table.ts';
import { byteTokenIds } from './symbols.ts';
import type { Steps } from './steps.ts';
import type { TokenTable } from './token-table.ts';
import type { Scan } from './words.ts';

const METASPACE = 0x2581;
const KINDS = 130;
const META_KIND = 128;
const OTHER_KIND = 129;
/** Slots of the merges that are looked at in one step. */
const SLOTS_AT_ONCE = 1 << 14;

function kindOf(unit: number): number {
  if (unit < 128) return unit;
  return unit === METASPACE ? META_KIND : OTHER_KIND;
}

/** Only where merges alone decide: with `ignore_merges` or unknown tokens that fuse a cut would show. */
export function* scanJoints(table: TokenTable, merges: MergeTable): Steps<Scan> {
  const joins = yield* jointsOf(table, merges);
  return (text, from, to, sink) => {
    let start = from;
    let left = -1;
    for (let at = from; at < to; at++) {
      const right = kindOf(text.charCodeAt(at));
      if (left >= 0 && joins[left * KINDS + right] === 0) {
        sink.word(text, start, at);
        start = at;
      }
      left = right;
    }
    if (start < to) sink.word(text, start, to);
  };
}

/** 1 where some token has the two kinds side by side. */
function* jointsOf(table: TokenTable, merges: MergeTable): Steps<Uint8Array> {
  const joins = new Uint8Array(KINDS * KINDS);
  // Two units of one character, and parts of it as bytes, are never parted.
  joins[OTHER_KIND * KINDS + OTHER_KIND] = 1;
  const byteIds = new Set(byteTokenIds(table));
  const isSeen = new Uint8Array(table.size);
  const { slots } = merges;
  for (let at = 0; at < slots.length; at += 4) {
    if (at % (4 * SLOTS_AT_ONCE) === 0) yield;
    const left = slots[at] ?? -1;
    if (left === -1) continue;
    // Merged bytes stand for characters that their names do not show.
    if (byteIds.has(left) || byteIds.has(slots[at + 1] ?? -1)) return joins.fill(1);
    const joined = slots[at + 3] ?? 0;
    if (isSeen[joined] === 0) markToken(table, joined, joins);
    isSeen[joined] = 1;
  }
  return joins;
}

function markToken(table: TokenTable, id: number, joins: Uint8Array): void {
  const { arena } = table;
  const end = table.startOf(id) + table.lengthOf(id);
  let left = -1;
  for (let at = table.startOf(id); at < end; ) {
    const byte = arena[at] ?? 0;
    const isMeta = byte === 0xe2 && arena[at + 1] === 0x96 && arena[at + 2] === 0x81;
    const right = byte < 128 ? byte : isMeta ? META_KIND : OTHER_KIND;
    if (left >= 0) joins[left * KINDS + right] = 1;
    left = right;
    at += isMeta ? 3 : 1;
  }
}

/**
 * Words to ids, by cache, whole-word look-up and merging. Owns the scratch room and the cache of one tokenizer.
 * Not re-entrant: one text at a time, which synchronous code is.
 */

import { IdList } from './id-list.ts';
import { mergeWord } from './merge.ts';
import type { MergeTable } from './merge-table.ts';
import { characterSymbols, singleByteIds, type Symbols, type UnknownRules, writeUtf8 } from './symbols.ts';
import type { TokenTable } from './token-table.ts';
import { LONGEST_CACHED, WordCache } from './word-cache.ts';
import type { WordSink } from './words.ts';

export interface BpeModel {
  readonly table: TokenTable;
  readonly merges: MergeTable;
  readonly isByteLevel: boolean;
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoresMerges: boolean;
  readonly unknown: UnknownRules;
}

/** Room for the parts of a word; a code unit has at most three bytes. */
const ROOM = LONGEST_CACHED * 3;

export class WordEncoder implements WordSink {
  readonly out = new IdList();
  readonly #model: BpeModel;
  readonly #cache = new WordCache();
  readonly #bytes = new Uint8Array(ROOM);
  readonly #ids = new Int32Array(ROOM);
  readonly #byteIds: Int32Array;
  readonly #symbols: Symbols;

  constructor(model: BpeModel) {
    this.#model = model;
    this.#byteIds = singleByteIds(model.table);
    this.#symbols = characterSymbols(model.table, model.unknown);
  }

  /** For measurements. */
  clearCache(): void {
    this.#cache.clear();
  }

  word(text: string, from: number, to: number): void {
    if (to - from > LONGEST_CACHED) {
      const room = (to - from) * 3;
      const ids = new Int32Array(room);
      this.out.append(ids, 0, this.#encode(text, from, to, ids, new Uint8Array(room)));
      return;
    }
    if (this.#cache.take(text, from, to, this.out)) return;
    const count = this.#encode(text, from, to, this.#ids, this.#bytes);
    this.out.append(this.#ids, 0, count);
    this.#cache.put(text, from, to, this.#ids, count);
  }

  #encode(text: string, from: number, to: number, ids: Int32Array, bytes: Uint8Array): number {
    const { table, merges, isByteLevel, ignoresMerges } = this.#model;
    if (isByteLevel || ignoresMerges) {
      const end = writeUtf8(text, from, to, bytes);
      if (ignoresMerges && end <= table.longestBytes) {
        const id = table.find(bytes, 0, end);
        if (id >= 0) {
          ids[0] = id;
          return 1;
        }
      }
      if (isByteLevel) return mergeWord(merges, ids, this.#bytesToIds(bytes, end, ids));
    }
    return mergeWord(merges, ids, this.#symbols(text, from, to, ids));
  }

  /** A vocabulary without one of the bytes leaves it out, or puts its unknown token. */
  #bytesToIds(bytes: Uint8Array, end: number, ids: Int32Array): number {
    const { unknownId, fuseUnknown } = this.#model.unknown;
    let count = 0;
    let wasUnknown = false;
    for (let at = 0; at < end; at++) {
      const id = this.#byteIds[bytes[at] ?? 0] ?? -1;
      if (id >= 0) ids[count++] = id;
      else if (unknownId !== undefined && !(wasUnknown && fuseUnknown)) ids[count++] = unknownId;
      wasUnknown = id < 0;
    }
    return count;
  }
}

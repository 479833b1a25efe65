/**
 * The blocks of all remembered prompts as a tree of runs: up to eight blocks that were only ever seen together.
 *
 *   system prompt ── run ── run ─┬─ run            a run's parent holds what comes before it;
 *                                └─ run ── run      runs begin only where another ends
 *
 * A block's words name everything up to it, so the words of its first block find a run without walking to it.
 * Units  blocks; `start` counts from the beginning of the prompt. Owner: one PrefixIndex
 */
import { FIRST_FIELD, LinearHash, NEXT } from './linear-hash.ts';
import { type Budget, WordTable } from './word-table.ts';

/** Blocks of one run at most: what a short prompt wastes against what a long one spends on links. */
export const RUN_BLOCKS = 8;

const PARENT = FIRST_FIELD;
/** Start, size of a block and length in one word: prompts end long before 2^20 blocks. */
const SPAN = FIRST_FIELD + 1;
export const FIRST_HOLDING = FIRST_FIELD + 2;
export const HOLDING_COUNT = FIRST_FIELD + 3;
const WORDS = FIRST_FIELD + 4;
const STRIDE = WORDS + 2 * RUN_BLOCKS;
const LENGTH_BITS = 4;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
const GRAIN_BITS = 8;
const GRAIN_MASK = (1 << GRAIN_BITS) - 1;
const START_SHIFT = LENGTH_BITS + GRAIN_BITS;
/** What a size of a block is counted in: small enough for the blocks of engines, large enough for those of texts. */
const GRAIN_TOKENS = 4;

/** Which blocks of a prompt. */
interface Span {
  readonly start: number;
  readonly length: number;
  /** The same in all runs of a prompt; prompts cut otherwise share none of its words. */
  readonly tokensPerBlock: number;
}

export class Runs {
  readonly table: WordTable;
  readonly #hash: LinearHash;
  readonly #seed: number;

  /** `seed`: unknown to clients, so that nobody can choose prompts that share a bucket. */
  constructor(budget: Budget, share: number, seed: number) {
    this.table = new WordTable(STRIDE, budget, share);
    this.#hash = new LinearHash(this.table, budget);
    this.#seed = seed;
  }

  get bytes(): number {
    return this.table.bytes + this.#hash.bytes;
  }

  parent(run: number): number {
    return this.table.get(run, PARENT);
  }

  start(run: number): number {
    return this.table.get(run, SPAN) >>> START_SHIFT;
  }

  length(run: number): number {
    return this.table.get(run, SPAN) & LENGTH_MASK;
  }

  end(run: number): number {
    const span = this.table.get(run, SPAN);
    return (span >>> START_SHIFT) + (span & LENGTH_MASK);
  }

  /** Tokens of one of its blocks. */
  tokensPerBlock(run: number): number {
    return ((this.table.get(run, SPAN) >>> LENGTH_BITS) & GRAIN_MASK) * GRAIN_TOKENS;
  }

  /** Tokens of all its blocks. */
  tokens(run: number): number {
    return this.length(run) * this.tokensPerBlock(run);
  }

  /** The run that begins with this block of the prompt behind `parent`, or 0. Words that collide elsewhere do not count. */
  find(words: Uint32Array, block: number, parent: number): number {
    const low = words[2 * block] as number;
    const high = words[2 * block + 1] as number;
    let run = this.#hash.first(this.#hashOf(low, high));
    while (run !== 0) {
      const page = this.table.page(run);
      const at = this.table.offset(run);
      if (page[at + WORDS] === low && page[at + WORDS + 1] === high && page[at + PARENT] === parent) return run;
      run = page[at + NEXT] as number;
    }
    return 0;
  }

  /** How many blocks of the run the prompt has, from `block` on, where the run was found. */
  matching(run: number, words: Uint32Array, from: { readonly block: number; readonly count: number }): number {
    const page = this.table.page(run);
    const at = this.table.offset(run) + WORDS;
    const most = 2 * Math.min(this.length(run), from.count - from.block);
    const first = 2 * from.block;
    let word = 2;
    while (word < most && page[at + word] === words[first + word] && page[at + word + 1] === words[first + word + 1]) {
      word += 2;
    }
    return word >>> 1;
  }

  /** A run of `length` blocks of the prompt from `start` on. A row must have been reserved. */
  create(parent: number, words: Uint32Array, span: Span): number {
    const run = this.table.take();
    this.table.set(run, PARENT, parent);
    this.table.set(run, SPAN, spanOf(span));
    this.table.set(run, FIRST_HOLDING, 0);
    this.table.set(run, HOLDING_COUNT, 0);
    this.#write(run, 0, words.subarray(2 * span.start, 2 * (span.start + span.length)));
    this.#add(run);
    return run;
  }

  /** Appends the prompt's next blocks to a run that ends where they begin. */
  extend(run: number, words: Uint32Array, blocks: number): void {
    const end = this.end(run);
    this.#write(run, this.length(run), words.subarray(2 * end, 2 * (end + blocks)));
    this.table.set(run, SPAN, this.table.get(run, SPAN) + blocks);
  }

  /** Cuts a run in two; the new one has its first `length` blocks, so that children keep their parent. Row reserved. */
  cut(run: number, length: number): number {
    const { table } = this;
    const start = this.start(run);
    const tokensPerBlock = this.tokensPerBlock(run);
    const own = table.page(run).slice(table.offset(run) + WORDS, table.offset(run) + STRIDE);
    const rest = this.length(run) - length;
    this.#hash.remove(run);
    const head = table.take();
    table.set(head, PARENT, this.parent(run));
    table.set(head, SPAN, spanOf({ start, length, tokensPerBlock }));
    table.set(head, FIRST_HOLDING, 0);
    table.set(head, HOLDING_COUNT, 0);
    this.#write(head, 0, own.subarray(0, 2 * length));
    this.#add(head);
    table.set(run, PARENT, head);
    table.set(run, SPAN, spanOf({ start: start + length, length: rest, tokensPerBlock }));
    this.#write(run, 0, own.subarray(2 * length, 2 * (length + rest)));
    this.#add(run);
    return head;
  }

  /** Takes a run out that nobody holds and that therefore has no children. */
  free(run: number): void {
    this.#hash.remove(run);
    this.table.give(run);
  }

  #add(run: number): void {
    this.#hash.add(run, this.#hashOf(this.table.get(run, WORDS), this.table.get(run, WORDS + 1)));
  }

  #write(run: number, block: number, words: Uint32Array): void {
    this.table.page(run).set(words, this.table.offset(run) + WORDS + 2 * block);
  }

  #hashOf(low: number, high: number): number {
    let hash = Math.imul(low ^ this.#seed, 0x9e37_79b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ high, 0x85eb_ca77);
    return (hash ^ (hash >>> 13)) >>> 0;
  }
}

function spanOf({ start, length, tokensPerBlock }: Span): number {
  const grains = Math.min(GRAIN_MASK, Math.max(1, Math.round(tokensPerBlock / GRAIN_TOKENS)));
  return ((start << START_SHIFT) | (grains << LENGTH_BITS) | length) >>> 0;
}

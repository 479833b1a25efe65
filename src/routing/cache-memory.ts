/**
 * What the caches of all workers hold, as a gateway can know it: predicted from where calls were sent, bounded by what
 * engines report of their caches, corrected by the cached tokens that answers report.
 *
 *   match ─► remember ─┬─► confirm   the answer came: the prompt is in the cache, and the prediction was right or wrong
 *                      └─► revoke    it did not: what this call alone was to bring is taken back
 *
 * Units  tokens as the gateway estimates them, workers by slot. Owner: one policy
 */
import type { Candidate } from '../domain/candidate.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import type { Usage } from '../domain/usage.ts';
import { CacheSize } from './cache-size.ts';
import { PrefixIndex } from './prefix-index/prefix-index.ts';

/** Where a cache begins to count as full, as a share of its size. */
const FULL_FROM = 0.8;
/** How much one answer moves the ratio of true to estimated tokens, and how far off it may ever be. */
const RATIO_STEP = 0.05;
const MOST_RATIO = 8;
/** From which part of the time for a whole prompt on nothing of it was cached; of shorter prompts time tells nothing. */
const WHOLE = 0.8;
const TELLING_TOKENS = 2_048;

/** A prompt sent to a worker. */
export interface Memory {
  readonly slot: number;
  readonly blocks: PromptBlocks;
  /** Blocks that the worker was believed to hold before. */
  readonly expected: number;
  /** Tokens that it has to compute, as far as that belief goes. */
  readonly uncached: number;
  /** Tokens that it took in since it used them last. */
  readonly distance: number;
  readonly mark: number;
  /** A new life of the cache has another one. */
  readonly size: CacheSize;
  /** The belief rests on prompts that were still being computed: no answer proves it wrong. */
  readonly isEarly: boolean;
}

export class CacheMemory {
  readonly #index: PrefixIndex;
  /** By slot. */
  readonly #sizes: (CacheSize | undefined)[] = [];
  /** By slot, 0 to 1: from a cache with room to one in which every token that comes in drives one out. */
  fullness = new Float64Array(64);
  /** True prompt tokens for each estimated one, by the size of blocks: texts are estimated, tokens are counted. */
  readonly #ratios = new Map<number, number>();

  constructor(maxBytes: number, seed: number) {
    this.#index = new PrefixIndex(maxBytes, seed);
  }

  /** Looks a prompt up for all workers. */
  match(blocks: PromptBlocks): void {
    this.#index.match(blocks);
  }

  /** By slot: blocks of the prompt looked up last that the worker holds. Another array after `reach`. */
  get held(): Uint32Array {
    return this.#index.held;
  }

  /** The most blocks of that prompt that any worker holds, a candidate or not. */
  get most(): number {
    return this.#index.most;
  }

  /** Makes `held` and `fullness` long enough for this slot. */
  reach(slot: number): void {
    this.#index.reach(slot);
    if (slot < this.fullness.length) return;
    const larger = new Float64Array(this.#index.held.length);
    larger.set(this.fullness);
    this.fullness = larger;
  }

  /** The prompt goes to this worker; `queued`: tokens that are still being computed there. */
  remember({ slot, report }: Candidate, blocks: PromptBlocks, queued: number): Memory {
    this.reach(slot);
    const size = (this.#sizes[slot] ??= new CacheSize());
    const { tokens, tokensPerBlock } = blocks;
    if (report?.capacityTokens) size.report(report.capacityTokens / this.#ratio(blocks));
    this.#index.setCapacity(slot, size.tokens);
    const expected = this.#index.hold(slot, blocks);
    const { distance, mark } = this.#index;
    const filled = this.#index.tokensIn(slot) / size.tokens;
    this.fullness[slot] = Math.min(1, Math.max(0, (filled - FULL_FROM) / (1 - FULL_FROM)));
    const uncached = Math.max(1, tokens - expected * tokensPerBlock);
    const isEarly = distance < queued;
    return { slot, blocks, expected, uncached, distance, mark, size, isEarly };
  }

  /** The prompt was computed; `measured`: how many tokens that was by the time it took, when somebody knows. */
  confirm(memory: Memory, usage: Usage | undefined, measured: number | undefined): void {
    const { slot, blocks, size } = memory;
    if (this.#sizes[slot] !== size) return;
    if (this.#learn(memory, usage, measured)) this.forget(slot);
    // An engine keeps what it works with: it was used just now, not when it was sent.
    this.#index.hold(slot, blocks);
  }

  /** The prompt was not computed. */
  revoke({ slot, blocks, size, expected, mark }: Memory): void {
    if (this.#sizes[slot] === size) this.#index.drop(slot, blocks, { keep: expected, mark });
  }

  /** The cache in this slot is empty, or the slot will be given to another worker. */
  forget(slot: number): void {
    this.#index.forget(slot);
    this.#sizes[slot] = undefined;
    if (slot < this.fullness.length) this.fullness[slot] = 0;
  }

  get bytesHeld(): number {
    return this.#index.bytesHeld;
  }

  /** True when the answers say that nothing is left of what the cache held. */
  #learn(memory: Memory, usage: Usage | undefined, measured: number | undefined): boolean {
    const { blocks, size, slot, expected, distance, isEarly } = memory;
    const ratio = usage ? usage.inputTokens / blocks.tokens : 0;
    if (ratio > 0) this.#learnRatio(blocks, ratio);
    if (isEarly || expected === 0) return false;
    const grain = blocks.tokensPerBlock;
    const known = { expected: expected * grain, grain, distance, held: this.#index.tokensIn(slot) };
    if (usage && ratio > 0) {
      const found = usage.cachedInputTokens / ratio;
      if (size.tells || found > 0) return size.learn({ ...known, found });
    }
    if (measured !== undefined) size.learnByTime({ ...known, found: this.#foundByTime(memory, measured) });
    return false;
  }

  /** Only what took about as long as the whole prompt, when little of it was to be computed, counts as not found. */
  #foundByTime({ blocks, uncached, expected }: Memory, measured: number): number {
    const isTelling = uncached < blocks.tokens / 2 && blocks.tokens - uncached > TELLING_TOKENS;
    return isTelling && measured > WHOLE * blocks.tokens ? 0 : expected * blocks.tokensPerBlock;
  }

  #ratio({ tokensPerBlock }: PromptBlocks): number {
    return this.#ratios.get(tokensPerBlock) ?? 1;
  }

  #learnRatio(blocks: PromptBlocks, seen: number): void {
    const before = this.#ratio(blocks);
    this.#ratios.set(blocks.tokensPerBlock, bounded(before + (seen - before) * RATIO_STEP));
  }
}

function bounded(ratio: number): number {
  return Math.min(MOST_RATIO, Math.max(1 / MOST_RATIO, ratio));
}

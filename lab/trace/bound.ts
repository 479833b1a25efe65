/**
 * The bounds that no placement can hope to pass: what one cache, shared by all workers, would find of a trace's prompts
 * when each call's blocks are there as soon as the next one arrives.
 */
import { PrefixCache } from '../../sim/core/prefix-cache.ts';
import type { Trace } from './call.ts';
import { numbersOf } from './words.ts';

/**
 * Share of all prompt tokens that one cache of `capacityTokens` finds (least recently used goes first). Infinity: the
 * ideal, which no policy can beat. A finite one is a yardstick only: other orders of eviction may do better.
 */
export function hitBound(trace: Trace, capacityTokens: number): number {
  const { blockSize } = trace;
  const cache = new PrefixCache(Math.floor(capacityTokens / blockSize));
  let hits = 0;
  let all = 0;
  for (const { words, promptBlocks, inputTokens, outputTokens } of trace.calls) {
    const blocks = numbersOf(words, words.length / 2);
    // As an engine: at least one prompt token is computed.
    const matched = cache.match(blocks, Math.min(promptBlocks, Math.floor((inputTokens - 1) / blockSize)));
    hits += matched * blockSize;
    all += inputTokens;
    const hold = cache.acquire(blocks, matched, Math.ceil((inputTokens + outputTokens) / blockSize));
    if (hold === undefined) continue;
    for (const block of blocks.slice(matched)) cache.share(hold, block);
    cache.release(hold);
  }
  return all === 0 ? 0 : hits / all;
}

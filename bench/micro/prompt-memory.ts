/**
 * What remembering prompts costs: bytes of the process, and the longest that one prompt has to wait for it.
 * Shapes  fillIndex(prompts, maxBytes) → Filled; timeFull(prompts, maxBytes, rounds) → Paused
 * Units   bytes, µs; prompts of 16 blocks, that is 8 KB of text, on 100 workers in turn; no two share a block
 */
import { performance } from 'node:perf_hooks';
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import { PrefixIndex } from '../../src/routing/prefix-index/prefix-index.ts';

const WORKERS = 100;
const BLOCKS = 16;
const SAMPLE = 101;
/** More than fit into the index that is to be full. */
const FILL = 1_100_000;

export interface Filled {
  readonly rssBytes: number;
  readonly heldBytes: number;
  /** Share of the prompts that is found whole, on the worker that had it and on no other. */
  readonly found: number;
}

export interface Paused {
  readonly meanUs: number;
  readonly p9999Us: number;
  readonly longestUs: number;
  readonly heldBytes: number;
  /** Share found of those that came last. */
  readonly found: number;
}

/** So many prompts into an index that has room for them. */
export function fillIndex(prompts: number, maxBytes: number): Filled {
  const before = settledRss();
  const index = new PrefixIndex(maxBytes, 1);
  fill(index, 0, prompts);
  return { rssBytes: settledRss() - before, heldBytes: index.bytesHeld, found: shareFound(index, 0, prompts) };
}

/** So many prompts more into an index that is full, each timed; of each the best of some rounds counts. */
export function timeFull(prompts: number, maxBytes: number, rounds: number): Paused {
  const best = new Float64Array(prompts).fill(Number.POSITIVE_INFINITY);
  const prompt = emptyPrompt();
  let last = new PrefixIndex(maxBytes, 1);
  for (let round = 0; round < rounds; round++) {
    const index = new PrefixIndex(maxBytes, 1);
    fill(index, 0, FILL);
    for (let i = 0; i < prompts; i++) {
      const each = promptAt(prompt, FILL + i);
      const startedAt = performance.now();
      index.hold((FILL + i) % WORKERS, each);
      best[i] = Math.min(best[i] as number, (performance.now() - startedAt) * 1_000);
    }
    last = index;
  }
  const found = shareFound(last, FILL, FILL + prompts);
  const meanUs = best.reduce((sum, each) => sum + each, 0) / prompts;
  best.sort();
  const at = (share: number) => best[Math.floor((prompts - 1) * share)] as number;
  return { meanUs, p9999Us: at(0.9999), longestUs: at(1), heldBytes: last.bytesHeld, found };
}

function fill(index: PrefixIndex, from: number, to: number): void {
  const prompt = emptyPrompt();
  for (let i = from; i < to; i++) index.hold(i % WORKERS, promptAt(prompt, i));
}

function emptyPrompt(): PromptBlocks {
  return { words: new Uint32Array(2 * BLOCKS), count: BLOCKS, tokensPerBlock: 128, tokens: 128 * BLOCKS };
}

function shareFound(index: PrefixIndex, from: number, to: number): number {
  const prompt = emptyPrompt();
  let asked = 0;
  let found = 0;
  for (let i = from; i < to; i += SAMPLE) {
    index.match(promptAt(prompt, i));
    const holders = index.held.reduce((count, held) => count + Number(held > 0), 0);
    asked += 1;
    if (index.held[i % WORKERS] === BLOCKS && holders === 1) found += 1;
  }
  return found / asked;
}

/** The prompt with this number, written into the words of another one. */
function promptAt(prompt: PromptBlocks, number: number): PromptBlocks {
  const { words } = prompt;
  for (let i = 0; i < words.length; i++) words[i] = mixed(number * words.length + i);
  return { ...prompt };
}

/** A number spread over 32 bits; different numbers below 2^32 give different ones. */
function mixed(number: number): number {
  let hash = number >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function settledRss(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

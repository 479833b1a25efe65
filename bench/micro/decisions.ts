/**
 * How long one decision of cache_aware takes, call by call. A third of the prompts is new, a third goes on from an
 * earlier one, a third is new behind a beginning that every worker has.
 * Shapes  timeDecisions(load, rounds) → Timing
 * Units   µs of select and begin, blocks given; calls end 64 calls later, outside of the time taken
 * Why     every round makes the same decisions; of each the best time counts, so that what other programs do to a
 *         shared machine drops out and what the decision itself costs, rarely or always, stays
 */
import { performance } from 'node:perf_hooks';
import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { CallWatch } from '../../src/domain/ports.ts';
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import { findPolicy } from '../../src/routing/policies/index.ts';
import type { Hints, Policy } from '../../src/routing/policy.ts';
import { LoadBook } from '../../src/workers/load.ts';

/** Bytes of canonical prompt text in one block, as the gateway cuts it. */
const BLOCK_BYTES = 512;
const TOKENS_PER_BLOCK = 128;
const HELD_CALLS = 64;
const SHARED_BLOCKS = 8;
const SESSIONS = 4_096;

export interface DecisionLoad {
  readonly name: string;
  readonly workers: number;
  readonly promptBytes: number;
  readonly decisions: number;
}

/** Microseconds. */
export interface Timing {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Of the last round alone, with all that the machine did meanwhile. */
  readonly rawP99: number;
}

export function timeDecisions(load: DecisionLoad, rounds: number): Timing {
  const times = new Float64Array(load.decisions).fill(Number.POSITIVE_INFINITY);
  const raw = new Float64Array(load.decisions);
  for (let round = 0; round < rounds; round++) {
    play(load, raw);
    raw.forEach((time, i) => {
      times[i] = Math.min(times[i] as number, time);
    });
  }
  times.sort();
  raw.sort();
  const at = (list: Float64Array, share: number) => list[Math.floor((list.length - 1) * share)] as number;
  return { p50: at(times, 0.5), p99: at(times, 0.99), max: at(times, 1), rawP99: at(raw, 0.99) };
}

function play({ workers, promptBytes, decisions }: DecisionLoad, times: Float64Array): void {
  let nowMs = 0;
  const policy = createCacheAware(() => nowMs);
  const candidates = candidatesOf(workers);
  const prompts = new Prompts(Math.floor(promptBytes / BLOCK_BYTES), seededRandom(7));
  const held: CallWatch[] = [];
  // As many again before, unmeasured: the code gets warm, and every worker gets the shared beginning.
  for (let call = -decisions; call < decisions; call++) {
    const hints = hintsOf(prompts.next());
    nowMs += 1;
    const startedAt = performance.now();
    const chosen = policy.select(candidates, hints) as Candidate;
    const watch = policy.begin?.(chosen, hints);
    if (call >= 0) times[call] = (performance.now() - startedAt) * 1_000;
    if (watch) held.push(watch);
    if (held.length > HELD_CALLS) end(held.shift());
  }
}

function createCacheAware(now: () => number): Policy {
  const definition = findPolicy('cache_aware');
  if (!definition) throw new Error('there is no policy cache_aware');
  return definition.create({}, { random: seededRandom(1), now });
}

function candidatesOf(count: number): Candidate[] {
  const book = new LoadBook();
  return Array.from({ length: count }, (_, index) => book.open(`worker-${index}`, { priority: 50, cost: 1 }));
}

function hintsOf(blocks: PromptBlocks): Hints {
  return { model: 'm', header: () => undefined, blocks: () => blocks, prefixHash: () => 0 };
}

function end(watch: CallWatch | undefined): void {
  watch?.firstContent();
  watch?.ended({ kind: 'success' }, undefined);
}

/** Prompts as blocks: in turns a new one, one turn more of an earlier one, and one that only shares the beginning. */
class Prompts {
  readonly #blocks: number;
  readonly #random: Random;
  readonly #sessions: Uint32Array[] = [];
  readonly #shared: Uint32Array;
  #count = 0;

  constructor(blocks: number, random: Random) {
    this.#blocks = blocks;
    this.#random = random;
    this.#shared = this.#words(SHARED_BLOCKS);
  }

  next(): PromptBlocks {
    this.#count += 1;
    const kind = this.#count % 3;
    if (kind === 0) return promptOf(this.#distinct());
    const session = this.#sessions[Math.floor(this.#random.next() * this.#sessions.length)];
    if (kind === 1 && session) return promptOf(Uint32Array.from([...session, ...this.#words(2)]));
    const fresh = this.#distinct();
    fresh.set(this.#shared.subarray(0, fresh.length));
    if (this.#sessions.length < SESSIONS) this.#sessions.push(fresh);
    return promptOf(fresh);
  }

  /** Words of a prompt that shares nothing with any other. */
  #distinct(): Uint32Array {
    return this.#words(this.#blocks);
  }

  #words(blocks: number): Uint32Array {
    const words = new Uint32Array(2 * blocks);
    for (let i = 0; i < words.length; i++) words[i] = Math.floor(this.#random.next() * 2 ** 32);
    return words;
  }
}

function promptOf(words: Uint32Array): PromptBlocks {
  const count = words.length / 2;
  return { words, count, tokensPerBlock: TOKENS_PER_BLOCK, tokens: count * TOKENS_PER_BLOCK + 40 };
}

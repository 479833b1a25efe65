/**
 * The yardstick: the cache-aware algorithm of the original gateway, for comparison in the laboratory only.
 * Facts   shared/reference/original-http.md §4.3; thresholds 0.3 / 64 / 1.5 are its defaults on the command line.
 *
 * Its tree matches characters; here the match is by block, as fine as traces tell. Its eviction (64 M characters for
 * each worker, every 2 minutes) is left out: no trace here comes near that.
 */
import type { Candidate } from '../src/domain/candidate.ts';
import { definePolicy, type Hints, type Policy } from '../src/routing/policy.ts';

interface Thresholds {
  readonly cacheThreshold: number;
  readonly balanceAbsThreshold: number;
  readonly balanceRelThreshold: number;
}

class OriginalCacheAware implements Policy {
  readonly #thresholds: Thresholds;
  /** The worker that each known beginning was last sent to. */
  readonly #lastTenant = new Map<number, string>();
  /** Calls given to each worker since the start. */
  readonly #processed = new Map<string, number>();

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    if (this.#isImbalanced(candidates)) return this.#leastLoaded(candidates);
    const { matched, tenant } = this.#match(hints);
    const { tokensPerBlock, tokens } = hints.blocks();
    if ((matched * tokensPerBlock) / tokens <= this.#thresholds.cacheThreshold) return this.#leastLoaded(candidates);
    return candidates.find(({ workerId }) => workerId === tenant) ?? candidates[0];
  }

  begin({ workerId }: Candidate, hints: Hints): undefined {
    this.#processed.set(workerId, (this.#processed.get(workerId) ?? 0) + 1);
    const { words, count } = hints.blocks();
    for (let index = 0; index < count; index++) this.#lastTenant.set(keyOf(words, index), workerId);
  }

  #isImbalanced(candidates: readonly Candidate[]): boolean {
    const loads = candidates.map(({ inFlight }) => inFlight);
    const [least, most] = [Math.min(...loads), Math.max(...loads)];
    const { balanceAbsThreshold, balanceRelThreshold } = this.#thresholds;
    return most - least > balanceAbsThreshold && most > balanceRelThreshold * least;
  }

  /** Ties go to the worker that was given fewer calls, then to the first in the list. */
  #leastLoaded(candidates: readonly Candidate[]): Candidate | undefined {
    const processed = ({ workerId }: Candidate) => this.#processed.get(workerId) ?? 0;
    const order = candidates.toSorted((a, b) => a.inFlight - b.inFlight || processed(a) - processed(b));
    return order[0];
  }

  #match(hints: Hints): { readonly matched: number; readonly tenant: string | undefined } {
    const { words, count } = hints.blocks();
    let matched = 0;
    let tenant: string | undefined;
    for (; matched < count; matched++) {
      const next = this.#lastTenant.get(keyOf(words, matched));
      if (next === undefined) break;
      tenant = next;
    }
    return { matched, tenant };
  }

  get bytesHeld(): number {
    return this.#lastTenant.size * 48;
  }
}

function keyOf(words: Uint32Array, index: number): number {
  return (words[2 * index] as number) * 0x20_0000 + ((words[2 * index + 1] as number) >>> 11);
}

export default definePolicy({
  name: 'original_cache_aware',
  summary: "The original's cache-aware algorithm; for comparison only.",
  options: {
    cacheThreshold: {
      kind: 'decimal',
      min: 0,
      max: 1,
      default: 0.3,
      doc: 'Least share of the prompt that must match.',
    },
    balanceAbsThreshold: { kind: 'whole', min: 0, default: 64, doc: 'Least difference of loads that counts.' },
    balanceRelThreshold: { kind: 'decimal', min: 1, default: 1.5, doc: 'Least ratio of loads that counts.' },
  },
  create: (options) => new OriginalCacheAware(options),
});

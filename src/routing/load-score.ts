/**
 * How loaded is a worker, for the policies that compare? By its calls in flight, those of others included, and by what
 * its engine reports beyond them. Always weighed by cost.
 * Units  seconds until one call more would have its first token
 */
import type { Random } from '../base/random.ts';
import type { Candidate, LoadReport } from '../domain/candidate.ts';
import type { OptionValues, PolicyOptions } from './policy.ts';

/** Load that the candidate would have with one call more, weighed by its cost. */
export function weighedLoad(candidate: Candidate): number {
  return (candidate.load + 1) * candidate.cost;
}

/** The candidate with the least weight; ties are spread by lot. Cost O(candidates), no list is made. */
export function leastOf(
  candidates: readonly Candidate[],
  weightOf: (candidate: Candidate, index: number) => number,
  random: Random,
): Candidate | undefined {
  let best: Candidate | undefined;
  let bestWeight = Number.POSITIVE_INFINITY;
  let ties = 0;
  let index = 0;
  for (const candidate of candidates) {
    const weight = weightOf(candidate, index);
    index += 1;
    if (weight < bestWeight) {
      best = candidate;
      bestWeight = weight;
      ties = 1;
    } else if (weight === bestWeight) {
      // Reservoir of one: each of k tied workers stays with probability 1/k.
      ties += 1;
      if (random.next() * ties < 1) best = candidate;
    }
  }
  return best;
}

/** Options of every policy that compares by this score. */
export const loadScoreOptions = {
  leastLoadKvPressureWeight: {
    kind: 'decimal',
    min: 0,
    default: 0.15,
    doc: 'Seconds that a half full KV cache counts for; a fuller one counts for more and more.',
  },
  leastLoadDefaultThroughput: {
    kind: 'decimal',
    min: 1,
    default: 2000,
    doc: 'Tokens per second that an engine is expected to compute unless it reports more.',
  },
  leastLoadMeanPrefillTokens: {
    kind: 'decimal',
    min: 1,
    default: 1024,
    doc: 'Prompt tokens that a call is expected to have where nobody has counted them.',
  },
} as const satisfies PolicyOptions;

/** Pressure of a full cache is large, not infinite. */
const FULLEST = 0.999;

/**
 * Prompts that waited when a report came are computed this much faster than the throughput says, which is that of
 * answers. Found in the laboratory: slower, and what has long been done drives calls away; see the guide to policies.
 */
const PREFILL_FACTOR = 4;

export class LoadScore {
  readonly #pressureWeight: number;
  readonly #throughput: number;
  readonly #meanTokens: number;

  constructor(options: OptionValues<typeof loadScoreOptions>) {
    this.#pressureWeight = options.leastLoadKvPressureWeight;
    this.#throughput = options.leastLoadDefaultThroughput;
    this.#meanTokens = options.leastLoadMeanPrefillTokens;
  }

  /**
   * Seconds until one call more would have its first token, weighed by cost. Counts are never stale and a report always
   * is: prompt tokens that waited when it came count as far as they exceed what the calls in flight stand for, and only
   * until they would have been computed.
   */
  seconds({ load, cost, report }: Candidate, nowMs: number): number {
    const counted = load * this.#meanTokens;
    const tokens = Math.max(counted, report === undefined ? 0 : this.#stillWaiting(report, nowMs)) + this.#meanTokens;
    return (tokens / this.#throughput + (report === undefined ? 0 : this.#pressure(report))) * cost;
  }

  explain(candidate: Candidate, nowMs: number): string {
    const source = candidate.report === undefined ? 'by calls in flight' : 'by calls in flight and report';
    return `${source}, wait ${this.seconds(candidate, nowMs).toFixed(3)} s`;
  }

  #stillWaiting({ waitingTokens, waiting, atMs }: LoadReport, nowMs: number): number {
    const then = waitingTokens ?? waiting * this.#meanTokens;
    if (then === 0) return 0;
    return then - (PREFILL_FACTOR * this.#throughput * (nowMs - atMs)) / 1_000;
  }

  #pressure({ usedTokens, capacityTokens }: LoadReport): number {
    if (usedTokens === undefined || capacityTokens === undefined || capacityTokens <= 0) return 0;
    const full = Math.min(FULLEST, Math.max(0, usedTokens / capacityTokens));
    return (this.#pressureWeight * full) / (1 - full);
  }
}

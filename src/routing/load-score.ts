/**
 * How loaded is a worker, for the policies that compare? By what its engine reports, where it reports; else by calls in
 * flight. Always weighed by cost.
 * Units  seconds until one call more would have its first token, where an engine reports; else calls
 * Owner  one policy instance: for each slot, the calls placed since the engine's last report
 */
import type { Random } from '../base/random.ts';
import type { Candidate, LoadReport } from '../domain/candidate.ts';
import type { CallWatch } from '../domain/ports.ts';
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

/** What a report has to hold to be compared. */
type UsableReport = LoadReport & { readonly usedTokens: number; readonly capacityTokens: number };

function isUsable(report: LoadReport | undefined): report is UsableReport {
  return report?.usedTokens !== undefined && report.capacityTokens !== undefined && report.capacityTokens > 0;
}

/** A newer report gets a new one, so that the watches of older calls count in what nobody reads any more. */
interface Placed {
  readonly sinceMs: number;
  calls: number;
}

export class LoadScore {
  readonly #pressureWeight: number;
  readonly #throughput: number;
  readonly #meanTokens: number;
  /** By slot: the calls placed since the engine's last report that wait for their first token. */
  readonly #placed: (Placed | undefined)[] = [];

  constructor(options: OptionValues<typeof loadScoreOptions>) {
    this.#pressureWeight = options.leastLoadKvPressureWeight;
    this.#throughput = options.leastLoadDefaultThroughput;
    this.#meanTokens = options.leastLoadMeanPrefillTokens;
  }

  /**
   * Seconds until one call more would have its first token, weighed by cost; NaN for a worker without a usable report.
   * A report knows the calls that came before it, so that only those placed since are added.
   */
  seconds({ slot, cost, report }: Candidate): number {
    if (!isUsable(report)) return Number.NaN;
    const mean = this.#meanTokens;
    const placed = this.#placed[slot];
    const later = placed?.sinceMs === report.atMs ? placed.calls : 0;
    const tokens = (report.waitingTokens ?? report.waiting * mean) + (later + 1) * mean;
    // An engine that has little to do reports a low throughput: only a high one says what it is able to do.
    const throughput = Math.max(report.throughput ?? 0, this.#throughput);
    const full = Math.min(FULLEST, Math.max(0, report.usedTokens / report.capacityTokens));
    return (tokens / throughput + (this.#pressureWeight * full) / (1 - full)) * cost;
  }

  /**
   * A call goes to this worker now. Only calls on workers that report are counted; the watch takes the call out when its
   * prompt has been computed, unless a newer report has done so.
   */
  begin({ slot, report }: Candidate): CallWatch | undefined {
    if (!isUsable(report)) return undefined;
    let placed = this.#placed[slot];
    if (placed?.sinceMs !== report.atMs) {
      placed = { sinceMs: report.atMs, calls: 0 };
      this.#placed[slot] = placed;
    }
    placed.calls += 1;
    const counted = placed;
    let waits = true;
    const takeOut = () => {
      if (waits) counted.calls -= 1;
      waits = false;
    };
    return { firstContent: takeOut, ended: takeOut };
  }

  forget({ slot }: Candidate): void {
    this.#placed[slot] = undefined;
  }

  explain(candidate: Candidate): string {
    const seconds = this.seconds(candidate);
    return Number.isNaN(seconds) ? 'by calls in flight' : `by report, wait ${seconds.toFixed(3)} s`;
  }
}

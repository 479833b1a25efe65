/**
 * `bucket`: prompts of like length go to the same worker, so that short ones do not wait behind long ones.
 *
 * Workers divide the lengths among them in their stable order: the first gets the shortest prompts, the last the
 * longest, each a range with the same amount of work (prompt tokens), or half of it at cost 2. The ranges follow the
 * prompts of the last seconds: a histogram of work by length that fades by half in each interval. Lengths too alike to
 * be told apart share their ranges by lot. When the worker of the range has much more prompt work before it than the
 * least busy one, that one serves instead.
 */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { CallWatch } from '../../domain/ports.ts';
import { leastOf } from '../load-score.ts';
import type { Hints, OptionValues, Policy, PolicyDeps } from '../policy.ts';
import { definePolicy } from '../policy.ts';

const options = {
  bucketAdjustIntervalSecs: {
    kind: 'seconds',
    min: 0.1,
    default: 5,
    doc: 'In this time the prompts seen so far fade by half, so that the ranges follow the newer ones.',
  },
  bucketBalanceAbsTokens: {
    kind: 'whole',
    min: 0,
    default: 8192,
    doc: 'Prompt tokens that the worker of a range may have before it beyond those of the least busy one, whatever the ratio.',
  },
  bucketBalanceRel: {
    kind: 'decimal',
    min: 1,
    default: 1.5,
    doc: 'How many times the prompt tokens of the least busy worker it may have before it, whatever the difference.',
  },
} as const;

/** Eight for each doubling of the length, up to four million tokens. */
const BINS_PER_DOUBLING = 8;
const BINS = 22 * BINS_PER_DOUBLING;
/** More than 64 halvings leave nothing. */
const FORGOTTEN_AFTER = 64;

function binOf(tokens: number): number {
  return Math.min(BINS - 1, Math.floor(Math.log2(Math.max(1, tokens)) * BINS_PER_DOUBLING));
}

class Bucket implements Policy {
  readonly #options: OptionValues<typeof options>;
  readonly #random: Random;
  readonly #now: () => number;
  /** Work by length: tokens of the prompts seen, faded. */
  readonly #bins = new Float64Array(BINS);
  #work = 0;
  #fadedAtMs: number;
  /** By slot: prompt tokens that wait to be computed. */
  readonly #pending: (Pending | undefined)[] = [];

  constructor(values: OptionValues<typeof options>, deps: PolicyDeps) {
    this.#options = values;
    this.#random = deps.random;
    this.#now = () => deps.now();
    this.#fadedAtMs = deps.now();
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    this.#fade();
    const own = this.#ofRange(candidates, this.#place(hints.blocks().tokens));
    // Whoever has so little before it never yields, and the others need not be looked at.
    if (!own || this.#busy(own) <= this.#options.bucketBalanceAbsTokens) return own;
    const least = leastOf(candidates, (each) => this.#busy(each), this.#random);
    return least && this.#isTooBusy(own, least) ? least : own;
  }

  begin({ slot }: Candidate, hints: Hints): CallWatch {
    const { tokens } = hints.blocks();
    this.#fade();
    this.#bins[binOf(tokens)] = (this.#bins[binOf(tokens)] ?? 0) + tokens;
    this.#work += tokens;
    const pending = this.#pending[slot] ?? { tokens: 0 };
    this.#pending[slot] = pending;
    pending.tokens += tokens;
    let waits = true;
    const takeOut = () => {
      if (waits) pending.tokens -= tokens;
      waits = false;
    };
    return { firstContent: takeOut, ended: takeOut };
  }

  explain(candidate: Candidate, hints: Hints): string {
    return `prompt of ${hints.blocks().tokens} tokens, ${this.#busy(candidate)} before it`;
  }

  forget({ slot }: Candidate): void {
    this.#pending[slot] = undefined;
  }

  /** Where the length stands among the work seen, 0 to 1; by lot within the share of its bin. */
  #place(tokens: number): number {
    const lot = this.#random.next();
    if (this.#work <= 0) return lot;
    const own = binOf(tokens);
    let below = 0;
    for (let i = 0; i < own; i += 1) below += this.#bins[i] ?? 0;
    return (below + lot * (this.#bins[own] ?? 0)) / this.#work;
  }

  /** The candidate whose range holds this place; ranges are as wide as 1 / cost. */
  #ofRange(candidates: readonly Candidate[], place: number): Candidate | undefined {
    let width = 0;
    for (const { cost } of candidates) width += 1 / cost;
    let rest = place * width;
    for (const candidate of candidates) {
      rest -= 1 / candidate.cost;
      if (rest < 0) return candidate;
    }
    return candidates.at(-1);
  }

  #isTooBusy(own: Candidate, least: Candidate): boolean {
    const { bucketBalanceAbsTokens, bucketBalanceRel } = this.#options;
    const busy = this.#busy(own);
    return busy - this.#busy(least) > bucketBalanceAbsTokens && busy > this.#busy(least) * bucketBalanceRel;
  }

  #busy({ slot, cost }: Candidate): number {
    return (this.#pending[slot]?.tokens ?? 0) * cost;
  }

  #fade(): void {
    const intervalMs = this.#options.bucketAdjustIntervalSecs * 1_000;
    const halvings = Math.floor((this.#now() - this.#fadedAtMs) / intervalMs);
    if (halvings < 1) return;
    this.#fadedAtMs += halvings * intervalMs;
    const left = halvings > FORGOTTEN_AFTER ? 0 : 2 ** -halvings;
    this.#work = 0;
    for (let i = 0; i < BINS; i += 1) {
      this.#bins[i] = (this.#bins[i] ?? 0) * left;
      this.#work += this.#bins[i] ?? 0;
    }
  }
}

/** Watches of a worker that has left count here still, where nobody reads any more. */
interface Pending {
  tokens: number;
}

export default definePolicy({
  name: 'bucket',
  summary: 'By length of the prompt: each worker has a range of lengths that follows the traffic.',
  options,
  create: (values, deps) => new Bucket(values, deps),
});

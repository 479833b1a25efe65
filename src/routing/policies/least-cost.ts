/**
 * `least_cost`: the cheapest worker, until it has so many calls more than the least loaded one that the balance
 * thresholds are exceeded; then the next cheapest. Among workers of one cost the least loaded, ties by lot.
 */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { balanceOptions, isBalanced } from '../balance.ts';
import type { OptionValues, Policy } from '../policy.ts';
import { definePolicy } from '../policy.ts';

class LeastCost implements Policy {
  readonly #options: OptionValues<typeof balanceOptions>;
  readonly #random: Random;

  constructor(options: OptionValues<typeof balanceOptions>, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  select(candidates: readonly Candidate[]): Candidate | undefined {
    let least = Number.POSITIVE_INFINITY;
    for (const { load } of candidates) if (load < least) least = load;
    let best: Candidate | undefined;
    let ties = 0;
    for (const candidate of candidates) {
      if (!isBalanced(candidate.load, least, this.#options)) continue;
      const order = best === undefined ? -1 : candidate.cost - best.cost || candidate.load - best.load;
      if (order > 0) continue;
      ties = order === 0 ? ties + 1 : 1;
      // Reservoir of one: each of k tied workers stays with probability 1/k.
      if (order < 0 || this.#random.next() * ties < 1) best = candidate;
    }
    return best;
  }

  explain({ cost }: Candidate): string {
    return `cheapest with room, cost ${cost}`;
  }
}

export default definePolicy({
  name: 'least_cost',
  summary: 'The cheapest worker until its load exceeds the balance thresholds, then the next cheapest.',
  options: balanceOptions,
  create: (options, { random }) => new LeastCost(options, random),
});

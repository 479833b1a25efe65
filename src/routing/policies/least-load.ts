/** `least_load`: the worker with the least load per capacity; ties are spread by lot. */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { definePolicy } from '../policy.ts';

/** Load that the candidate would have with one call more, weighed by its cost. */
export function weighedLoad(candidate: Candidate): number {
  return (candidate.load + 1) * candidate.cost;
}

function leastLoaded(candidates: readonly Candidate[], random: Random): Candidate | undefined {
  let best: Candidate | undefined;
  let bestLoad = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const candidate of candidates) {
    const load = weighedLoad(candidate);
    if (load < bestLoad) {
      best = candidate;
      bestLoad = load;
      ties = 1;
    } else if (load === bestLoad) {
      // Reservoir of one: each of k tied workers stays with probability 1/k, without a list of them.
      ties += 1;
      if (random.next() * ties < 1) best = candidate;
    }
  }
  return best;
}

export default definePolicy({
  name: 'least_load',
  summary: 'The worker with the fewest calls in flight, weighed by cost.',
  options: {},
  create: (_options, { random }) => ({ select: (candidates) => leastLoaded(candidates, random) }),
});

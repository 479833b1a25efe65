/** `random`: by lot, weighted by cost: a worker of cost 2 is drawn half as often as one of cost 1. */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { definePolicy } from '../policy.ts';

/** Draws one candidate with probability proportional to 1 / cost. Cost O(candidates). */
export function drawByCost(candidates: readonly Candidate[], random: Random): Candidate | undefined {
  let total = 0;
  for (const candidate of candidates) total += 1 / candidate.cost;
  let rest = random.next() * total;
  for (const candidate of candidates) {
    rest -= 1 / candidate.cost;
    if (rest < 0) return candidate;
  }
  return candidates[candidates.length - 1];
}

export default definePolicy({
  name: 'random',
  summary: 'A worker by lot; cost lowers its chance.',
  options: {},
  create: (_options, { random }) => ({
    select: (candidates) => drawByCost(candidates, random),
    explain: () => 'by lot',
  }),
});

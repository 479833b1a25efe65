/**
 * `round_robin`: each in turn, smoothly weighted by cost.
 * Every worker earns 1/cost of credit per turn and the richest one pays for the call, so that the turns of a cheap
 * worker are spread out instead of bunched (the smooth weighted round robin known from nginx).
 */
import type { Candidate } from '../../domain/candidate.ts';
import { definePolicy } from '../policy.ts';
import type { Policy } from '../policy.ts';

class RoundRobin implements Policy {
  readonly #credit = new Map<string, number>();

  select(candidates: readonly Candidate[]): Candidate | undefined {
    let best: Candidate | undefined;
    let bestCredit = Number.NEGATIVE_INFINITY;
    let turn = 0;
    for (const candidate of candidates) {
      const weight = 1 / candidate.cost;
      const credit = (this.#credit.get(candidate.workerId) ?? 0) + weight;
      turn += weight;
      this.#credit.set(candidate.workerId, credit);
      if (credit > bestCredit + 1e-9) {
        best = candidate;
        bestCredit = credit;
      }
    }
    if (best) this.#credit.set(best.workerId, bestCredit - turn);
    return best;
  }

  forget({ workerId }: Candidate): void {
    this.#credit.delete(workerId);
  }
}

export default definePolicy({
  name: 'round_robin',
  summary: 'Each worker in turn, in proportion to 1 / cost.',
  options: {},
  create: () => new RoundRobin(),
});

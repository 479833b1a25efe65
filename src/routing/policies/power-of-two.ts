/** `power_of_two`: two workers by lot, the less loaded of them serves. Spreads well without looking at all. */
import { randomInteger } from '../../base/random.ts';
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { CallWatch } from '../../domain/ports.ts';
import { LoadScore, loadScoreOptions, weighedLoad } from '../load-score.ts';
import type { OptionValues, Policy } from '../policy.ts';
import { definePolicy } from '../policy.ts';

class PowerOfTwo implements Policy {
  readonly #score: LoadScore;
  readonly #random: Random;

  constructor(options: OptionValues<typeof loadScoreOptions>, random: Random) {
    this.#score = new LoadScore(options);
    this.#random = random;
  }

  select(candidates: readonly Candidate[]): Candidate | undefined {
    if (candidates.length < 2) return candidates[0];
    const first = randomInteger(this.#random, candidates.length);
    // The second draw skips the first one: two different workers, each pair equally likely.
    const draw = randomInteger(this.#random, candidates.length - 1);
    const a = candidates[first];
    const b = candidates[draw < first ? draw : draw + 1];
    if (!a || !b) return a ?? b;
    return this.#isLess(b, a) ? b : a;
  }

  begin(candidate: Candidate): CallWatch | undefined {
    return this.#score.begin(candidate);
  }

  explain(candidate: Candidate): string {
    return `two by lot, ${this.#score.explain(candidate)}`;
  }

  forget(candidate: Candidate): void {
    this.#score.forget(candidate);
  }

  /** Like is compared with like: reports when both have one, else calls in flight. */
  #isLess(b: Candidate, a: Candidate): boolean {
    const difference = this.#score.seconds(b) - this.#score.seconds(a);
    return Number.isNaN(difference) ? weighedLoad(b) < weighedLoad(a) : difference < 0;
  }
}

export default definePolicy({
  name: 'power_of_two',
  summary: 'The less loaded of two workers drawn by lot; load as in least_load.',
  options: loadScoreOptions,
  create: (options, { random }) => new PowerOfTwo(options, random),
});

/**
 * `least_load`: the worker that would have one call more done soonest, as far as engines report; else the one with the
 * fewest calls in flight. Weighed by cost, ties are spread by lot.
 */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { CallWatch } from '../../domain/ports.ts';
import { leastOf, LoadScore, loadScoreOptions, weighedLoad } from '../load-score.ts';
import type { OptionValues, Policy } from '../policy.ts';
import { definePolicy } from '../policy.ts';

class LeastLoad implements Policy {
  readonly #score: LoadScore;
  readonly #random: Random;
  /** Of the candidates of the choice that is being made: found once, read twice. */
  readonly #seconds: number[] = [];

  constructor(options: OptionValues<typeof loadScoreOptions>, random: Random) {
    this.#score = new LoadScore(options);
    this.#random = random;
  }

  select(candidates: readonly Candidate[]): Candidate | undefined {
    const perCall = this.#weigh(candidates);
    if (Number.isNaN(perCall)) return leastOf(candidates, weighedLoad, this.#random);
    const weightOf = (candidate: Candidate, index: number) => {
      const seconds = this.#seconds[index] ?? Number.NaN;
      return Number.isNaN(seconds) ? weighedLoad(candidate) * perCall : seconds;
    };
    return leastOf(candidates, weightOf, this.#random);
  }

  begin(candidate: Candidate): CallWatch | undefined {
    return this.#score.begin(candidate);
  }

  explain(candidate: Candidate): string {
    return this.#score.explain(candidate);
  }

  forget(candidate: Candidate): void {
    this.#score.forget(candidate);
  }

  /**
   * In a mixed pool a call on a worker that says nothing weighs what a call weighs on those that report, on average: the
   * two kinds then compare as fairly as counts do. Gives these seconds for each call, NaN when nobody reports.
   */
  #weigh(candidates: readonly Candidate[]): number {
    let sum = 0;
    let calls = 0;
    let index = 0;
    for (const candidate of candidates) {
      const seconds = this.#score.seconds(candidate);
      this.#seconds[index] = seconds;
      index += 1;
      if (Number.isNaN(seconds)) continue;
      sum += seconds;
      calls += weighedLoad(candidate);
    }
    return sum / calls;
  }
}

export default definePolicy({
  name: 'least_load',
  summary: 'The least loaded worker, by engine reports where there are any, else by calls in flight; weighed by cost.',
  options: loadScoreOptions,
  create: (options, { random }) => new LeastLoad(options, random),
});

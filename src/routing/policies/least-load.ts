/**
 * `least_load`: the worker that would have one call more done soonest, by calls in flight and by what engines report
 * beyond them. Weighed by cost, ties are spread by lot.
 */
import { leastOf, LoadScore, loadScoreOptions } from '../load-score.ts';
import { definePolicy } from '../policy.ts';

export default definePolicy({
  name: 'least_load',
  summary: 'The least loaded worker, by calls in flight and what engines report beyond them; weighed by cost.',
  options: loadScoreOptions,
  create: (options, deps) => {
    const score = new LoadScore(options);
    return {
      select(candidates) {
        // Asking for the time costs more than a score.
        const nowMs = deps.now();
        return leastOf(candidates, (candidate) => score.seconds(candidate, nowMs), deps.random);
      },
      explain: (candidate) => score.explain(candidate, deps.now()),
    };
  },
});

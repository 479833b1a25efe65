/** `power_of_two`: two workers by lot, the less loaded of them serves. Spreads well without looking at all. */
import { randomInteger } from '../../base/random.ts';
import { LoadScore, loadScoreOptions } from '../load-score.ts';
import { definePolicy } from '../policy.ts';

export default definePolicy({
  name: 'power_of_two',
  summary: 'The less loaded of two workers drawn by lot; load as in least_load.',
  options: loadScoreOptions,
  create: (options, deps) => {
    const score = new LoadScore(options);
    return {
      select(candidates) {
        if (candidates.length < 2) return candidates[0];
        const first = randomInteger(deps.random, candidates.length);
        // The second draw skips the first one: two different workers, each pair equally likely.
        const draw = randomInteger(deps.random, candidates.length - 1);
        const a = candidates[first];
        const b = candidates[draw < first ? draw : draw + 1];
        if (!a || !b) return a ?? b;
        const nowMs = deps.now();
        return score.seconds(b, nowMs) < score.seconds(a, nowMs) ? b : a;
      },
      explain: (candidate) => `two by lot, ${score.explain(candidate, deps.now())}`,
    };
  },
});

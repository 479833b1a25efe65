/** `power_of_two`: two workers by lot, the less loaded of them serves. Spreads well without looking at all. */
import { randomInteger } from '../../base/random.ts';
import { definePolicy } from '../policy.ts';
import { weighedLoad } from './least-load.ts';

export default definePolicy({
  name: 'power_of_two',
  summary: 'The less loaded of two workers drawn by lot.',
  options: {},
  create: (_options, { random }) => ({
    select(candidates) {
      if (candidates.length < 2) return candidates[0];
      const first = randomInteger(random, candidates.length);
      // The second draw skips the first one: two different workers, each pair equally likely.
      const draw = randomInteger(random, candidates.length - 1);
      const a = candidates[first];
      const b = candidates[draw < first ? draw : draw + 1];
      if (!a || !b) return a ?? b;
      return weighedLoad(b) < weighedLoad(a) ? b : a;
    },
  }),
});

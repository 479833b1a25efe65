/** `passthrough`: always the first worker that can serve; for a pool of one. */
import { definePolicy } from '../policy.ts';

export default definePolicy({
  name: 'passthrough',
  summary: 'The first worker that can take the call, in the order given.',
  options: {},
  create: () => ({ select: (candidates) => candidates[0], explain: () => 'first in order' }),
});

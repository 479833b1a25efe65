/** What the engine says of itself, by its own endpoints; nothing of it is needed to serve. */
import type { Step } from './step.ts';

export const readMetadata: Step = {
  name: 'read_metadata',
  run: async ({ questions }, { profile }) => ({ metadata: await profile.readMetadata(questions) }),
};

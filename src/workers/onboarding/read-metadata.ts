/** What the engine says of itself, by its own endpoints, and which APIs it lacks; nothing of it is needed to serve. */
import { findLacks } from './find-lacks.ts';
import type { Step } from './step.ts';

export const readMetadata: Step = {
  name: 'read_metadata',
  run: async (round, { profile }) => {
    const [metadata, lacks] = await Promise.all([profile.readMetadata(round.questions), findLacks(round, profile)]);
    return { metadata, lacks };
  },
};

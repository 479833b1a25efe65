/** No engine at all: the API of a provider, of which nothing is asked but its models. */
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA } from './engine-profile.ts';

export const external: EngineProfile = {
  engine: 'external',
  owners: [],
  signs: [],
  readMetadata: () => Promise.resolve(NO_METADATA),
};

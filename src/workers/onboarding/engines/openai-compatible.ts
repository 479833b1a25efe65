/** Anything else that speaks OpenAI's API: known by its list of models alone. */
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA } from './engine-profile.ts';

export const openaiCompatible: EngineProfile = {
  engine: 'openai-compatible',
  owners: [],
  signs: [],
  readMetadata: () => Promise.resolve(NO_METADATA),
};

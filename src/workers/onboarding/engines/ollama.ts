/** Ollama: version and local models under /api; it has no health path, so its list of models stands for it. */
import { asArray, asObject, objectOf, textAt } from '../../read-json.ts';
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA, versionWithin } from './engine-profile.ts';

export const ollama: EngineProfile = {
  engine: 'ollama',
  owners: ['library'],
  signs: [
    { path: '/api/version', isShownBy: (reply) => textAt(objectOf(reply), 'version') !== undefined },
    { path: '/', isShownBy: (reply) => reply.text.trim() === 'Ollama is running' },
  ],
  readMetadata: async (questions) => {
    const version = objectOf(await questions.tryAsk('/api/version'));
    return { ...NO_METADATA, version: versionWithin(textAt(version, 'version')) };
  },
  listModels: async (questions) => {
    const tags = asArray(objectOf(await questions.tryAsk('/api/tags'))['models']);
    return tags.flatMap((tag) => textAt(asObject(tag) ?? {}, 'name') ?? []);
  },
};

/**
 * TensorRT-LLM (trtllm-serve): health, version and models, and nothing more that could be read without harm: what it
 * offers at /metrics is taken away from whoever reads it next.
 */
import { objectOf, textAt } from '../../read-json.ts';
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA, versionWithin } from './engine-profile.ts';

export const trtllm: EngineProfile = {
  engine: 'trtllm',
  owners: ['tensorrt_llm'],
  signs: [],
  readMetadata: async (questions) => {
    const version = objectOf(await questions.tryAsk('/version'));
    return { ...NO_METADATA, version: versionWithin(textAt(version, 'version')) };
  },
};

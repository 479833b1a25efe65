/** The llama.cpp server: its properties name the model's file, the slots, and the context that each slot has. */
import { labelsFrom } from '../labels.ts';
import { asObject, countAt, objectOf, textAt } from '../../read-json.ts';
import type { EngineProfile } from './engine-profile.ts';
import { NO_METADATA, versionWithin } from './engine-profile.ts';

export const llamaCpp: EngineProfile = {
  engine: 'llama_cpp',
  owners: ['llamacpp'],
  signs: [{ path: '/props', isShownBy: (reply) => 'default_generation_settings' in objectOf(reply) }],
  readMetadata: async (questions) => {
    const props = objectOf(await questions.tryAsk('/props'));
    const settings = asObject(props['default_generation_settings']) ?? {};
    return {
      ...NO_METADATA,
      version: versionWithin(textAt(props, 'build_info')),
      contextLength: countAt(settings, 'n_ctx'),
      maxRunning: countAt(props, 'total_slots'),
      labels: labelsFrom(props, ['model_path', 'model_alias', 'total_slots']),
    };
  },
};

/** vLLM: version, and from its metrics the start of the process, the KV cache and the data-parallel engines. */
import { readMetrics } from '../../load-reports/metrics-text.ts';
import { vllmFacts } from '../../load-reports/vllm.ts';
import { instanceOf } from '../../instance.ts';
import { labelsFrom } from '../labels.ts';
import { readModelList } from '../model-list.ts';
import { isOk, objectOf, textAt } from '../../read-json.ts';
import { MODELS_PATH } from '../step.ts';
import type { EngineProfile } from './engine-profile.ts';
import { ranksWithin, versionWithin } from './engine-profile.ts';

export const vllm: EngineProfile = {
  engine: 'vllm',
  owners: ['vllm'],
  signs: [{ path: '/version', isShownBy: (reply) => textAt(objectOf(reply), 'version') !== undefined }],
  readMetadata: async (questions) => {
    const [version, metrics, models] = await Promise.all([
      questions.tryAsk('/version'),
      questions.tryAsk('/metrics'),
      questions.tryAsk(MODELS_PATH),
    ]);
    const told = vllmFacts(readMetrics(metrics && isOk(metrics) ? metrics.text : ''));
    const { root, contextLength } = readModelList(models);
    const labels = { model_path: root, context_length: contextLength, dp_size: told.ranks, block_size: told.blockSize };
    return {
      version: versionWithin(textAt(objectOf(version), 'version')),
      contextLength,
      maxRunning: undefined,
      capacityTokens: told.capacityTokens,
      dataParallelSize: ranksWithin(told.ranks),
      instance: instanceOf({ start: told.startedAt }),
      labels: labelsFrom(labels, Object.keys(labels)),
    };
  },
};

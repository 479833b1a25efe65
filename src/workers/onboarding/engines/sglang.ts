/**
 * SGLang. Its server info has every argument that it was started with, also keys: facts and labels are picked by name.
 * Source  SGLang http_server.py: /server_info and /model_info, before 0.5.4 /get_server_info and /get_model_info.
 */
import type { ProbeReply } from '../../../domain/ports.ts';
import { instanceOf } from '../../instance.ts';
import { labelsFrom } from '../labels.ts';
import type { Questions } from '../questions.ts';
import type { JsonObject } from '../../read-json.ts';
import { amountAt, asArray, asObject, countAt, isOk, objectOf, textAt } from '../../read-json.ts';
import type { EngineProfile } from './engine-profile.ts';
import { ranksWithin, versionWithin } from './engine-profile.ts';

const SERVER_LABELS = [
  'served_model_name',
  'model_path',
  'tokenizer_path',
  'weight_version',
  'context_length',
  'max_running_requests',
  'max_total_num_tokens',
  'max_req_input_len',
  'chunked_prefill_size',
  'page_size',
  'tp_size',
  'dp_size',
  'pp_size',
  'ep_size',
  'quantization',
  'dtype',
  'kv_cache_dtype',
  'attention_backend',
  'schedule_policy',
  'load_balance_method',
  'disaggregation_mode',
  'speculative_algorithm',
  'reasoning_parser',
  'tool_call_parser',
  'is_embedding',
] as const;
const MODEL_LABELS = ['model_type', 'is_generation', 'has_image_understanding', 'has_audio_understanding'] as const;

const sign = { isShownBy: (reply: ProbeReply) => isServerInfo(objectOf(reply)) };

export const sglang: EngineProfile = {
  engine: 'sglang',
  owners: ['sglang'],
  signs: [
    { path: '/server_info', ...sign },
    { path: '/get_server_info', ...sign },
  ],
  readMetadata: async (questions) => {
    const [server, model] = await Promise.all([
      newerOrOlder(questions, '/server_info', '/get_server_info'),
      newerOrOlder(questions, '/model_info', '/get_model_info'),
    ]);
    return {
      version: versionWithin(textAt(server, 'version')),
      contextLength: countAt(server, 'context_length'),
      maxRunning: countAt(server, 'max_running_requests'),
      capacityTokens: countAt(server, 'max_total_num_tokens') ?? capacityOf(server),
      dataParallelSize: ranksWithin(countAt(server, 'dp_size')),
      // Drawn at each start unless the operator fixed it; then a restart in between checks goes unnoticed.
      instance: instanceOf({ seed: amountAt(server, 'random_seed') }),
      labels: { ...labelsFrom(model, MODEL_LABELS), ...labelsFrom(server, SERVER_LABELS) },
    };
  },
};

/** vLLM in development mode has a /server_info too, with other members. */
function isServerInfo(info: JsonObject): boolean {
  return 'model_path' in info && ('version' in info || 'internal_states' in info || 'tp_size' in info);
}

async function newerOrOlder(questions: Questions, newer: string, older: string): Promise<JsonObject> {
  const reply = await questions.tryAsk(newer);
  return objectOf(reply && isOk(reply) ? reply : await questions.tryAsk(older));
}

/** What the schedulers say that their cache holds, when the server does not. */
function capacityOf(server: JsonObject): number | undefined {
  const first = asObject(asArray(server['internal_states'])[0]);
  const memory = first && asObject(first['memory_usage']);
  return memory && countAt(memory, 'token_capacity');
}

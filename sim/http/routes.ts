/** Which path is answered by what, on which engine; nothing else in this file. */

import { answerChat } from '../api/chat.ts';
import { answerCompletions } from '../api/completions.ts';
import { answerEmbeddings } from '../api/embeddings.ts';
import {
  answerFlush,
  answerLoad,
  answerLoads,
  answerModelFacts,
  answerProfile,
  answerServerFacts,
} from '../api/facts.ts';
import { answerGenerate } from '../api/generate.ts';
import type { EngineParts } from '../api/generation.ts';
import {
  answerGreeting,
  answerHealth,
  answerModel,
  answerModels,
  answerProps,
  answerTags,
  answerVersion,
} from '../api/identity.ts';
import { answerCountTokens, answerMessages } from '../api/messages.ts';
import { answerMetrics } from '../api/metrics.ts';
import { answerResponses } from '../api/responses.ts';
import { answerClassify, answerRerank, answerScore } from '../api/scoring.ts';
import { ENGINE_KINDS, type EngineKind } from '../options.ts';
import type { Exchange } from './exchange.ts';

/** One path of an engine. */
export interface Route {
  readonly methods: readonly string[];
  /** The engines that have this path; undefined: all. */
  readonly only?: readonly EngineKind[];
  /** The body must be a JSON object. */
  readonly takesJson: boolean;
  /** Answered without a key even when one is set; `health` ones unless the engine says otherwise. */
  readonly open?: 'always' | 'health';
  answer(parts: EngineParts, exchange: Exchange): void;
}

type Answer = Route['answer'];

const get = (answer: Answer, rest: Partial<Route> = {}): Route => ({
  methods: ['GET'],
  takesJson: false,
  answer,
  ...rest,
});
const post = (answer: Answer, ...only: readonly EngineKind[]): Route => ({
  methods: ['POST'],
  takesJson: true,
  answer,
  ...(only.length === 0 ? {} : { only }),
});
/** What mlx_lm's server does not have. */
const NOT_MLX = ENGINE_KINDS.filter((kind) => kind !== 'mlx');
const health: Partial<Route> = { open: 'health' };
const sglang: Partial<Route> = { only: ['sglang'] };
const withHealth: Partial<Route> = { ...health, only: ENGINE_KINDS.filter((kind) => kind !== 'ollama') };

const ROUTES: Readonly<Record<string, Route>> = {
  '/health': get(answerHealth, withHealth),
  '/health_generate': get(answerHealth, { ...health, only: ['sglang', 'trtllm'] }),
  '/ping': get(answerHealth, { ...health, only: ['sglang', 'vllm'] }),
  '/metrics': get(answerMetrics, { open: 'always', only: ['sglang', 'vllm'] }),
  '/version': get(answerVersion, { open: 'always', only: ['vllm', 'trtllm'] }),
  '/props': get(answerProps, { only: ['llama_cpp'] }),
  '/': get(answerGreeting, { only: ['ollama'] }),
  '/api/version': get(answerVersion, { only: ['ollama'] }),
  '/api/tags': get(answerTags, { only: ['ollama'] }),
  '/v1/models': get(answerModels),
  '/server_info': get(answerServerFacts, sglang),
  '/get_server_info': get(answerServerFacts, sglang),
  '/model_info': get(answerModelFacts, sglang),
  '/get_model_info': get(answerModelFacts, sglang),
  '/v1/loads': get(answerLoads, sglang),
  '/get_load': get(answerLoad, sglang),
  '/flush_cache': { methods: ['GET', 'POST'], takesJson: false, answer: answerFlush, only: ['sglang'] },
  '/start_profile': { methods: ['POST'], takesJson: false, answer: answerProfile },
  '/stop_profile': { methods: ['POST'], takesJson: false, answer: answerProfile },
  '/reset_prefix_cache': { methods: ['POST'], takesJson: false, answer: answerFlush, only: ['vllm'] },
  '/v1/chat/completions': post(answerChat),
  '/v1/completions': post(answerCompletions),
  '/generate': post(answerGenerate, 'sglang', 'vllm'),
  '/v1/messages': post(answerMessages, ...NOT_MLX),
  '/v1/messages/count_tokens': post(answerCountTokens, ...NOT_MLX),
  '/v1/responses': post(answerResponses, ...NOT_MLX),
  '/v1/embeddings': post(answerEmbeddings),
  '/v1/rerank': post(answerRerank),
  '/rerank': post(answerRerank),
  '/v2/rerank': post(answerRerank, 'vllm'),
  '/v1/score': post(answerScore),
  '/score': post(answerScore, 'vllm'),
  '/v1/classify': post(answerClassify),
  '/classify': post(answerClassify, 'vllm'),
};

const MODEL_PREFIX = '/v1/models/';
const MODEL_ROUTE = get(answerModel);

/** The route of a path on an engine of that kind, and the name it is counted under. */
export function findRoute(kind: EngineKind, path: string): { route: Route | undefined; name: string } {
  if (path.startsWith(MODEL_PREFIX)) return { route: MODEL_ROUTE, name: `${MODEL_PREFIX}{id}` };
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined || (route.only !== undefined && !route.only.includes(kind)))
    return { route: undefined, name: 'other' };
  return { route, name: path };
}

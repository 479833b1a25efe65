/** Which path is answered by what, on which engine; nothing else in this file. */

import { answerChat } from '../api/chat.ts';
import { answerCompletions } from '../api/completions.ts';
import { answerEmbeddings } from '../api/embeddings.ts';
import {
  answerFlush,
  answerHealth,
  answerLoad,
  answerLoads,
  answerModel,
  answerModelFacts,
  answerModels,
  answerProfile,
  answerServerFacts,
  answerVersion,
} from '../api/facts.ts';
import { answerGenerate } from '../api/generate.ts';
import type { EngineParts } from '../api/generation.ts';
import { answerCountTokens, answerMessages } from '../api/messages.ts';
import { answerMetrics } from '../api/metrics.ts';
import { answerResponses } from '../api/responses.ts';
import { answerClassify, answerRerank, answerScore } from '../api/scoring.ts';
import type { EngineKind } from '../options.ts';
import type { Exchange } from './exchange.ts';

/** One path of an engine. */
export interface Route {
  readonly methods: readonly string[];
  /** The engine that has this path; undefined: both. */
  readonly only?: EngineKind;
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
const post = (answer: Answer, only?: EngineKind): Route => ({
  methods: ['POST'],
  takesJson: true,
  answer,
  ...(only === undefined ? {} : { only }),
});
const health: Partial<Route> = { open: 'health' };
const sglang: Partial<Route> = { only: 'sglang' };

const ROUTES: Readonly<Record<string, Route>> = {
  '/health': get(answerHealth, health),
  '/health_generate': get(answerHealth, { ...health, ...sglang }),
  '/ping': get(answerHealth, health),
  '/metrics': get(answerMetrics, { open: 'always' }),
  '/version': get(answerVersion, { open: 'always', only: 'vllm' }),
  '/v1/models': get(answerModels),
  '/server_info': get(answerServerFacts, sglang),
  '/get_server_info': get(answerServerFacts, sglang),
  '/model_info': get(answerModelFacts, sglang),
  '/get_model_info': get(answerModelFacts, sglang),
  '/v1/loads': get(answerLoads, sglang),
  '/get_load': get(answerLoad, sglang),
  '/flush_cache': { methods: ['GET', 'POST'], takesJson: false, answer: answerFlush, only: 'sglang' },
  '/start_profile': { methods: ['POST'], takesJson: false, answer: answerProfile },
  '/stop_profile': { methods: ['POST'], takesJson: false, answer: answerProfile },
  '/reset_prefix_cache': { methods: ['POST'], takesJson: false, answer: answerFlush, only: 'vllm' },
  '/v1/chat/completions': post(answerChat),
  '/v1/completions': post(answerCompletions),
  '/generate': post(answerGenerate),
  '/v1/messages': post(answerMessages),
  '/v1/messages/count_tokens': post(answerCountTokens),
  '/v1/responses': post(answerResponses),
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
  if (route === undefined || (route.only !== undefined && route.only !== kind))
    return { route: undefined, name: 'other' };
  return { route, name: path };
}

/** What is served: path to protocol or control route, nothing else. */
import type { ProtocolName } from '../domain/call.ts';

export interface InferenceRoute {
  readonly path: string;
  readonly protocol: ProtocolName;
  /** Where the call goes on the worker. */
  readonly upstreamPath: string;
}

function inference(path: string, protocol: ProtocolName, upstreamPath = path): InferenceRoute {
  return { path, protocol, upstreamPath };
}

/** All of them POST. */
export const inferenceRoutes: readonly InferenceRoute[] = [
  inference('/v1/chat/completions', 'openai-chat'),
  inference('/v1/completions', 'openai-completions'),
  inference('/v1/embeddings', 'openai-embeddings'),
  inference('/v1/responses', 'openai-responses'),
  inference('/v1/messages', 'anthropic-messages'),
  inference('/v1/messages/count_tokens', 'anthropic-messages'),
  inference('/v1/rerank', 'rerank'),
  // Engines agree on the longer path only.
  inference('/rerank', 'rerank', '/v1/rerank'),
  inference('/v1/score', 'score'),
  inference('/v1/classify', 'classify'),
  inference('/generate', 'sglang-generate'),
];

/** All of them GET. A trailing `{id}` takes the rest of the path. */
export const controlPaths = [
  '/health',
  '/liveness',
  '/readiness',
  '/health_generate',
  '/v1/models',
  '/v1/models/{id}',
  '/get_model_info',
  '/get_server_info',
  '/workers',
  '/workers/{id}',
] as const;

export type ControlPath = (typeof controlPaths)[number];

/** What is served: path to protocol or control route, and who may ask; nothing else. */
import type { ProtocolName } from '../domain/call.ts';
import type { RouteAccess } from '../domain/ports.ts';

export interface InferenceRoute {
  readonly path: string;
  readonly protocol: ProtocolName;
  /** Where the call goes on the worker. */
  readonly upstreamPath: string;
  /** Said by the path; undefined: by the body. */
  readonly isStream: boolean | undefined;
}

function inference(path: string, protocol: ProtocolName, upstreamPath = path): InferenceRoute {
  return { path, protocol, upstreamPath, isStream: undefined };
}

/** The path says which model is meant and what is wanted of it. `{model}` may have slashes in it. */
function ofModel(path: string, protocol: ProtocolName, isStream: boolean): InferenceRoute {
  return { path, protocol, upstreamPath: path, isStream };
}

/** All of them POST, all of access `data`. */
export const inferenceRoutes: readonly InferenceRoute[] = [
  inference('/v1/chat/completions', 'openai-chat'),
  inference('/v1/completions', 'openai-completions'),
  inference('/v1/embeddings', 'openai-embeddings'),
  inference('/v1/responses', 'openai-responses'),
  inference('/v1/messages', 'anthropic-messages'),
  inference('/v1/messages/count_tokens', 'anthropic-count-tokens'),
  inference('/v1/rerank', 'rerank'),
  // Engines agree on the longer path only.
  inference('/rerank', 'rerank', '/v1/rerank'),
  inference('/v1/score', 'score'),
  inference('/v1/classify', 'classify'),
  inference('/generate', 'sglang-generate'),
];

/** Gemini's paths, in both versions that its clients use. All of them POST, all of access `data`. */
export const modelRoutes: readonly InferenceRoute[] = ['/v1beta/models/', '/v1/models/'].flatMap((prefix) => [
  ofModel(`${prefix}{model}:generateContent`, 'gemini', false),
  ofModel(`${prefix}{model}:streamGenerateContent`, 'gemini', true),
  ofModel(`${prefix}{model}:countTokens`, 'gemini-count-tokens', false),
  // `embedContent` of Google's clients is a batch of one.
  ofModel(`${prefix}{model}:batchEmbedContents`, 'gemini-embeddings', false),
]);

export type ControlMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Method and path in one word. A trailing `{id}` takes the rest of the path. HEAD follows GET. */
export const controlTable = {
  'GET /health': 'public',
  'GET /liveness': 'public',
  'GET /readiness': 'public',
  'GET /health_generate': 'public',
  'GET /v1/models': 'public',
  'GET /v1/models/{id}': 'public',
  'GET /v1beta/models': 'public',
  'GET /v1beta/models/{id}': 'public',
  'GET /get_model_info': 'public',
  'GET /get_server_info': 'control',
  'GET /workers': 'control',
  'POST /workers': 'control',
  'GET /workers/{id}': 'control',
  'PUT /workers/{id}': 'control',
  'PATCH /workers/{id}': 'control',
  'DELETE /workers/{id}': 'control',
  'GET /events': 'control',
  'GET /get_loads': 'control',
  'POST /flush_cache': 'control',
  'POST /start_profile': 'control',
  'POST /stop_profile': 'control',
  'GET /v1/tokenizers': 'control',
  'POST /v1/tokenizers': 'control',
  // Also `…/{id}/status`: ids are names of models too, which have slashes.
  'GET /v1/tokenizers/{id}': 'control',
  'DELETE /v1/tokenizers/{id}': 'control',
  'POST /v1/tokenize': 'data',
  'POST /v1/detokenize': 'data',
  'POST /parse/function_call': 'control',
  'POST /parse/reasoning': 'control',
} as const satisfies Record<`${ControlMethod} /${string}`, RouteAccess>;

export type ControlRouteName = keyof typeof controlTable;

export interface ControlRoute {
  readonly name: ControlRouteName;
  readonly method: ControlMethod;
  readonly path: string;
  readonly access: RouteAccess;
}

export const controlRoutes: readonly ControlRoute[] = Object.entries(controlTable).map(([name, access]) => {
  const [method, path] = name.split(' ') as [ControlMethod, string];
  return { name: name as ControlRouteName, method, path, access };
});

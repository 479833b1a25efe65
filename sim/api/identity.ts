/**
 * By what a server is told apart: models and their owner, version, health, and the pages that only one engine has.
 * Sources: SGLang and vLLM models listings; TensorRT-LLM openai_server.py; mlx_lm server.py; llama.cpp's server README;
 * Ollama's API docs.
 */

import { sendError, sendJson, sendText } from '../http/answers.ts';
import { modelNotFound } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { EngineKind } from '../options.ts';
import { hexId } from '../random.ts';
import type { EngineParts } from './generation.ts';

const VERSIONS: Partial<Readonly<Record<EngineKind, string>>> = { vllm: '0.16.0', trtllm: '1.2.0', ollama: '0.13.0' };

/** `owned_by` of the models; mlx_lm leaves it out. */
const OWNERS: Readonly<Record<EngineKind, string | undefined>> = {
  sglang: 'sglang',
  vllm: 'vllm',
  trtllm: 'tensorrt_llm',
  mlx: undefined,
  llama_cpp: 'llamacpp',
  ollama: 'library',
  generic: 'organization-owner',
};

/** GET /v1/models: the base model and its adapters. */
export function answerModels(parts: EngineParts, exchange: Exchange): void {
  const data = parts.options.models.map((_model, index) => modelCard(parts, index));
  sendJson(exchange, { object: 'list', data });
}

/** GET /v1/models/{id}. */
export function answerModel(parts: EngineParts, exchange: Exchange): void {
  const raw = exchange.path.slice('/v1/models/'.length);
  const id = parts.options.models.find((model) => model === raw || encodeURIComponent(model) === raw) ?? raw;
  const index = parts.options.models.indexOf(id);
  if (index >= 0) sendJson(exchange, modelCard(parts, index));
  else sendError(exchange, modelNotFound(id));
}

/** GET /version (vLLM, TensorRT-LLM), /api/version (Ollama). */
export function answerVersion({ options }: EngineParts, exchange: Exchange): void {
  sendJson(exchange, { version: VERSIONS[options.kind] ?? '0' });
}

/** GET /health, /health_generate, /ping: 200 and nothing else, or a status where the engine says one. */
export function answerHealth({ options }: EngineParts, exchange: Exchange): void {
  if (options.kind === 'mlx' || options.kind === 'llama_cpp') sendJson(exchange, { status: 'ok' });
  else sendText(exchange, '');
}

/** GET /props (llama.cpp): slots, and the context that each has. */
export function answerProps({ options }: EngineParts, exchange: Exchange): void {
  const [model = ''] = options.models;
  sendJson(exchange, {
    default_generation_settings: { id: 0, n_ctx: options.maxModelTokens, is_processing: false, params: {} },
    total_slots: options.maxRunning,
    model_alias: model,
    model_path: `/models/${model}.gguf`,
    chat_template: '',
    build_info: 'b7100-0123abc',
  });
}

/** GET / (Ollama). */
export function answerGreeting(_parts: EngineParts, exchange: Exchange): void {
  sendText(exchange, 'Ollama is running');
}

/** GET /api/tags (Ollama): the models that lie on its disk. */
export function answerTags({ options }: EngineParts, exchange: Exchange): void {
  const models = options.models.map((name) => ({
    name,
    model: name,
    modified_at: '2026-01-01T00:00:00Z',
    size: 4_661_224_676,
    digest: hexId(name.length, 64),
    details: { format: 'gguf', family: 'llama', parameter_size: '8.0B', quantization_level: 'Q4_0' },
  }));
  sendJson(exchange, { models });
}

function modelCard(parts: EngineParts, index: number): object {
  const { kind, models, maxModelTokens } = parts.options;
  const id = models[index] as string;
  const created = Math.floor(Date.now() / 1000);
  const owner = OWNERS[kind];
  const card = { id, object: 'model', created, ...(owner === undefined ? {} : { owned_by: owner }) };
  if (kind === 'llama_cpp') return { ...card, meta: { n_ctx_train: maxModelTokens, n_vocab: 128_256 } };
  if (kind !== 'sglang' && kind !== 'vllm') return card;
  const isBase = index === 0;
  const parented = {
    ...card,
    root: id,
    parent: isBase ? null : models[0],
    max_model_len: isBase ? maxModelTokens : null,
  };
  return kind === 'vllm' ? { ...parented, permission: [permission(parts, created)] } : parented;
}

function permission(parts: EngineParts, created: number): object {
  return {
    id: `modelperm-${hexId(parts.nextId(), 32)}`,
    object: 'model_permission',
    created,
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: '*',
    group: null,
    is_blocking: false,
  };
}

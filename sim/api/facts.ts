/**
 * What an engine tells about itself: models, version, configuration, load.
 * Sources: SGLang http_server.py, v1_loads.py and io_struct.py; vLLM models/serving.py.
 */

import { sendError, sendJson, sendText } from '../http/answers.ts';
import { modelNotFound } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { hexId, mix } from '../random.ts';
import type { EngineParts } from './generation.ts';

const SGLANG_VERSION = '0.5.9';
const VLLM_VERSION = '0.16.0';

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

/** GET /version (vLLM). */
export function answerVersion(_parts: EngineParts, exchange: Exchange): void {
  sendJson(exchange, { version: VLLM_VERSION });
}

/** GET /server_info (SGLang): the arguments it was started with and the scheduler's state. */
export function answerServerFacts(parts: EngineParts, exchange: Exchange): void {
  const { options, scheduler, startedAtMs } = parts;
  const [model = ''] = options.models;
  const load = scheduler.load();
  sendJson(exchange, {
    model_path: model,
    tokenizer_path: model,
    served_model_name: model,
    host: options.host,
    port: options.port,
    context_length: options.maxModelTokens,
    max_running_requests: options.maxRunning,
    chunked_prefill_size: options.prefillChunkTokens,
    page_size: options.blockSize,
    tp_size: 1,
    dp_size: 1,
    pp_size: 1,
    disaggregation_mode: 'null',
    disaggregation_bootstrap_port: 8998,
    load_balance_method: 'round_robin',
    enable_metrics: true,
    is_embedding: false,
    lora_paths: options.models.slice(1),
    weight_version: 'default',
    // SGLang draws this anew at each start, so a restart shows here as well.
    random_seed: mix(startedAtMs >>> 0),
    status: 'ready',
    max_total_num_tokens: load.capacityTokens,
    max_req_input_len: options.maxModelTokens - 6,
    internal_states: [
      {
        last_gen_throughput: load.throughput,
        effective_max_running_requests_per_dp: options.maxRunning,
        memory_usage: { weight: 15.08, kvcache: 56.3, token_capacity: load.capacityTokens, graph: 0.41 },
      },
    ],
    version: SGLANG_VERSION,
    sim_started_at_ms: startedAtMs,
  });
}

/** GET /model_info (SGLang). */
export function answerModelFacts(parts: EngineParts, exchange: Exchange): void {
  const [model = ''] = parts.options.models;
  sendJson(exchange, {
    model_path: model,
    tokenizer_path: model,
    is_generation: true,
    preferred_sampling_params: null,
    weight_version: 'default',
    has_image_understanding: false,
    has_audio_understanding: false,
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
  });
}

/** GET /v1/loads (SGLang): `include` chooses sections; the core figures are always there. */
export function answerLoads(parts: EngineParts, exchange: Exchange): void {
  const { scheduler, options } = parts;
  const load = scheduler.load();
  const sections = new Set((exchange.query.get('include') ?? 'all').split(',').map((name) => name.trim()));
  const has = (name: string) => sections.has('all') || sections.has(name);
  const { promptTokens, prefixHitTokens } = scheduler.totals;
  const entry = {
    dp_rank: 0,
    num_running_reqs: load.running,
    num_waiting_reqs: load.waiting,
    num_waiting_uncached_tokens: load.waitingUncachedTokens,
    num_used_tokens: load.usedTokens,
    num_total_tokens: load.usedTokens + load.waitingUncachedTokens,
    max_total_num_tokens: load.capacityTokens,
    token_usage: round(load.usedTokens / load.capacityTokens),
    gen_throughput: round(load.throughput),
    cache_hit_rate: round(promptTokens === 0 ? 0 : prefixHitTokens / promptTokens),
    utilization: round(load.running / options.maxRunning),
    max_running_requests: options.maxRunning,
    ...(has('memory') ? { memory: memoryOf(load.capacityTokens) } : {}),
    ...(has('disagg') ? { disaggregation: NO_DISAGGREGATION } : {}),
    ...(has('queues') ? { queues: { waiting: load.waiting, grammar: 0, paused: 0, retracted: 0 } } : {}),
    num_total_reqs: load.running + load.waiting,
  };
  sendJson(exchange, {
    timestamp: new Date().toISOString(),
    version: SGLANG_VERSION,
    dp_rank_count: 1,
    loads: [entry],
    aggregate: {
      total_running_reqs: load.running,
      total_waiting_reqs: load.waiting,
      total_reqs: load.running + load.waiting,
      avg_token_usage: entry.token_usage,
      avg_throughput: entry.gen_throughput,
      avg_utilization: entry.utilization,
    },
  });
}

/** GET /get_load (SGLang, older form). */
export function answerLoad(parts: EngineParts, exchange: Exchange): void {
  const load = parts.scheduler.load();
  const entry = {
    dp_rank: 0,
    num_reqs: load.running + load.waiting,
    num_waiting_reqs: load.waiting,
    num_tokens: load.usedTokens + load.waitingUncachedTokens,
  };
  sendJson(exchange, [{ rid: null, http_worker_ipc: null, ...entry }]);
}

/** POST /flush_cache (SGLang refuses while busy) and /reset_prefix_cache (vLLM). */
export function answerFlush(parts: EngineParts, exchange: Exchange): void {
  const { scheduler, options } = parts;
  const isIdle = scheduler.running + scheduler.waiting === 0;
  if (options.kind === 'vllm') {
    scheduler.flushCache();
    return sendText(exchange, '');
  }
  if (isIdle) scheduler.flushCache();
  const text =
    'Cache flushed.\nPlease check backend logs for more details. ' +
    '(When there are running or waiting requests, the operation will not be performed.)\n';
  sendText(exchange, text, 'text/plain; charset=utf-8', isIdle ? 200 : 400);
}

/** GET /health, /health_generate, /ping: 200 and nothing else. */
export function answerHealth(_parts: EngineParts, exchange: Exchange): void {
  sendText(exchange, '');
}

/** POST /start_profile, /stop_profile: a sentence, and no profile. */
export function answerProfile(_parts: EngineParts, exchange: Exchange): void {
  sendText(exchange, 'Profiling.\n');
}

const NO_DISAGGREGATION = {
  mode: 'null',
  prefill_prealloc_queue_reqs: 0,
  prefill_inflight_queue_reqs: 0,
  decode_prealloc_queue_reqs: 0,
  decode_transfer_queue_reqs: 0,
  decode_retracted_queue_reqs: 0,
  kv_transfer_speed_gb_s: 0,
  kv_transfer_latency_ms: 0,
};

function memoryOf(token_capacity: number): object {
  return { weight_gb: 15.08, kv_cache_gb: 56.3, graph_gb: 0.41, token_capacity };
}

function modelCard(parts: EngineParts, index: number): object {
  const { kind, models, maxModelTokens } = parts.options;
  const id = models[index] as string;
  const created = Math.floor(Date.now() / 1000);
  const isBase = index === 0;
  const card = {
    id,
    object: 'model',
    created,
    owned_by: kind,
    root: id,
    parent: isBase ? null : models[0],
    max_model_len: isBase ? maxModelTokens : null,
  };
  return kind === 'vllm' ? { ...card, permission: [permission(parts, created)] } : card;
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

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

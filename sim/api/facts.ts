/**
 * What SGLang tells about itself: configuration and load; and flushing of either engine.
 * Sources: SGLang http_server.py, v1_loads.py and io_struct.py.
 */

import { sendJson, sendText } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import { mix } from '../random.ts';
import type { EngineParts } from './generation.ts';
import { ranksOf } from './ranks.ts';

const SGLANG_VERSION = '0.5.9';

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
    dp_size: options.dataParallelSize,
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
    internal_states: Array.from({ length: options.dataParallelSize }, () => ({
      last_gen_throughput: load.throughput,
      effective_max_running_requests_per_dp: options.maxRunning,
      memory_usage: { weight: 15.08, kvcache: 56.3, token_capacity: load.capacityTokens, graph: 0.41 },
    })),
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
  const entries = ranksOf(parts).map(({ rank, running, waiting }) => ({
    dp_rank: rank,
    num_running_reqs: running,
    num_waiting_reqs: waiting,
    num_waiting_uncached_tokens: load.waitingUncachedTokens,
    num_used_tokens: load.usedTokens,
    num_total_tokens: load.usedTokens + load.waitingUncachedTokens,
    max_total_num_tokens: load.capacityTokens,
    token_usage: round(load.usedTokens / load.capacityTokens),
    gen_throughput: round(load.throughput),
    cache_hit_rate: round(promptTokens === 0 ? 0 : prefixHitTokens / promptTokens),
    utilization: round(running / options.maxRunning),
    max_running_requests: options.maxRunning,
    ...(has('memory') ? { memory: memoryOf(load.capacityTokens) } : {}),
    ...(has('disagg') ? { disaggregation: NO_DISAGGREGATION } : {}),
    ...(has('queues') ? { queues: { waiting, grammar: 0, paused: 0, retracted: 0 } } : {}),
    num_total_reqs: running + waiting,
  }));
  sendJson(exchange, {
    timestamp: new Date().toISOString(),
    version: SGLANG_VERSION,
    dp_rank_count: entries.length,
    loads: entries,
    aggregate: {
      total_running_reqs: load.running,
      total_waiting_reqs: load.waiting,
      total_reqs: load.running + load.waiting,
      avg_token_usage: round(load.usedTokens / load.capacityTokens),
      avg_throughput: round(load.throughput),
      avg_utilization: round(load.running / options.maxRunning),
    },
  });
}

/** GET /get_load (SGLang, older form). */
export function answerLoad(parts: EngineParts, exchange: Exchange): void {
  const load = parts.scheduler.load();
  const entries = ranksOf(parts).map(({ rank, running, waiting }) => ({
    rid: null,
    http_worker_ipc: null,
    dp_rank: rank,
    num_reqs: running + waiting,
    num_waiting_reqs: waiting,
    num_tokens: load.usedTokens + load.waitingUncachedTokens,
  }));
  sendJson(exchange, entries);
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

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

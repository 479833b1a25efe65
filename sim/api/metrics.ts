/**
 * GET /metrics: the part of the engines' Prometheus text that load balancers read, under its real names.
 * Sources: SGLang metrics/collector.py; vLLM's metrics table (docs.vllm.ai, usage/metrics).
 */

import { sendText } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';
import type { EngineParts } from './generation.ts';
import { ranksOf } from './ranks.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly value: number;
  readonly labels?: string;
}

/** Answers the metrics of the engine's kind. */
export function answerMetrics(parts: EngineParts, exchange: Exchange): void {
  const model = JSON.stringify(parts.options.models[0]);
  const isVllm = parts.options.kind === 'vllm';
  const metrics = isVllm ? vllmMetrics(parts, model) : sglangMetrics(parts, model);
  const start: Metric = {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'Start time of the process since unix epoch in seconds.',
    value: parts.startedAtMs / 1000,
    labels: '',
  };
  const text = [...metrics, start].map(format).join('');
  sendText(exchange, text, 'text/plain; version=0.0.4; charset=utf-8');
}

function sglangMetrics(parts: EngineParts, model: string): readonly Metric[] {
  const load = parts.scheduler.load();
  const { totals } = parts.scheduler;
  const labels = `{engine_type="unified",model_name=${model},pp_rank="0",tp_rank="0"}`;
  const gauge = (name: string, help: string, value: number): Metric => {
    return { name: `sglang:${name}`, type: 'gauge', help, value, labels };
  };
  const counter = (name: string, help: string, value: number, extra = ''): Metric => {
    return { name: `sglang:${name}_total`, type: 'counter', help, value, labels: `{${extra}model_name=${model}}` };
  };
  const hitRate = totals.promptTokens === 0 ? 0 : totals.prefixHitTokens / totals.promptTokens;
  return [
    gauge('num_running_reqs', 'The number of running requests.', load.running),
    gauge('num_used_tokens', 'The number of used tokens.', load.usedTokens),
    gauge('token_usage', 'The token usage.', load.usedTokens / load.capacityTokens),
    gauge('gen_throughput', 'The generation throughput (token/s).', load.throughput),
    gauge('num_queue_reqs', 'The number of requests in the waiting queue.', load.waiting),
    gauge('cache_hit_rate', 'The prefix cache hit rate.', hitRate),
    gauge('max_total_num_tokens', 'Maximum total number of tokens in the KV cache pool.', load.capacityTokens),
    gauge('utilization', 'The utilization.', load.running / parts.options.maxRunning),
    counter('prompt_tokens', 'Number of prefill tokens processed.', totals.promptTokens),
    counter('generation_tokens', 'Number of generation tokens processed.', totals.generatedTokens),
    counter('cached_tokens', 'Number of cached prompt tokens.', totals.prefixHitTokens, 'cache_source="device",'),
    counter('num_requests', 'Number of requests processed.', totals.submitted),
    counter('num_aborted_requests', 'Number of requests aborted.', totals.aborted),
  ];
}

function vllmMetrics(parts: EngineParts, model: string): readonly Metric[] {
  const load = parts.scheduler.load();
  const { totals } = parts.scheduler;
  const { blockSize } = parts.options;
  const usage = load.usedTokens / load.capacityTokens;
  const blocks = Math.floor(load.capacityTokens / blockSize);
  return ranksOf(parts).flatMap(({ rank, running, waiting }) => {
    const common = `engine="${rank}",model_name=${model}`;
    const metric = (name: string, type: Metric['type'], help: string, value: number, extra = ''): Metric => {
      return { name: `vllm:${name}`, type, help, value, labels: `{${common}${extra}}` };
    };
    const config = `,block_size="${blockSize}",cache_dtype="auto",num_gpu_blocks="${blocks}"`;
    return [
      metric('num_requests_running', 'gauge', 'Number of requests in model execution batches.', running),
      metric('num_requests_waiting', 'gauge', 'Number of requests waiting to be processed.', waiting),
      metric('kv_cache_usage_perc', 'gauge', 'KV-cache usage. 1 means 100 percent usage.', usage),
      metric('prefix_cache_queries_total', 'counter', 'Prefix cache queries, in tokens.', totals.promptTokens),
      metric('prefix_cache_hits_total', 'counter', 'Prefix cache hits, in tokens.', totals.prefixHitTokens),
      metric('num_preemptions_total', 'counter', 'Cumulative number of preemptions from the engine.', 0),
      metric('prompt_tokens_total', 'counter', 'Number of prefill tokens processed.', totals.promptTokens),
      metric('generation_tokens_total', 'counter', 'Number of generation tokens processed.', totals.generatedTokens),
      metric('request_success_total', 'counter', 'Requests served.', totals.finished, ',finished_reason="stop"'),
      metric('cache_config_info', 'gauge', 'Information of the LLMEngine CacheConfig', 1, config),
    ];
  });
}

function format({ name, type, help, value, labels = '' }: Metric): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labels} ${value}\n`;
}

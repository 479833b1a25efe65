/**
 * vLLM's load, from its metrics page: one set of figures for each data-parallel engine, told apart by `engine`.
 * Source  vLLM's metrics (usage/metrics of its docs); the KV gauge was called gpu_cache_usage_perc before 0.10.
 */
import { instanceOf } from '../instance.ts';
import type { EngineLoad, LoadSource, RankLoad } from './engine-load.ts';
import { shareOf } from './engine-load.ts';
import { readMetrics, samplesOf, sumOf } from './metrics-text.ts';
import type { MetricSamples, Sample } from './metrics-text.ts';

export const vllmSources: readonly LoadSource[] = [{ path: '/metrics', read: (text) => loadFrom(readMetrics(text)) }];

const RUNNING = ['vllm:num_requests_running'];
const WAITING = ['vllm:num_requests_waiting'];
const KV_USAGE = ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'];
const CACHE_CONFIG = ['vllm:cache_config_info'];
const QUERIES = ['vllm:prefix_cache_queries_total', 'vllm:gpu_prefix_cache_queries_total', 'vllm:prefix_cache_queries'];
const HITS = ['vllm:prefix_cache_hits_total', 'vllm:gpu_prefix_cache_hits_total', 'vllm:prefix_cache_hits'];
const THROUGHPUT = ['vllm:avg_generation_throughput_toks_per_s'];
const STARTED = ['process_start_time_seconds'];

/** What the page tells that does not change while the engine runs. */
export interface VllmFacts {
  readonly ranks: number | undefined;
  readonly capacityTokens: number | undefined;
  readonly blockSize: number | undefined;
  /** Seconds since 1970. */
  readonly startedAt: number | undefined;
}

export function vllmFacts(metrics: MetricSamples): VllmFacts {
  const engines = enginesOf(samplesOf(metrics, RUNNING));
  const configs = samplesOf(metrics, CACHE_CONFIG);
  const capacities = configs.flatMap((config) => capacityOf(config) ?? []);
  return {
    // A deployment of which this server sees some engines only does not begin at 0: its ranks cannot be named.
    ranks: engines.length > 1 && engines.every((engine, at) => engine === at) ? engines.length : undefined,
    capacityTokens: capacities.length === 0 ? undefined : capacities.reduce((sum, one) => sum + one, 0),
    blockSize: configs[0] && wholeLabel(configs[0], 'block_size'),
    startedAt: samplesOf(metrics, STARTED)[0]?.value,
  };
}

function loadFrom(metrics: MetricSamples): EngineLoad | undefined {
  const engines = enginesOf(samplesOf(metrics, RUNNING));
  if (engines.length === 0) return undefined;
  const { startedAt } = vllmFacts(metrics);
  return {
    ranks: engines.map((engine) => rankLoad(metrics, engine)),
    instance: instanceOf({ start: startedAt }),
  };
}

function rankLoad(metrics: MetricSamples, engine: number): RankLoad {
  const of = (names: readonly string[]) => samplesOf(metrics, names).filter((sample) => engineOf(sample) === engine);
  const config = of(CACHE_CONFIG)[0];
  const capacityTokens = config && capacityOf(config);
  const usage = of(KV_USAGE)[0]?.value;
  const usedTokens =
    usage === undefined || capacityTokens === undefined ? undefined : Math.round(clamp(usage) * capacityTokens);
  return {
    rank: engine,
    running: sumOf(of(RUNNING)) ?? 0,
    waiting: sumOf(of(WAITING)) ?? 0,
    waitingTokens: undefined,
    usedTokens,
    capacityTokens,
    throughput: sumOf(of(THROUGHPUT)),
    cacheHitRate: shareOf(sumOf(of(HITS)), sumOf(of(QUERIES))),
  };
}

function enginesOf(samples: readonly Sample[]): readonly number[] {
  return [...new Set(samples.map(engineOf))].sort((a, b) => a - b);
}

/** A page without the label is of one engine. */
function engineOf({ labels }: Sample): number {
  const engine = labels['engine'] ?? '';
  return /^\d{1,4}$/.test(engine) ? Number(engine) : 0;
}

function capacityOf(config: Sample): number | undefined {
  const blocks = wholeLabel(config, 'num_gpu_blocks');
  const size = wholeLabel(config, 'block_size');
  return blocks === undefined || size === undefined ? undefined : blocks * size;
}

function wholeLabel({ labels }: Sample, name: string): number | undefined {
  const value = labels[name] ?? '';
  return /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/**
 * SGLang's load: /v1/loads, before it /get_load, and the metrics page where neither is (it needs --enable-metrics).
 * Source  SGLang v1_loads.py, io_struct.py (GetLoadReqOutput), metrics/collector.py; metric names with `:` or `_`.
 */
import { asArray, asObject, amountAt, jsonOf } from '../read-json.ts';
import type { JsonObject } from '../read-json.ts';
import type { EngineLoad, LoadSource, RankLoad } from './engine-load.ts';
import { readMetrics, samplesOf, sumOf } from './metrics-text.ts';
import type { MetricSamples, Sample } from './metrics-text.ts';

export const sglangSources: readonly LoadSource[] = [
  {
    path: '/v1/loads?include=core,queues,memory',
    read: (text) => loadOf(asArray(asObject(parse(text))?.['loads']).map((entry, at) => fromLoads(entry, at))),
  },
  { path: '/get_load', read: (text) => loadOf(asArray(parse(text)).map((entry, at) => fromGetLoad(entry, at))) },
  { path: '/metrics', read: (text) => fromMetrics(readMetrics(text)) },
];

function parse(text: string): unknown {
  return jsonOf({ status: 200, contentType: undefined, text });
}

function loadOf(entries: readonly (RankLoad | undefined)[]): EngineLoad | undefined {
  const ranks = entries.filter((entry) => entry !== undefined);
  return ranks.length === 0 ? undefined : { ranks, instance: undefined };
}

function fromLoads(entry: unknown, at: number): RankLoad | undefined {
  const load = asObject(entry);
  const running = load && amountAt(load, 'num_running_reqs');
  if (!load || running === undefined) return undefined;
  return {
    rank: rankOf(load, at),
    running,
    waiting: amountAt(load, 'num_waiting_reqs') ?? 0,
    waitingTokens: amountAt(load, 'num_waiting_uncached_tokens'),
    usedTokens: amountAt(load, 'num_used_tokens'),
    capacityTokens: amountAt(load, 'max_total_num_tokens'),
    throughput: amountAt(load, 'gen_throughput'),
    cacheHitRate: amountAt(load, 'cache_hit_rate'),
  };
}

/** The older form counts running and waiting calls together. */
function fromGetLoad(entry: unknown, at: number): RankLoad | undefined {
  const load = asObject(entry);
  const all = load && amountAt(load, 'num_reqs');
  if (!load || all === undefined) return undefined;
  const waiting = Math.min(all, amountAt(load, 'num_waiting_reqs') ?? 0);
  return {
    rank: rankOf(load, at),
    running: all - waiting,
    waiting,
    waitingTokens: undefined,
    usedTokens: amountAt(load, 'num_tokens'),
    capacityTokens: undefined,
    throughput: undefined,
    cacheHitRate: undefined,
  };
}

function rankOf(load: JsonObject, at: number): number {
  return amountAt(load, 'dp_rank') ?? at;
}

function fromMetrics(metrics: MetricSamples): EngineLoad | undefined {
  const all = (name: string) => samplesOf(metrics, [`sglang:${name}`, `sglang_${name}`]).filter(isWhole);
  const running = all('num_running_reqs');
  const ranks = [...new Set(running.map(rankLabel))];
  return loadOf(
    ranks.map((rank, at) => {
      const figure = (name: string) => sumOf(all(name).filter((sample) => rankLabel(sample) === rank));
      return {
        rank: rank === '' ? at : Number(rank),
        running: figure('num_running_reqs') ?? 0,
        waiting: figure('num_queue_reqs') ?? 0,
        waitingTokens: undefined,
        usedTokens: figure('num_used_tokens'),
        capacityTokens: figure('max_total_num_tokens'),
        throughput: figure('gen_throughput'),
        cacheHitRate: figure('cache_hit_rate'),
      };
    }),
  );
}

/** Figures are told once for all priorities and again for each; and only the first of a rank's processes counts. */
function isWhole({ labels }: Sample): boolean {
  return (labels['priority'] ?? '') === '' && (labels['tp_rank'] ?? '0') === '0' && (labels['pp_rank'] ?? '0') === '0';
}

function rankLabel({ labels }: Sample): string {
  const rank = labels['dp_rank'] ?? '';
  return /^\d{1,4}$/.test(rank) ? rank : '';
}

/** What engines say of their load, in their own words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../domain/worker.ts';
import type { RankLoad } from './engine-load.ts';
import { totalOf } from './engine-load.ts';
import { loadSourcesOf } from './index.ts';
import { readMetrics } from './metrics-text.ts';

function read(engine: Engine, path: string, body: unknown) {
  const source = loadSourcesOf(engine).find((one) => one.path.startsWith(path));
  assert.ok(source);
  return source.read(typeof body === 'string' ? body : JSON.stringify(body));
}

const NONE: Omit<RankLoad, 'rank' | 'running' | 'waiting'> = {
  waitingTokens: undefined,
  usedTokens: undefined,
  capacityTokens: undefined,
  throughput: undefined,
  cacheHitRate: undefined,
};

test('SGLang: each rank of /v1/loads', () => {
  const core = {
    num_waiting_reqs: 1,
    num_waiting_uncached_tokens: 900,
    num_used_tokens: 300,
    max_total_num_tokens: 1_000,
  };
  const rates = { gen_throughput: 41.5, cache_hit_rate: 0.5, token_usage: 0.3 };
  const loads = [0, 1].map((rank) => ({ dp_rank: rank, num_running_reqs: 2 + rank, ...core, ...rates }));
  const load = read('sglang', '/v1/loads', { timestamp: 'now', version: '0.5.9', dp_rank_count: 2, loads });
  const figures = {
    waiting: 1,
    waitingTokens: 900,
    usedTokens: 300,
    capacityTokens: 1_000,
    throughput: 41.5,
    cacheHitRate: 0.5,
  };
  assert.deepEqual(load?.ranks, [
    { rank: 0, running: 2, ...figures },
    { rank: 1, running: 3, ...figures },
  ]);
});

test('SGLang: /get_load counts running and waiting calls together', () => {
  const load = read('sglang', '/get_load', [{ dp_rank: 1, num_reqs: 5, num_waiting_reqs: 2, num_tokens: 70 }]);
  assert.deepEqual(load?.ranks, [{ rank: 1, running: 3, waiting: 2, ...NONE, usedTokens: 70 }]);
});

test('SGLang: the metrics page, without the copies for priorities and for further processes of a rank', () => {
  const load = read(
    'sglang',
    '/metrics',
    `sglang:num_running_reqs{model_name="m",tp_rank="0",priority=""} 3.0
sglang:num_running_reqs{model_name="m",tp_rank="0",priority="1"} 2.0
sglang:num_running_reqs{model_name="m",tp_rank="1",priority=""} 3.0
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 4.0
sglang:num_used_tokens{model_name="m"} 50
sglang:cache_hit_rate{model_name="m"} NaN
sglang:gen_throughput{model_name="m"} 12.5`,
  );
  assert.deepEqual(load?.ranks, [{ rank: 0, running: 3, waiting: 4, ...NONE, usedTokens: 50, throughput: 12.5 }]);
  const ranks = read(
    'sglang',
    '/metrics',
    'sglang_num_running_reqs{dp_rank="0"} 1\nsglang_num_running_reqs{dp_rank="1"} 2',
  );
  assert.deepEqual(
    ranks?.ranks.map(({ rank, running }) => [rank, running]),
    [
      [0, 1],
      [1, 2],
    ],
  );
});

const VLLM = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m\\"{x} 9"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 1.0
vllm:num_requests_waiting{engine="0",model_name="m"} 5.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="100",num_gpu_blocks_override="None"} 1.0
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 600.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.1"} 7.0
process_start_time_seconds 1.7639e+09
`;

test('vLLM: each engine of the metrics page, and the start of the process', () => {
  const load = read('vllm', '/metrics', VLLM);
  assert.deepEqual(load?.ranks, [
    { rank: 0, running: 2, waiting: 5, ...NONE, usedTokens: 400, capacityTokens: 1_600, cacheHitRate: 0.6 },
    { rank: 1, running: 1, waiting: 0, ...NONE },
  ]);
  assert.equal(load?.instance, 'start=1763900000');
});

test('vLLM: an older page has one engine and the older name of the gauge', () => {
  const page = `vllm:num_requests_running{model_name="m"} 2
vllm:gpu_cache_usage_perc{model_name="m"} 1.5
vllm:cache_config_info{block_size="10",num_gpu_blocks="10"} 1`;
  assert.deepEqual(read('vllm', '/metrics', page)?.ranks, [
    { rank: 0, running: 2, waiting: 0, ...NONE, usedTokens: 100, capacityTokens: 100 },
  ]);
});

test('an answer that holds no load is none', () => {
  for (const body of [
    '',
    '<html>',
    'null',
    '[]',
    '{}',
    '{"loads":[null,{"num_running_reqs":-1}]}',
    '[{"num_reqs":"3"}]',
  ]) {
    for (const path of ['/v1/loads', '/get_load', '/metrics'])
      assert.equal(read('sglang', path, body), undefined, body);
    assert.equal(read('vllm', '/metrics', body), undefined, body);
  }
  assert.deepEqual(loadSourcesOf('ollama'), []);
});

test('ranks taken together add up, and what nobody told stays unknown', () => {
  const ranks = read('vllm', '/metrics', VLLM)?.ranks ?? [];
  const all = { running: 3, waiting: 5, usedTokens: 400, capacityTokens: 1_600, cacheHitRate: 0.6 };
  assert.deepEqual(totalOf(ranks), { rank: 0, ...NONE, ...all });
});

test('a page of metrics is read only so far', () => {
  const page = Array.from({ length: 20_000 }, (_, i) => `m{i="${i}"} 1`).join('\n');
  assert.equal(readMetrics(page).get('m')?.length, 10_000);
});

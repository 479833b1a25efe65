/** Workers behind gRPC as an operator sees them: how they join, what is shown, and orders to all workers at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { SglangScheduler } from '../../src/backends/grpc/gen/sglang_scheduler_pb.ts';
import { VllmEngine } from '../../src/backends/grpc/gen/vllm_engine_pb.ts';
import { grpcEngine } from '../support/grpc-engine.ts';
import { allReady, engineFor, gatewayFor } from '../support/rig.ts';
import { api } from '../support/workers-api.ts';
import type { Gateway } from '../../src/app/build.ts';

interface Shown {
  readonly url: string;
  readonly connection_mode: string;
  readonly runtime_type: string;
  readonly models: readonly string[];
  readonly version: string;
  readonly context_length: number;
}

async function workersOf(gateway: Gateway): Promise<readonly Shown[]> {
  return (await api(gateway, 'GET', '/workers')).body['workers'] as readonly Shown[];
}

function sglangFor(t: TestContext, told: string[] = []): Promise<string> {
  return grpcEngine(t, SglangScheduler, {
    healthCheck: () => ({ healthy: true }),
    getModelInfo: () => ({ servedModelName: 'qwen3', maxContextLength: 32_768, modelPath: '/m/qwen3' }),
    getServerInfo: () => ({ sglangVersion: '0.5.9', maxTotalNumTokens: 5_000 }),
    getLoads: () => ({ loads: [{ numRunningReqs: 2, numWaitingReqs: 1 }] }),
    flushCache: () => {
      told.push('flush');
      return { success: true };
    },
    startProfile: ({ numSteps }) => {
      told.push(`start ${numSteps}`);
      return { success: true };
    },
    stopProfile: () => ({ success: false, message: 'none is running' }),
  });
}

function vllmFor(t: TestContext): Promise<string> {
  return grpcEngine(t, VllmEngine, {
    healthCheck: () => ({ healthy: true }),
    getModelInfo: () => ({ modelPath: 'meta/llama' }),
  });
}

test('engines behind gRPC join beside those behind HTTP and show what they are', async (t) => {
  const http = await engineFor(t);
  const [sglang, vllm] = await Promise.all([sglangFor(t), vllmFor(t)]);
  const gateway = await gatewayFor(t, [sglang, vllm, http.url]);
  await allReady(gateway, 3);
  const workers = await workersOf(gateway);
  assert.deepEqual(
    workers.map((worker) => [worker.url, worker.connection_mode, worker.runtime_type, worker.models]),
    [
      [sglang, 'grpc', 'sglang', ['qwen3']],
      [vllm, 'grpc', 'vllm', ['meta/llama']],
      [http.url, 'http', 'sglang', ['sim-model']],
    ],
  );
  const [first] = workers;
  assert.deepEqual([first?.version, first?.context_length], ['0.5.9', 32_768]);
});

test('a URL without a scheme is found to be one behind gRPC, and connection_mode says it at once', async (t) => {
  const [sglang, vllm] = await Promise.all([sglangFor(t), vllmFor(t)]);
  const gateway = await gatewayFor(t, [sglang.replace('grpc://', '')]);
  const body = { url: vllm.replace('grpc://', ''), connection_mode: 'grpc' };
  assert.equal((await api(gateway, 'POST', '/workers', body)).status, 202);
  await allReady(gateway, 2);
  const workers = await workersOf(gateway);
  assert.deepEqual(
    workers.map((worker) => [worker.url, worker.connection_mode]),
    [
      [sglang, 'grpc'],
      [vllm, 'grpc'],
    ],
  );
});

test('caches of all workers are flushed in each worker’s own way; one that cannot is named', async (t) => {
  const told: string[] = [];
  const http = await engineFor(t);
  const [sglang, vllm] = await Promise.all([sglangFor(t, told), vllmFor(t)]);
  const gateway = await gatewayFor(t, [sglang, vllm, http.url]);
  await allReady(gateway, 3);
  const { status, body } = await api(gateway, 'POST', '/flush_cache');
  assert.deepEqual(
    [status, body['workers_flushed'], body['total_http_workers'], body['total_grpc_workers']],
    [206, 2, 1, 2],
  );
  assert.match(JSON.stringify(body['failed']), /The engine vllm cannot flush its cache over gRPC/);
  const started = await api(gateway, 'POST', '/start_profile', { url: sglang, num_steps: 3 });
  assert.deepEqual([started.status, told], [200, ['flush', 'start 3']]);
  const stopped = await api(gateway, 'POST', '/stop_profile', { url: sglang });
  assert.match(JSON.stringify(stopped.body), /none is running/);
});

test('questions that a worker answers itself are answered from what an engine behind gRPC has said', async (t) => {
  const gateway = await gatewayFor(t, [await sglangFor(t)]);
  await allReady(gateway, 1);
  const { status, body } = await api(gateway, 'GET', '/get_server_info');
  assert.deepEqual([status, body['served_model_name'], body['version']], [200, 'qwen3', '0.5.9']);
});

test('what an engine behind gRPC reports of its load is shown', async (t) => {
  const gateway = await gatewayFor(t, [await sglangFor(t)], { loadMonitorInterval: 1 });
  await allReady(gateway, 1);
  const loads = async () => JSON.stringify((await api(gateway, 'GET', '/get_loads')).body);
  for (;;) {
    const text = await loads();
    if (!text.includes('"running":2')) continue;
    assert.match(text, /"waiting":1/);
    return;
  }
});

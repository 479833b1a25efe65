/** Small questions to engines, over real sockets, answered by a server on the gRPC library. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { grpcEngine, StatusError } from '../../../test/support/grpc-engine.ts';
import { systemClock } from '../../base/clock.ts';
import type { TokenWorker } from '../../domain/token-generation.ts';
import type { TokenEngineName, WorkerAddress } from '../../domain/worker.ts';
import { GrpcChannels } from './channels.ts';
import { MlxEngine } from './gen/mlx_engine_pb.ts';
import { SglangScheduler } from './gen/sglang_scheduler_pb.ts';
import { TokenSpeedScheduler } from './gen/tokenspeed_scheduler_pb.ts';
import { TrtllmService } from './gen/trtllm_service_pb.ts';
import { VllmEngine } from './gen/vllm_engine_pb.ts';
import { GrpcProber } from './probe.ts';

const LIMIT_MS = 5_000;
const NOW_MS = 1_700_000_000_000;

function proberFor(t: TestContext, wallTime: () => number = () => NOW_MS): GrpcProber {
  const channels = new GrpcChannels(systemClock);
  t.after(() => channels.close());
  return new GrpcProber(channels, { wallTime });
}

function addressOf(url: string, apiKey?: string): WorkerAddress {
  return { id: 'w1', url, apiKey, provider: undefined };
}

function workerAt(url: string, engine: TokenEngineName): TokenWorker {
  return { address: addressOf(url), engine };
}

const WELL = { healthy: true, message: 'fine' };

const engines: readonly (readonly [TokenEngineName, (t: TestContext) => Promise<string>])[] = [
  ['sglang', (t) => grpcEngine(t, SglangScheduler, { healthCheck: () => WELL })],
  ['vllm', (t) => grpcEngine(t, VllmEngine, { healthCheck: () => WELL })],
  ['trtllm', (t) => grpcEngine(t, TrtllmService, { healthCheck: () => ({ status: 'oK' }) })],
  ['tokenspeed', (t) => grpcEngine(t, TokenSpeedScheduler, { healthCheck: () => WELL })],
  ['mlx', (t) => grpcEngine(t, MlxEngine, { healthCheck: () => WELL })],
];

for (const [engine, start] of engines) {
  test(`${engine} is known by its own service, and is well`, async (t) => {
    const prober = proberFor(t);
    const url = await start(t);
    const found = await prober.detect(addressOf(url), LIMIT_MS);
    assert.deepEqual([found.engine, found.health.isHealthy], [engine, true]);
    assert.equal((await prober.health(workerAt(url, engine), LIMIT_MS)).isHealthy, true);
    for (const [other] of engines) {
      if (other === engine) continue;
      await assert.rejects(prober.health(workerAt(url, other), LIMIT_MS), { code: 'not_translatable' });
    }
  });
}

test('an engine that is not well is known all the same', async (t) => {
  const prober = proberFor(t);
  const vllm = await grpcEngine(t, VllmEngine, { healthCheck: () => ({ healthy: false, message: 'engine dead' }) });
  assert.deepEqual(await prober.detect(addressOf(vllm), LIMIT_MS), {
    engine: 'vllm',
    health: { isHealthy: false, message: 'engine dead' },
  });
  const trt = await grpcEngine(t, TrtllmService, { healthCheck: () => ({ status: 'STOPPED' }) });
  assert.equal((await prober.detect(addressOf(trt), LIMIT_MS)).health.isHealthy, false);
});

test('a server of something else, one that is not there and one that is silent are told apart', async (t) => {
  const prober = proberFor(t);
  const other = await grpcEngine(t, VllmEngine, { getModelInfo: () => ({}) });
  await assert.rejects(prober.detect(addressOf(other), LIMIT_MS), /none of sglang, vllm, trtllm, tokenspeed, mlx/);
  await assert.rejects(prober.detect(addressOf('grpc://127.0.0.1:1'), LIMIT_MS), { code: 'upstream_unreachable' });
  const silent = await grpcEngine(t, SglangScheduler, { healthCheck: () => 'hang' });
  await assert.rejects(prober.detect(addressOf(silent), 100), { code: 'upstream_timeout' });
  const failing = await grpcEngine(t, SglangScheduler, {
    healthCheck: () => {
      throw new StatusError(13, 'scheduler is gone');
    },
  });
  await assert.rejects(prober.detect(addressOf(failing), LIMIT_MS), /scheduler is gone/);
});

test('the worker’s own key goes with each question', async (t) => {
  const keys: unknown[] = [];
  const url = await grpcEngine(t, SglangScheduler, {
    healthCheck: (_request, metadata) => {
      keys.push(...metadata.get('authorization'));
      return WELL;
    },
  });
  await proberFor(t).detect(addressOf(url, 'secret'), LIMIT_MS);
  assert.deepEqual(keys, ['Bearer secret']);
});

test('SGLang says what it is in two answers; of its arguments only those on a list are shown', async (t) => {
  const url = await grpcEngine(t, SglangScheduler, {
    getModelInfo: () => ({
      modelPath: '/models/qwen',
      servedModelName: 'qwen3',
      maxContextLength: 32_768,
      vocabSize: 151_936,
      eosTokenIds: [1, 2],
      supportsVision: false,
      isGeneration: true,
      defaultSamplingParamsJson: '{"temperature":0.6,"top_k":20,"top_p":0.95,"other":1,"min_p":"x"}',
    }),
    getServerInfo: () => ({
      serverArgs: { api_key: 'sk-secret', tp_size: 2, dp_size: 4, context_length: 16_384, max_running_requests: 256 },
      schedulerInfo: {},
      activeRequests: 7,
      uptimeSeconds: 12,
      sglangVersion: '0.5.9',
      maxTotalNumTokens: 500_000,
      startTime: { seconds: 1_700_000_123n },
    }),
  });
  const told = await proberFor(t).describe(workerAt(url, 'sglang'), LIMIT_MS);
  assert.deepEqual(told, {
    version: '0.5.9',
    model: 'qwen3',
    contextLength: 16_384,
    maxRunning: 256,
    capacityTokens: 500_000,
    dataParallelSize: 4,
    instance: 'start=1700000123',
    samplingDefaults: { temperature: 0.6, topK: 20, topP: 0.95 },
    labels: {
      model_path: '/models/qwen',
      served_model_name: 'qwen3',
      max_context_length: '32768',
      vocab_size: '151936',
      eos_token_ids: '[1,2]',
      supports_vision: 'false',
      is_generation: 'true',
      tp_size: '2',
      dp_size: '4',
      context_length: '16384',
      max_running_requests: '256',
      version: '0.5.9',
      default_sampling_params_json: '{"temperature":0.6,"top_p":0.95,"top_k":20}',
    },
  });
});

test('the other engines say it in their own words', async (t) => {
  const prober = proberFor(t);
  const vllm = await grpcEngine(t, VllmEngine, {
    getModelInfo: () => ({ modelPath: '/m/llama', maxContextLength: 8_192, architectures: ['LlamaForCausalLM'] }),
    getServerInfo: () => ({
      dataParallelSize: 2,
      kvConnector: 'NixlConnector',
      kvEngineId: 'e1',
      uptimeSeconds: 100.4,
    }),
  });
  const ofVllm = await prober.describe(workerAt(vllm, 'vllm'), LIMIT_MS);
  assert.deepEqual(
    [ofVllm.model, ofVllm.contextLength, ofVllm.dataParallelSize, ofVllm.labels['dp_size'], ofVllm.instance],
    ['/m/llama', 8_192, 2, '2', 'engine=e1;start=1699999900'],
  );
  assert.equal(ofVllm.labels['architectures'], '["LlamaForCausalLM"]');
  assert.equal('uptime_seconds' in ofVllm.labels, false);
  const trt = await grpcEngine(t, TrtllmService, {
    getModelInfo: () => ({ modelId: 'llama-trt', maxSeqLen: 4_096, maxBatchSize: 32 }),
    getServerInfo: () => ({ version: '1.2', tensorParallelSize: 8, worldSize: 8 }),
  });
  const ofTrt = await prober.describe(workerAt(trt, 'trtllm'), LIMIT_MS);
  assert.deepEqual(
    [ofTrt.model, ofTrt.contextLength, ofTrt.maxRunning, ofTrt.version, ofTrt.labels['tp_size'], ofTrt.instance],
    ['llama-trt', 4_096, 32, '1.2', '8', undefined],
  );
  const tokenspeed = await grpcEngine(t, TokenSpeedScheduler, {
    getServerInfo: () => ({ tokenspeedVersion: '0.1', serverArgs: { model: '/m/kimi', data_parallel_size: 2 } }),
  });
  const ofTokenSpeed = await prober.describe(workerAt(tokenspeed, 'tokenspeed'), LIMIT_MS);
  assert.deepEqual(
    [ofTokenSpeed.model, ofTokenSpeed.labels['dp_size'], ofTokenSpeed.dataParallelSize],
    ['/m/kimi', '2', undefined],
    'one answer of two is enough, and ranks that no request can name are none',
  );
  const mlx = await grpcEngine(t, MlxEngine, { getModelInfo: () => ({ servedModelName: 'mlx-q' }) });
  assert.equal((await prober.describe(workerAt(mlx, 'mlx'), LIMIT_MS)).model, 'mlx-q');
  await assert.rejects(prober.describe(workerAt('grpc://127.0.0.1:1', 'mlx'), LIMIT_MS), {
    code: 'upstream_unreachable',
  });
});

test('a start that is computed from how long an engine runs stands still until it was started anew', async (t) => {
  let now = NOW_MS;
  let uptimeSeconds = 100;
  const url = await grpcEngine(t, MlxEngine, { getServerInfo: () => ({ uptimeSeconds }) });
  const prober = proberFor(t, () => now);
  const instance = async () => (await prober.describe(workerAt(url, 'mlx'), LIMIT_MS)).instance;
  const first = await instance();
  now += 60_000;
  uptimeSeconds += 57;
  assert.equal(await instance(), first);
  now += 60_000;
  uptimeSeconds = 20;
  assert.notEqual(await instance(), first);
});

test('loads are told by rank, and not at all by engines that have none', async (t) => {
  const prober = proberFor(t);
  const sglang = await grpcEngine(t, SglangScheduler, {
    getLoads: ({ include }) => {
      assert.deepEqual(include, ['core', 'queues', 'memory']);
      return {
        loads: [
          {
            dpRank: 1,
            numRunningReqs: 3,
            numWaitingReqs: 2,
            numUsedTokens: 500,
            maxTotalNumTokens: 1_000,
            genThroughput: 12.5,
            cacheHitRate: 0.5,
            numWaitingUncachedTokens: 77,
          },
        ],
      };
    },
  });
  assert.deepEqual(await prober.loads(workerAt(sglang, 'sglang'), LIMIT_MS), {
    ranks: [
      {
        rank: 1,
        running: 3,
        waiting: 2,
        waitingTokens: 77,
        usedTokens: 500,
        capacityTokens: 1_000,
        throughput: 12.5,
        cacheHitRate: 0.5,
      },
    ],
    instance: undefined,
  });
  const vllm = await grpcEngine(t, VllmEngine, {
    getLoads: () => ({ loads: [{ numRunningReqs: 1, numWaitingReqs: 4 }] }),
  });
  const [rank] = (await prober.loads(workerAt(vllm, 'vllm'), LIMIT_MS))?.ranks ?? [];
  assert.deepEqual([rank?.running, rank?.waiting, rank?.waitingTokens], [1, 4, undefined]);
  const older = await grpcEngine(t, TokenSpeedScheduler, { healthCheck: () => WELL });
  assert.equal(await prober.loads(workerAt(older, 'tokenspeed'), LIMIT_MS), undefined);
  assert.equal(await prober.loads(workerAt(older, 'mlx'), LIMIT_MS), undefined);
});

test('caches are flushed and profiles recorded where the engine can', async (t) => {
  const told: unknown[] = [];
  const prober = proberFor(t);
  const url = await grpcEngine(t, SglangScheduler, {
    flushCache: ({ timeoutS }) => {
      told.push(timeoutS);
      return { success: true };
    },
    startProfile: ({ outputDir, numSteps, activities, profileByStage }) => {
      told.push({ outputDir, numSteps, activities, profileByStage });
      return { success: true };
    },
    stopProfile: () => ({ success: false, message: 'none is running' }),
  });
  const worker = workerAt(url, 'sglang');
  await prober.flushCache(worker, 3_000);
  await prober.startProfile(worker, { output_dir: '/tmp/p', num_steps: 5, activities: ['CPU', 3], with_stack: 'x' });
  assert.deepEqual(told, [3, { outputDir: '/tmp/p', numSteps: 5, activities: ['CPU'], profileByStage: false }]);
  await assert.rejects(prober.stopProfile(worker), /did not do it: none is running/);
  await assert.rejects(prober.flushCache(workerAt(url, 'vllm'), 3_000), { code: 'not_translatable' });
});

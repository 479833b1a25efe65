/** Finding out what a worker is, from what real engines answer and from what is no engine at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../test/support/no-engines.ts';
import { workerOf } from '../../test/support/fleet.ts';
import { sglang, TableProber, vllm } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { WorkerFacts, WorkerSpec } from '../domain/worker.ts';
import { onboard } from './onboarding.ts';
import type { OnboardingDeps } from './onboarding.ts';

const WORKER = workerOf('w1', { state: 'probing', facts: null });

function depsOf(prober: TableProber, healthPath = '/health'): OnboardingDeps {
  return { prober, engines: noEngines, healthPath, timeoutMs: 100, clock: new ManualClock() };
}

async function factsOf(answers: Answers | null, spec: Partial<WorkerSpec> = {}): Promise<WorkerFacts> {
  const worker = workerOf('w1', { state: 'probing', facts: null, spec });
  return onboard(worker, depsOf(new TableProber(answers)), () => undefined);
}

async function refusalOf(answers: Answers | null): Promise<{ step: string; message: string }> {
  let step = '';
  try {
    await onboard(WORKER, depsOf(new TableProber(answers)), (name) => (step = name));
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError);
    return { step, message: thrown.message };
  }
  return assert.fail('the worker was taken');
}

const NO_ENGINE: Answers = { '/health': 200, '/v1/models': { data: [{ id: 'm', owned_by: 'someone' }] } };

test('SGLang is known by its models, its version by its server info', async () => {
  const { engine, version, models, contextLength, healthPath } = await factsOf(sglang);
  assert.deepEqual(
    { engine, version, models, contextLength, healthPath },
    {
      engine: 'sglang',
      models: ['qwen/qwen3-8b'],
      contextLength: 40_960,
      version: '0.5.3',
      healthPath: '/health',
    },
  );
});

test('vLLM is known by its models; every id counts, the base model and its adapters, once each', async () => {
  const { engine, version, models, contextLength, healthPath } = await factsOf(vllm);
  assert.deepEqual(
    { engine, version, models, contextLength, healthPath },
    {
      engine: 'vllm',
      models: ['llama', 'sql-lora'],
      contextLength: 8_192,
      version: '0.10.1',
      healthPath: '/health',
    },
  );
});

test('an engine whose models have another owner is known by the endpoint that only it has', async () => {
  assert.equal((await factsOf({ ...NO_ENGINE, '/server_info': { version: '0.4', model_path: 'm' } })).engine, 'sglang');
  assert.equal((await factsOf({ ...NO_ENGINE, '/version': { version: '0.9' } })).engine, 'vllm');
});

test('anything else that speaks the API is compatible, of no known version', async () => {
  const { engine, version, models } = await factsOf(NO_ENGINE);
  assert.deepEqual({ engine, version, models }, { engine: 'openai-compatible', version: undefined, models: ['m'] });
});

test('an engine without a version still is that engine', async () => {
  const { engine, version } = await factsOf({ ...sglang, '/server_info': 404 });
  assert.deepEqual({ engine, version }, { engine: 'sglang', version: undefined });
});

test('a worker that leaves questions about its engine unanswered joins all the same', async () => {
  for (const silent of [
    { '/server_info': undefined },
    { '/version': undefined },
    { '/server_info': undefined, '/version': undefined },
  ]) {
    assert.equal((await factsOf({ ...NO_ENGINE, ...silent })).engine, 'openai-compatible');
  }
  assert.equal((await factsOf({ ...sglang, '/server_info': undefined })).engine, 'sglang');
  assert.equal(
    (await factsOf({ ...NO_ENGINE, '/server_info': undefined, '/version': { version: '0.9' } })).engine,
    'vllm',
  );
});

test('health is asked at the configured path', async () => {
  const prober = new TableProber({ ...sglang, '/alive': 200, '/health': 500 });
  const facts = await onboard(WORKER, depsOf(prober, '/alive'), () => undefined);
  assert.equal(prober.asked[0], '/alive');
  assert.equal(facts.healthPath, '/alive');
});

for (const status of [404, 405]) {
  test(`where health answers ${status} the list of models stands for it`, async () => {
    assert.equal((await factsOf({ ...vllm, '/health': status })).healthPath, '/v1/models');
  });
}

test('a path that is not there does not make a worker of anything that answers', async () => {
  assert.deepEqual(await refusalOf({}), { step: 'connect', message: 'GET /health answered 404' });
});

test('a worker that is not well, or not there, is not taken', async () => {
  assert.deepEqual(await refusalOf({ ...sglang, '/health': 503 }), {
    step: 'connect',
    message: 'GET /health answered 503',
  });
  assert.deepEqual(await refusalOf({ ...sglang, '/health': 301 }), {
    step: 'connect',
    message: 'GET /health answered 301',
  });
  assert.deepEqual(await refusalOf(null), { step: 'connect', message: 'Worker w1 refused the connection' });
  assert.deepEqual(await refusalOf({ '/health': undefined }), { step: 'connect', message: 'Worker w1 did not answer' });
});

for (const status of [401, 403]) {
  test(`a worker that answers ${status} is not taken, and what is said tells of the key`, async () => {
    const hint = '; it needs a key (api_key, or --worker-api-key)';
    assert.deepEqual(await refusalOf({ ...vllm, '/health': status }), {
      step: 'connect',
      message: `GET /health answered ${status}${hint}`,
    });
    const models = await refusalOf({ ...vllm, '/v1/models': status });
    assert.deepEqual(models, { step: 'list_models', message: `GET /v1/models answered ${status}${hint}` });
  });
}

test('a list of models that fails now is asked for again, not taken for empty', async () => {
  assert.equal((await refusalOf({ ...vllm, '/v1/models': 500 })).step, 'list_models');
  assert.equal((await refusalOf({ ...vllm, '/v1/models': undefined })).step, 'list_models');
});

const lists: readonly (readonly [string, Answers[string], readonly string[]])[] = [
  ['not there', 404, []],
  ['no JSON', '<html>', []],
  ['empty', { data: [] }, []],
  ['no list', { data: 'm' }, []],
  ['null', 'null', []],
  ['a bare array', '["m"]', []],
  ['cards without ids', { data: [null, 7, 'm', {}, { id: 9 }] }, []],
  ['some cards without ids', { data: [{ name: 'x' }, { id: 'a' }, null, { id: 'b' }] }, ['a', 'b']],
];

for (const [name, answer, models] of lists) {
  test(`of a list of models that is ${name} what can be read counts; nothing means any model`, async () => {
    assert.deepEqual((await factsOf({ '/health': 200, '/v1/models': answer })).models, models);
  });
}

test('the steps are told in their order', async () => {
  const steps: string[] = [];
  await onboard(WORKER, depsOf(new TableProber(sglang)), (name) => steps.push(name));
  assert.deepEqual(steps, ['classify', 'connect', 'detect_engine', 'read_metadata', 'list_models']);
});

/** As SGLang answers it, with what it was started with, a key among it. */
const SERVER_INFO = {
  model_path: '/models/qwen',
  served_model_name: 'qwen/qwen3-8b',
  api_key: 'sk-secret',
  admin_api_key: 'sk-admin',
  context_length: 40_960,
  max_running_requests: 256,
  max_total_num_tokens: 500_000,
  dp_size: 4,
  tp_size: 2,
  random_seed: 42,
  schedule_policy: 'fcfs\u001b[31m',
  kv_cache_dtype: 'x'.repeat(1_000),
  quantization: null,
  internal_states: [{ memory_usage: { token_capacity: 400_000 } }],
  version: '0.5.9',
};

test('SGLang says its limits, ranks and start, in its newer and its older words', async () => {
  for (const path of ['/server_info', '/get_server_info']) {
    const facts = await factsOf({ ...sglang, '/server_info': 404, [path]: SERVER_INFO });
    const { contextLength, maxRunning, capacityTokens, dataParallelSize, instance, version } = facts;
    assert.deepEqual(
      { contextLength, maxRunning, capacityTokens, dataParallelSize, instance, version },
      {
        contextLength: 40_960,
        maxRunning: 256,
        capacityTokens: 500_000,
        dataParallelSize: 4,
        instance: 'seed=42',
        version: '0.5.9',
      },
    );
  }
  const { max_total_num_tokens: _gone, ...older } = SERVER_INFO;
  assert.equal((await factsOf({ ...sglang, '/server_info': older })).capacityTokens, 400_000);
});

test('labels are picked by name: no key of the engine is among them, long text is cut, control characters go', async () => {
  const { labels } = await factsOf({ ...sglang, '/server_info': SERVER_INFO, '/model_info': { model_type: 'qwen3' } });
  assert.equal(labels['served_model_name'], 'qwen/qwen3-8b');
  assert.equal(labels['tp_size'], '2');
  assert.equal(labels['model_type'], 'qwen3');
  assert.equal(labels['schedule_policy'], 'fcfs[31m');
  assert.equal(labels['kv_cache_dtype']?.length, 256);
  assert.equal('quantization' in labels, false);
  assert.doesNotMatch(JSON.stringify(labels), /sk-/);
});

test('numbers that no engine would say are not believed', async () => {
  const odd = { ...SERVER_INFO, dp_size: 1e9, context_length: -1, max_running_requests: '256', random_seed: null };
  const facts = await factsOf({ ...sglang, '/server_info': odd });
  assert.deepEqual([facts.dataParallelSize, facts.maxRunning, facts.instance], [1, undefined, undefined]);
  assert.equal(facts.contextLength, 40_960, 'from the list of models');
});

const VLLM_METRICS = `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 1.0
vllm:num_requests_running{engine="1",model_name="llama"} 2.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="1000"} 1.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="1",num_gpu_blocks="1000"} 1.0
process_start_time_seconds 1.7639e+09
`;

test('vLLM says its cache, ranks and start on its metrics page', async () => {
  const facts = await factsOf({ ...vllm, '/metrics': VLLM_METRICS });
  const { capacityTokens, dataParallelSize, instance, labels } = facts;
  assert.deepEqual([capacityTokens, dataParallelSize, instance], [32_000, 2, 'start=1763900000']);
  assert.equal(labels['model_path'], 'meta/llama');
});

test('a vLLM server that sees some ranks of a larger deployment is one worker', async () => {
  const page = VLLM_METRICS.replaceAll('engine="0"', 'engine="2"').replaceAll('engine="1"', 'engine="3"');
  assert.equal((await factsOf({ ...vllm, '/metrics': page })).dataParallelSize, 1);
});

const owned = (owner: string | undefined, id = 'm') => ({ data: [{ id, object: 'model', owned_by: owner }] });

const engines: readonly (readonly [string, Answers, Partial<WorkerFacts>])[] = [
  [
    'TensorRT-LLM',
    { '/health': 200, '/v1/models': owned('tensorrt_llm'), '/version': { version: '1.2.0' } },
    { engine: 'trtllm', version: '1.2.0', healthPath: '/health' },
  ],
  [
    'llama.cpp',
    {
      '/health': { status: 'ok' },
      '/v1/models': { data: [{ id: 'm', owned_by: 'llamacpp', meta: { n_ctx_train: 131_072 } }] },
      '/props': { default_generation_settings: { n_ctx: 4_096 }, total_slots: 4, build_info: 'b7100' },
    },
    { engine: 'llama_cpp', version: 'b7100', contextLength: 4_096, maxRunning: 4 },
  ],
  [
    'Ollama',
    {
      '/v1/models': owned('library', 'llama3:8b'),
      '/api/version': { version: '0.13.0' },
      '/api/tags': { models: [{ name: 'llama3:8b' }, { name: 'me/other:latest' }] },
    },
    { engine: 'ollama', version: '0.13.0', healthPath: '/v1/models', models: ['llama3:8b', 'me/other:latest'] },
  ],
  [
    'Ollama whose models are of somebody',
    { '/v1/models': owned('me', 'me/other'), '/': 'Ollama is running' },
    { engine: 'ollama', models: ['me/other'] },
  ],
  ['MLX', { '/health': { status: 'ok' }, '/v1/models': owned(undefined) }, { engine: 'mlx', version: undefined }],
];

for (const [name, answers, expected] of engines) {
  test(`${name} is known by its own answers`, async () => {
    const facts = await factsOf(answers);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(facts[key as keyof WorkerFacts], value, key);
  });
}

test('the engine that the spec names is believed, and no sign is asked for', async () => {
  const prober = new TableProber({ '/health': 200, '/v1/models': owned('somebody'), '/version': { version: '9' } });
  const worker = workerOf('w', { facts: null, spec: { runtime: 'trtllm' } });
  const facts = await onboard(worker, depsOf(prober), () => undefined);
  assert.deepEqual([facts.engine, facts.version], ['trtllm', '9']);
  assert.deepEqual(
    prober.asked.filter((path) => !path.startsWith('/v1/') || path === '/v1/models'),
    ['/health', '/version', '/v1/models'],
  );
  assert.equal((await factsOf(sglang, { runtime: 'tokenspeed' })).engine, 'openai-compatible');
});

test('models that the spec names take the place of those that the worker lists, aliases beside them', async () => {
  const card = { id: 'mine', displayName: undefined, aliases: ['fast', 'cheap'], contextLength: 2_048 };
  const facts = await factsOf(sglang, { models: [card, { ...card, id: 'other', aliases: [] }] });
  assert.deepEqual(facts.models, ['mine', 'fast', 'cheap', 'other']);
  assert.equal(facts.contextLength, 2_048);
  const mute = await factsOf({ '/health': 200, '/v1/models': 500 }, { models: [card] });
  assert.equal(mute.models.length, 3, 'a list that fails is not needed');
});

test('what a worker lists is bounded in number and length', async () => {
  const ids = [...Array.from({ length: 10_050 }, (_, i) => `m${i}`)];
  const data = [{ id: 'é'.repeat(257) }, ...ids.map((id) => ({ id }))];
  const { models } = await factsOf({ '/health': 200, '/v1/models': { data } });
  assert.deepEqual([models.length, models[0], models.at(-1)], [10_000, 'm0', 'm9999']);
});

test('a worker with a key that refuses it is said to, at the list of models too', async () => {
  const worker = workerOf('w', { facts: null, spec: { apiKey: 'wrong' } });
  const refused = (answers: Answers) => onboard(worker, depsOf(new TableProber(answers)), () => undefined);
  await assert.rejects(refused({ ...vllm, '/health': 401 }), /answered 401; it refuses the key that it was given/);
  await assert.rejects(refused({ '/v1/models': 403 }), /GET \/v1\/models answered 403; it refuses the key/);
});

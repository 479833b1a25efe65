/** Finding out what a worker is, from what real engines answer and from what is no engine at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { sglang, TableProber, vllm } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { GatewayError } from '../domain/errors.ts';
import type { WorkerFacts } from '../domain/worker.ts';
import { onboard } from './onboarding.ts';

const WORKER = workerOf('w1', { state: 'probing', facts: null });

async function factsOf(answers: Answers | null, healthPath = '/health'): Promise<WorkerFacts> {
  return onboard(WORKER, new TableProber(answers), { healthPath, timeoutMs: 100 }, () => undefined);
}

async function refusalOf(answers: Answers | null): Promise<{ step: string; message: string }> {
  let step = '';
  try {
    await onboard(WORKER, new TableProber(answers), { healthPath: '/health', timeoutMs: 100 }, (name) => (step = name));
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
  assert.equal((await factsOf({ ...NO_ENGINE, '/server_info': { version: '0.4' } })).engine, 'sglang');
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
  const facts = await onboard(WORKER, prober, { healthPath: '/alive', timeoutMs: 100 }, () => undefined);
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
    const hint = '; it may need a key (--worker-api-key)';
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
  await onboard(WORKER, new TableProber(sglang), { healthPath: '/health', timeoutMs: 100 }, (name) => steps.push(name));
  assert.deepEqual(steps, ['connect', 'list_models', 'detect_engine']);
});

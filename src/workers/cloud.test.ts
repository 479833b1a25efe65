/** Workers of providers: how they join, with and without a key, and how it is known that they are well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../test/support/no-engines.ts';
import { candidateOf, specOf } from '../../test/support/fleet.ts';
import { settled, TableProber } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { limitsOf } from '../domain/worker.ts';
import type { WorkerSpec } from '../domain/worker.ts';
import { Fleet } from './fleet.ts';
import { LoadBook } from './load.ts';
import { Registry } from './registry.ts';

const OPTIONS = {
  healthPath: '/health',
  probeTimeoutMs: 5_000,
  intervalMs: 60_000,
  failureThreshold: 3,
  successThreshold: 2,
  isActive: true,
  maxRetryMs: 30_000,
  startupTimeoutMs: 600_000,
  drainLimitMs: 180_000,
  lookIntervalMs: 300_000,
};

const OPENAI: Answers = { '/v1/models': { object: 'list', data: [{ id: 'gpt-4o' }, { id: 'o3' }] } };

async function cloudOf(answers: Answers | null, spec: Partial<WorkerSpec> = {}) {
  const clock = new ManualClock();
  const prober = new TableProber(answers);
  const checks: boolean[] = [];
  const calls = { successes: 0 };
  const registry = new Registry({
    open: (id) => ({ candidate: candidateOf(id), gate: { mayServe: () => true } }),
    close: () => undefined,
    onStateChange: () => undefined,
  });
  const fleet = new Fleet(OPTIONS, {
    registry,
    prober,
    engines: noEngines,
    telemetry: {
      stateChanged: () => undefined,
      breakerChanged: () => undefined,
      healthChecked: (_, isHealthy) => checks.push(isHealthy),
    },
    clock,
    random: seededRandom(1),
    loads: new LoadBook(),
    disconnect: () => undefined,
    onCacheLost: () => undefined,
    successesOf: () => calls.successes,
  });
  const { id } = fleet.add(specOf({ url: 'https://api.openai.com', ...spec })).worker;
  await settled();
  const pass = async (seconds: number) => {
    for (let at = 0; at < seconds; at += 1) {
      clock.advance(1_000);
      await settled();
    }
  };
  const worker = () => {
    const found = registry.get(id);
    assert.ok(found);
    return found;
  };
  const names = (model: string) => registry.snapshot().cloudMembersFor(model).length;
  return { clock, prober, registry, fleet, id, checks, calls, pass, worker, names };
}

test('a provider’s worker joins with what it lists for its key, and is asked nothing else', async () => {
  const { worker, prober } = await cloudOf(OPENAI, { apiKey: 'k' });
  const { state, facts } = worker();
  assert.deepEqual([state, facts?.engine, facts?.models], ['ready', 'external', ['gpt-4o', 'o3']]);
  assert.deepEqual(prober.asked, ['/v1/models']);
});

test('without a key it is ready at once, never asked, and takes the models of its provider’s name', async () => {
  const { worker, prober, pass, names, registry, clock } = await cloudOf(null);
  assert.deepEqual([worker().state, worker().facts?.models], ['ready', []]);
  assert.deepEqual([names('gpt-4o'), names('openai/whatever'), names('llama'), names('claude-x')], [1, 1, 0, 0]);
  assert.deepEqual(registry.snapshot().wildcards, []);
  await pass(700);
  assert.deepEqual([prober.asked, clock.pendingTimers], [[], 0]);
});

test('a worker with a list takes models of its provider’s name beyond it, one whose models were named does not', async () => {
  const listed = await cloudOf(OPENAI, { apiKey: 'k' });
  assert.equal(listed.names('gpt-9-hidden'), 1);
  const card = { id: 'gpt-4o', displayName: undefined, aliases: ['four'], contextLength: 9 };
  const named = await cloudOf(null, { apiKey: 'k', models: [card] });
  assert.equal(named.names('gpt-9-hidden'), 0);
  assert.deepEqual(named.worker().facts?.models, ['gpt-4o', 'four']);
  assert.deepEqual(
    [limitsOf(named.worker(), 'four').contextLength, limitsOf(named.worker(), 'x').contextLength],
    [9, 9],
  );
  assert.deepEqual(named.prober.asked, []);
});

for (const status of [401, 403]) {
  test(`a stored key that is refused with ${status} keeps it from being ready, and the reason is shown`, async () => {
    const { worker, prober, pass } = await cloudOf({ '/v1/models': status }, { apiKey: 'CANARY' });
    assert.equal(worker().state, 'probing');
    const text = `GET /v1/models answered ${status}; it refuses the key that it was given`;
    assert.equal(worker().progress.lastError, text);
    prober.answers = OPENAI;
    await pass(11);
    assert.equal(worker().state, 'ready');
  });
}

test('Anthropic is read page by page, Gemini too, and limits come along', async () => {
  const page = (id: string, has_more: boolean) => ({
    data: [{ id, max_input_tokens: 200_000 }],
    has_more,
    last_id: id,
  });
  const anthropic = await cloudOf(
    {
      '/v1/models?limit=1000': page('claude-a', true),
      '/v1/models?limit=1000&after_id=claude-a': page('claude-b', false),
    },
    { url: 'https://api.anthropic.com', apiKey: 'k' },
  );
  assert.deepEqual(anthropic.worker().facts?.models, ['claude-a', 'claude-b']);
  assert.equal(limitsOf(anthropic.worker(), 'claude-b').contextLength, 200_000);
  assert.equal(limitsOf(anthropic.worker(), 'claude-c').contextLength, undefined);
  const model = { name: 'models/gemini-x', supportedGenerationMethods: ['generateContent'], outputTokenLimit: 8 };
  const gemini = await cloudOf(
    {
      '/v1beta/models?pageSize=1000': { models: [], nextPageToken: 't' },
      '/v1beta/models?pageSize=1000&pageToken=t': { models: [model] },
    },
    { url: 'https://generativelanguage.googleapis.com', apiKey: 'k' },
  );
  assert.deepEqual(gemini.worker().facts?.models, ['gemini-x']);
  assert.equal(limitsOf(gemini.worker(), 'gemini-x').maxOutputTokens, 8);
});

test('pages that never end are read so far and no farther', async () => {
  const answers: Answers = new Proxy<Record<string, object>>(
    {},
    {
      has: () => true,
      get: (_, path) => ({ data: [{ id: `m${String(path).length}` }], has_more: true, last_id: 'x' }),
    },
  );
  const { worker, prober } = await cloudOf(answers, { url: 'https://api.anthropic.com', apiKey: 'k' });
  assert.equal(worker().state, 'ready');
  assert.ok(prober.asked.length <= 20);
});

test('a cloud that has no list is ready with its name alone; one whose list is open is asked without a key', async () => {
  const mute = await cloudOf({}, { url: 'https://api.mine', provider: 'mine', apiKey: 'k' });
  assert.deepEqual([mute.worker().state, mute.worker().facts?.models, mute.names('mine/x')], ['ready', [], 1]);
  const open = await cloudOf(OPENAI, { url: 'https://api.mine', provider: 'mine' });
  assert.deepEqual(open.worker().facts?.models, ['gpt-4o', 'o3']);
  const closed = await cloudOf({ '/v1/models': 401 }, { url: 'https://api.mine', provider: 'mine' });
  assert.deepEqual([closed.worker().state, closed.worker().facts?.models], ['ready', []]);
});

test('a host without a scheme is asked over TLS at once', async () => {
  const { worker } = await cloudOf(OPENAI, { url: 'api.openai.com', apiKey: 'k' });
  assert.equal(worker().address.url, 'https://api.openai.com');
});

test('the list is read anew every five minutes, which is the check too', async () => {
  const { prober, pass, worker, checks } = await cloudOf(OPENAI, { apiKey: 'k' });
  prober.answers = { '/v1/models': { data: [{ id: 'gpt-5' }] } };
  await pass(200);
  assert.equal(prober.asked.length, 1);
  await pass(140);
  assert.deepEqual([prober.asked.length, worker().facts?.models, checks], [2, ['gpt-5'], [true]]);
});

test('checks that fail take it out of service, and it comes back by itself', async () => {
  const { prober, pass, worker, checks } = await cloudOf(OPENAI, { apiKey: 'k' });
  prober.answers = { '/v1/models': 503 };
  while (checks.length === 0) await pass(1);
  assert.equal(worker().state, 'ready', 'one failure is none');
  await pass(40);
  assert.equal(worker().state, 'unhealthy');
  prober.answers = OPENAI;
  await pass(150);
  assert.equal(worker().state, 'ready');
});

test('calls that go well outweigh a check that fails, and its reason is kept to be seen', async () => {
  const { prober, pass, worker, calls } = await cloudOf(OPENAI, { apiKey: 'k' });
  prober.answers = { '/v1/models': 401 };
  for (let round = 0; round < 4; round += 1) {
    calls.successes += 1;
    await pass(340);
  }
  assert.equal(worker().state, 'ready');
  assert.match(worker().progress.lastError ?? '', /answered 401; it refuses the key/);
  await pass(500);
  assert.equal(worker().state, 'unhealthy', 'nothing goes well any more');
});

test('a key that is given later is used to read the list, and one that is taken away ends the asking', async () => {
  const { fleet, id, prober, worker, pass } = await cloudOf(OPENAI);
  fleet.patch(id, { apiKey: 'k' });
  await settled();
  assert.deepEqual(worker().facts?.models, ['gpt-4o', 'o3']);
  fleet.patch(id, { apiKey: undefined });
  await settled();
  const asked = prober.asked.length;
  await pass(700);
  assert.deepEqual([prober.asked.length, worker().facts?.models], [asked, []]);
});

test('a circuit breaker that opens has it checked at once', async () => {
  const { fleet, id, prober } = await cloudOf(OPENAI, { apiKey: 'k' });
  fleet.probeSoon(id);
  await settled();
  assert.equal(prober.asked.length, 2);
});

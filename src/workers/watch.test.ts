/** The watch over one worker: how it joins, goes and comes back, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../test/support/no-engines.ts';
import { candidateOf, specOf } from '../../test/support/fleet.ts';
import { settled, sglang, TableProber, vllm } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { Fleet } from './fleet.ts';
import type { FleetOptions } from './fleet.ts';
import { LoadBook } from './load.ts';
import { Registry } from './registry.ts';

const OPTIONS: FleetOptions = {
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

const SICK: Answers = { ...sglang, '/health': 503 };

interface Rig {
  readonly clock: ManualClock;
  readonly prober: TableProber;
  readonly registry: Registry;
  readonly fleet: Fleet;
  readonly id: string;
  /** Changes of state and results of health checks, in order. */
  readonly told: string[];
  /** Members of which was told that their cache is lost. */
  readonly lost: string[];
  readonly state: () => string | undefined;
  readonly lastError: () => string | undefined;
  /** Moves time to the next timer that is due; returns the time that passed, in whole seconds. */
  readonly next: () => Promise<number>;
  /** Changes what is answered and lets time come to the next timer, so many times. */
  readonly answer: (answers: Answers | null, times?: number) => Promise<void>;
}

async function watchOver(answers: Answers | null, change: Partial<FleetOptions> = {}): Promise<Rig> {
  const clock = new ManualClock();
  const prober = new TableProber(answers);
  const told: string[] = [];
  const lost: string[] = [];
  const registry = new Registry({
    open: (id) => ({ candidate: candidateOf(id), gate: { mayServe: () => true } }),
    close: () => undefined,
    onStateChange: (worker, from) => told.push(`${from} > ${worker.state}`),
  });
  const telemetry = {
    stateChanged: () => undefined,
    breakerChanged: () => undefined,
    healthChecked: (_: string, isHealthy: boolean) => told.push(isHealthy ? 'well' : 'unwell'),
  };
  const deps = {
    registry,
    prober,
    engines: noEngines,
    telemetry,
    clock,
    random: seededRandom(1),
    loads: new LoadBook(),
  };
  const fleet = new Fleet(
    { ...OPTIONS, ...change },
    { ...deps, successesOf: () => 0, disconnect: () => undefined, onCacheLost: (member) => lost.push(member.id) },
  );
  const id = fleet.add(specOf({ url: 'http://w' })).worker.id;
  await settled();
  const next = async () => {
    const before = clock.now();
    assert.equal(clock.pendingTimers, 1, 'one timer at a time');
    const asked = prober.asked.length;
    while (prober.asked.length === asked && clock.now() - before < 200_000) {
      clock.advance(250);
      await Promise.resolve();
    }
    await settled();
    return Math.round((clock.now() - before) / 1_000);
  };
  return {
    clock,
    prober,
    registry,
    fleet,
    id,
    told,
    lost,
    next,
    state: () => registry.get(id)?.state,
    lastError: () => registry.get(id)?.progress.lastError,
    answer: async (then, times = 1) => {
      prober.answers = then;
      for (let i = 0; i < times; i += 1) await next();
    },
  };
}

test('a worker that is well joins at once, with its facts', async () => {
  const { state, registry, id, told } = await watchOver(sglang);
  assert.equal(state(), 'ready');
  assert.deepEqual(registry.get(id)?.facts?.models, ['qwen/qwen3-8b']);
  assert.deepEqual(registry.get(id)?.progress, { step: 'ready', attempts: 1, lastError: undefined });
  assert.deepEqual(told, ['pending > probing', 'probing > ready']);
});

test('a worker that is down at the start is asked after 1, 2, 4, 8, 16 s and then every 30 s', async () => {
  const { next, state } = await watchOver(null);
  const waits: number[] = [];
  for (let i = 0; i < 8; i += 1) waits.push(await next());
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
  assert.equal(state(), 'probing');
});

test('a worker that is down at the start joins when it comes up', async () => {
  const { answer, state, lastError, registry, id } = await watchOver(null);
  assert.equal(state(), 'probing');
  assert.match(lastError() ?? '', /refused the connection/);
  await answer(null, 3);
  assert.equal(registry.get(id)?.progress.attempts, 4);
  await answer(vllm);
  assert.equal(state(), 'ready');
  assert.equal(lastError(), undefined);
});

test('a worker that never comes up is called failed after the start-up time, is asked on slowly, and may still join', async () => {
  const { next, answer, state, clock } = await watchOver(null, { startupTimeoutMs: 100_000 });
  while (state() === 'probing' && clock.now() < 1_000_000) await next();
  assert.equal(state(), 'failed');
  assert.ok(clock.now() >= 100_000 && clock.now() <= 131_000, `failed at ${clock.now()} ms`);
  assert.equal(await next(), 60);
  await answer(sglang);
  assert.equal(state(), 'ready');
});

test('a worker that is ready is asked within its interval, and then at it, give or take a tenth', async () => {
  const { next, told } = await watchOver(sglang);
  const first = await next();
  assert.ok(first >= 6 && first <= 61, `${first} s`);
  const waits: number[] = [];
  for (let i = 0; i < 20; i += 1) waits.push(await next());
  for (const wait of waits) assert.ok(wait >= 54 && wait <= 67, `${wait} s`);
  assert.ok(new Set(waits).size > 3, 'the checks of a fleet are spread');
  assert.deepEqual(
    told.slice(2),
    Array.from({ length: 21 }, () => 'well'),
  );
});

test('it takes as many failures in a row as the threshold to be unhealthy', async () => {
  const { answer, state, lastError } = await watchOver(sglang);
  await answer(SICK, 2);
  assert.equal(state(), 'ready');
  await answer(SICK);
  assert.equal(state(), 'unhealthy');
  assert.equal(lastError(), 'GET /health answered 503');
});

test('a suspicion is looked into soon, not at the next interval', async () => {
  const { answer, next } = await watchOver(sglang);
  await answer(SICK);
  assert.deepEqual([await next(), await next(), await next(), await next()], [1, 2, 4, 8]);
});

test('it takes as many successes in a row as the threshold to come back', async () => {
  const { answer, state, told } = await watchOver(sglang);
  await answer(SICK, 3);
  await answer(sglang);
  assert.equal(state(), 'unhealthy');
  await answer(sglang);
  assert.equal(state(), 'ready');
  assert.deepEqual(told.slice(2), [
    'unwell',
    'unwell',
    'unwell',
    'ready > unhealthy',
    'well',
    'well',
    'unhealthy > ready',
  ]);
});

test('a worker that comes back as something else is known as that', async () => {
  const { answer, registry, id } = await watchOver(sglang);
  await answer(null, 3);
  await answer(vllm, 2);
  assert.equal(registry.get(id)?.state, 'ready');
  assert.deepEqual(registry.get(id)?.facts?.models, ['llama', 'sql-lora']);
  assert.deepEqual(registry.get(id)?.progress, { step: 'ready', attempts: 1, lastError: undefined });
});

test('a worker that stays unhealthy is called failed, and comes back by itself', async () => {
  const { answer, state } = await watchOver(sglang);
  await answer(null, 8);
  assert.equal(state(), 'unhealthy');
  await answer(null);
  assert.equal(state(), 'failed');
  await answer(null, 20);
  assert.equal(state(), 'failed');
  await answer(sglang);
  assert.equal(state(), 'ready');
});

test('health that flaps with every check changes no state, neither of a ready nor of an unhealthy worker', async () => {
  const { answer, state, told } = await watchOver(sglang);
  for (let i = 0; i < 30; i += 1) await answer(i % 2 === 0 ? SICK : sglang);
  assert.equal(state(), 'ready');
  await answer(SICK, 3);
  for (let i = 0; i < 30; i += 1) await answer(i % 2 === 0 ? sglang : SICK);
  assert.equal(state(), 'unhealthy');
  assert.deepEqual(told.filter((line) => line.includes('>')).slice(2), ['ready > unhealthy']);
});

test('one slow check of ten changes nothing', async () => {
  const { answer, told } = await watchOver(sglang);
  for (let i = 0; i < 5; i += 1) {
    await answer({ ...sglang, '/health': undefined });
    await answer(sglang, 9);
  }
  assert.equal(told.filter((line) => line.includes('>')).length, 2);
});

test('a worker that is well again but does not list its models stays away until it does', async () => {
  const { answer, state, lastError } = await watchOver(sglang);
  await answer(SICK, 3);
  await answer({ ...sglang, '/v1/models': 500 }, 4);
  assert.equal(state(), 'unhealthy');
  assert.equal(lastError(), 'GET /v1/models answered 500');
  await answer(sglang);
  assert.equal(state(), 'ready');
});

test('with active checks off a worker that is ready is left in peace', async () => {
  const { clock, state, prober, fleet, id } = await watchOver(sglang, { isActive: false });
  const asked = prober.asked.length;
  prober.answers = null;
  clock.advance(1_000_000);
  await settled();
  fleet.probeSoon(id);
  await settled();
  assert.equal(state(), 'ready');
  assert.equal(prober.asked.length, asked);
  assert.equal(clock.pendingTimers, 0);
});

test('a worker under suspicion is asked at once, once, and its timer moves', async () => {
  const { clock, prober, fleet, id, told } = await watchOver(sglang);
  const asked = prober.asked.length;
  fleet.probeSoon(id);
  fleet.probeSoon(id);
  await settled();
  assert.deepEqual(prober.asked.slice(asked), ['/health']);
  assert.equal(clock.pendingTimers, 1);
  assert.equal(told.at(-1), 'well');
  fleet.probeSoon('no-such-worker');
});

test('after the end no timer is left and nothing is asked any more', async () => {
  for (const answers of [sglang, null]) {
    const { clock, prober, fleet, id } = await watchOver(answers);
    fleet.stop();
    const asked = prober.asked.length;
    fleet.probeSoon(id);
    clock.advance(1_000_000);
    await settled();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(prober.asked.length, asked);
  }
});

for (const [name, before] of Object.entries({ ready: sglang, probing: SICK, unhealthy: null })) {
  test(`an answer that comes after the end changes nothing and sets no timer: ${name}`, async () => {
    for (const answers of [sglang, SICK, null]) {
      const rig = await watchOver(name === 'unhealthy' ? sglang : before, { failureThreshold: 1, successThreshold: 1 });
      if (name === 'unhealthy') await rig.answer(before);
      assert.equal(rig.state(), name);
      rig.prober.answers = answers;
      rig.fleet.probeSoon(rig.id);
      rig.fleet.stop();
      const worker = rig.registry.get(rig.id);
      const lines = rig.told.length;
      await settled();
      assert.equal(rig.registry.get(rig.id), worker);
      assert.equal(rig.told.length, lines);
      assert.equal(rig.clock.pendingTimers, 0);
    }
  });
}

test('a worker that is removed is forgotten by its watch', async () => {
  const { clock, prober, registry, id } = await watchOver(sglang);
  registry.remove(id);
  const asked = prober.asked.length;
  clock.advance(100_000);
  await settled();
  assert.equal(prober.asked.length, asked);
  assert.equal(clock.pendingTimers, 0);
});

test('the same URL twice is watched once', async () => {
  const { clock, fleet } = await watchOver(sglang);
  assert.equal(fleet.add(specOf({ url: 'http://w' })).isNew, false);
  await settled();
  assert.equal(clock.pendingTimers, 1);
});

const started = (seed: number, models: readonly string[] = ['m']): Answers => ({
  '/health': 200,
  '/v1/models': { data: models.map((id) => ({ id, owned_by: 'sglang' })) },
  '/server_info': { model_path: 'm', version: '1', random_seed: seed },
});

test('a worker that is ready is read anew every five minutes: adapters loaded meanwhile are known', async () => {
  const { answer, registry, id, told, clock } = await watchOver(started(1));
  await answer(started(1, ['m', 'adapter']), 2);
  assert.deepEqual(registry.get(id)?.facts?.models, ['m'], 'not with every check');
  while (clock.now() < 400_000) await answer(started(1, ['m', 'adapter']));
  assert.deepEqual(registry.get(id)?.facts?.models, ['m', 'adapter']);
  assert.deepEqual(
    told.filter((line) => line.includes('>')),
    ['pending > probing', 'probing > ready'],
  );
});

test('reading anew changes no snapshot when nothing has changed, and takes no worker away when it fails', async () => {
  const { answer, registry, state, lastError, clock } = await watchOver(started(1));
  const { version } = registry.snapshot();
  while (clock.now() < 400_000) await answer(started(1));
  assert.equal(registry.snapshot().version, version);
  while (clock.now() < 800_000) await answer({ ...started(1), '/v1/models': 500 });
  assert.deepEqual([state(), lastError()], ['ready', 'GET /v1/models answered 500']);
  while (clock.now() < 1_200_000) await answer(started(1));
  assert.equal(lastError(), undefined);
});

test('an engine that was started anew has lost its cache, one that was only away has not', async () => {
  const { answer, lost, id, state } = await watchOver(started(1));
  await answer(null, 3);
  await answer(started(1), 2);
  assert.deepEqual([state(), lost], ['ready', []]);
  await answer(null, 3);
  await answer(started(2), 2);
  assert.deepEqual([state(), lost], ['ready', [id]]);
});

test('a restart between two checks is noticed when somebody has the worker looked at', async () => {
  const { prober, fleet, lost, id, registry } = await watchOver(started(1));
  prober.answers = started(2);
  fleet.lookAgain(id);
  await settled();
  assert.deepEqual(lost, [id]);
  assert.equal(registry.get(id)?.facts?.instance, 'seed=2');
  fleet.lookAgain(id);
  await settled();
  assert.equal(lost.length, 1, 'it is the same one still');
  fleet.lookAgain('no-such-worker');
});

test('of an engine that does not tell its start, flapping wipes nothing, a long absence and `failed` do', async () => {
  const { answer, lost, state, clock } = await watchOver(sglang);
  for (let i = 0; i < 5; i += 1) {
    await answer(SICK, 3);
    await answer(sglang, 2);
    assert.equal(state(), 'ready');
  }
  assert.deepEqual(lost, []);
  const from = clock.now();
  while (clock.now() - from < 70_000) await answer(SICK);
  assert.equal(state(), 'unhealthy');
  await answer(sglang, 2);
  assert.equal(lost.length, 1);
  while (state() !== 'failed') await answer(SICK);
  await answer(sglang);
  assert.deepEqual([state(), lost.length], ['ready', 2]);
});

test('health that alternates with every check changes the state at most twice a minute', async () => {
  const { answer, told, clock } = await watchOver(sglang);
  for (let i = 0; clock.now() < 600_000; i += 1) await answer(i % 2 === 0 ? SICK : sglang);
  const changes = told.filter((line) => line.includes('>')).length - 2;
  assert.ok(changes <= 20, `${changes} in ten minutes`);
});

test('the progress of each attempt is to be seen, and its last error stays until there is another', async () => {
  const { registry, id, answer, lastError } = await watchOver({ ...sglang, '/v1/models': 500 });
  assert.deepEqual(registry.get(id)?.progress, {
    step: 'list_models',
    attempts: 1,
    lastError: 'GET /v1/models answered 500',
  });
  const seen = new Set<string>();
  const leave = registry.subscribe(() => seen.add(registry.get(id)?.progress.step ?? ''));
  await answer(sglang);
  leave();
  assert.deepEqual([...seen], ['classify', 'connect', 'detect_engine', 'read_metadata', 'list_models', 'ready']);
  assert.equal(lastError(), undefined);
});

test('an error of a check that passed the next time is not shown for ever', async () => {
  const { answer, lastError } = await watchOver(sglang);
  await answer(SICK);
  assert.equal(lastError(), 'GET /health answered 503');
  await answer(sglang);
  assert.equal(lastError(), undefined);
});

test('the checks of two thousand workers that join at once are spread: at most a tenth of them in any second', async () => {
  const clock = new ManualClock();
  const prober = new TableProber(started(1));
  const registry = new Registry({
    open: (id) => ({ candidate: candidateOf(id), gate: { mayServe: () => true } }),
    close: () => undefined,
    onStateChange: () => undefined,
  });
  const bySecond = new Map<number, number>();
  const telemetry = {
    stateChanged: () => undefined,
    breakerChanged: () => undefined,
    healthChecked: () => {
      const second = Math.floor(clock.now() / 1_000);
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
    },
  };
  const deps = {
    registry,
    prober,
    engines: noEngines,
    telemetry,
    clock,
    random: seededRandom(1),
    loads: new LoadBook(),
  };
  const fleet = new Fleet(OPTIONS, {
    ...deps,
    disconnect: () => undefined,
    onCacheLost: () => undefined,
    successesOf: () => 0,
  });
  for (let i = 0; i < 2_000; i += 1) fleet.add(specOf({ url: `http://w${i}` }));
  await settled();
  assert.equal(registry.snapshot().workers.filter(({ state }) => state === 'ready').length, 2_000);
  for (let second = 0; second < 130; second += 1) {
    clock.advance(1_000);
    await settled();
  }
  fleet.stop();
  const checks = [...bySecond.values()].reduce((sum, one) => sum + one, 0);
  assert.ok(checks >= 3_800, `${checks} checks in 130 s`);
  assert.ok(Math.max(...bySecond.values()) <= 200, `${Math.max(...bySecond.values())} in one second`);
});

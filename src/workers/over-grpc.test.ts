/** Workers behind gRPC: how they join, are watched and asked for their load, without a network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { candidateOf, factsOf, specOf, workerOf } from '../../test/support/fleet.ts';
import { settled, TableProber } from '../../test/support/prober.ts';
import { TableEngines, WELL } from '../../test/support/table-engines.ts';
import type { EngineAnswers } from '../../test/support/table-engines.ts';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { WorkerFacts, WorkerSpec } from '../domain/worker.ts';
import { Fleet } from './fleet.ts';
import { LoadBook } from './load.ts';
import { LoadMonitor } from './load-monitor.ts';
import { onboard } from './onboarding.ts';
import { Registry } from './registry.ts';

const URL = 'grpc://w:50051';

interface Joined {
  readonly facts: WorkerFacts;
  readonly steps: readonly string[];
  readonly engines: TableEngines;
}

async function joined(answers: EngineAnswers | null, spec: Partial<WorkerSpec> = {}): Promise<Joined> {
  const engines = new TableEngines(answers);
  const prober = new TableProber(null);
  const steps: string[] = [];
  const worker = workerOf('w', { facts: null, spec: { url: URL, ...spec } });
  const deps = { prober, engines, healthPath: '/health', timeoutMs: 100, clock: new ManualClock() };
  const facts = await onboard(worker, deps, (step) => steps.push(step));
  assert.deepEqual(prober.asked, [], 'nothing is asked over HTTP');
  return { facts, steps, engines };
}

const TOLD: EngineAnswers = {
  ...WELL,
  engine: 'vllm',
  description: {
    version: '0.11',
    model: 'llama',
    contextLength: 8_192,
    maxRunning: 64,
    capacityTokens: 1_000,
    dataParallelSize: 2,
    instance: 'start=1',
    samplingDefaults: { temperature: 0.6 },
    labels: { tp_size: '2' },
  },
};

test('an engine behind gRPC joins by the same steps, with what it says of itself', async () => {
  const { facts, steps, engines } = await joined(TOLD);
  assert.deepEqual(facts, {
    url: URL,
    engine: 'vllm',
    connection: 'grpc',
    models: ['llama'],
    contextLength: 8_192,
    modelLimits: new Map(),
    version: '0.11',
    healthPath: '',
    dataParallelSize: 2,
    maxRunning: 64,
    capacityTokens: 1_000,
    instance: 'start=1',
    lacks: [],
    samplingDefaults: { temperature: 0.6 },
    labels: { tp_size: '2' },
  });
  assert.deepEqual(steps, ['classify', 'connect', 'detect_engine', 'read_metadata', 'list_models']);
  assert.deepEqual(engines.asked, [`detect ${URL}`, `describe ${URL}`]);
});

test('models that the spec names take the place of the engine’s own, and without any it takes all', async () => {
  const card = { id: 'mine', displayName: undefined, aliases: ['fast'], contextLength: undefined };
  const named = await joined(TOLD, { models: [card] });
  assert.deepEqual([named.facts.models, named.facts.contextLength], [['mine', 'fast'], 8_192]);
  assert.deepEqual((await joined({ ...WELL, description: {} })).facts.models, []);
});

test('the engine that the spec names is asked for its own health, TokenSpeed too', async () => {
  const { facts, engines } = await joined({ ...WELL, engine: 'tokenspeed' }, { runtime: 'tokenspeed' });
  assert.equal(facts.engine, 'tokenspeed');
  assert.deepEqual(engines.asked, [`health ${URL}`, `describe ${URL}`]);
  await assert.rejects(joined(WELL, { runtime: 'mlx' }), /A gRPC server is there, but it is not mlx/);
  await assert.rejects(joined(WELL, { runtime: 'ollama' }), /ollama does not speak gRPC/);
});

test('an engine that is not well, or not there, does not join', async () => {
  const sick = { ...WELL, health: { isHealthy: false, message: 'loading weights' } };
  await assert.rejects(joined(sick), /sglang says that it is not well: loading weights/);
  await assert.rejects(joined(null), { code: 'upstream_unreachable' });
});

async function watched(answers: EngineAnswers | null) {
  const clock = new ManualClock();
  const engines = new TableEngines(answers);
  const lost: string[] = [];
  const registry = new Registry({
    open: (id) => ({ candidate: candidateOf(id), gate: { mayServe: () => true } }),
    close: () => undefined,
    onStateChange: () => undefined,
  });
  const checks: boolean[] = [];
  const options = {
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
  const fleet = new Fleet(options, {
    registry,
    prober: new TableProber(null),
    engines,
    telemetry: {
      stateChanged: () => undefined,
      breakerChanged: () => undefined,
      healthChecked: (_, isHealthy) => checks.push(isHealthy),
    },
    clock,
    random: seededRandom(1),
    loads: new LoadBook(),
    successesOf: () => 0,
    disconnect: () => undefined,
    onCacheLost: ({ id }) => lost.push(id),
  });
  const { id } = fleet.add(specOf({ url: URL })).worker;
  await settled();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.advance(1_000);
      await settled();
    }
  };
  return { engines, registry, fleet, id, pass, checks, lost, worker: () => registry.get(id) };
}

test('a worker behind gRPC is checked by its engine’s health method, where the healthy flag counts', async () => {
  const rig = await watched(WELL);
  assert.equal(rig.worker()?.state, 'ready');
  await rig.pass(70_000);
  assert.deepEqual([rig.checks[0], rig.engines.asked.at(-1)], [true, `health ${URL}`]);
  rig.engines.answers = { ...WELL, health: { isHealthy: false, message: 'engine dead' } };
  await rig.pass(80_000);
  assert.equal(rig.worker()?.state, 'unhealthy');
  assert.equal(rig.worker()?.progress.lastError, 'The engine is not well: engine dead');
  rig.engines.answers = WELL;
  await rig.pass(120_000);
  assert.equal(rig.worker()?.state, 'ready');
  rig.fleet.stop();
});

test('an engine that tells of another start has lost its cache', async () => {
  const rig = await watched({ ...WELL, description: { instance: 'start=1' } });
  rig.engines.answers = { ...WELL, description: { instance: 'start=2' } };
  rig.fleet.lookAgain(rig.id);
  await rig.pass(2_000);
  assert.deepEqual(rig.lost, [rig.id]);
  rig.fleet.stop();
});

test('a worker that has left is not asked any more', async () => {
  const rig = await watched(null);
  rig.fleet.remove(rig.id);
  const before = rig.engines.asked.length;
  await rig.pass(90_000);
  assert.equal(rig.engines.asked.length, before);
  rig.fleet.stop();
});

function monitored(t: TestContext, answers: EngineAnswers | null) {
  const clock = new ManualClock();
  const engines = new TableEngines(answers);
  const loads = new LoadBook();
  const registry = new Registry({
    open: (id, { spec }) => ({ candidate: loads.open(id, spec), gate: { mayServe: () => true } }),
    close: ({ id }) => loads.close(id),
    onStateChange: () => undefined,
  });
  const { worker } = registry.add(specOf({ url: URL }));
  registry.change(worker.id, { state: 'ready', facts: factsOf({ url: URL, connection: 'grpc', engine: 'mlx' }) });
  const monitor = new LoadMonitor(
    { intervalMs: 10_000 },
    {
      directory: registry,
      loads,
      prober: new TableProber(null),
      engines,
      clock,
      random: seededRandom(1),
      onRestarted: () => undefined,
    },
  );
  monitor.start();
  t.after(() => monitor.stop());
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await settled();
    }
  };
  const [first] = registry.snapshot().members;
  assert.ok(first);
  return { engines, pass, candidate: first.candidate };
}

const RANK = {
  rank: 0,
  running: 3,
  waiting: 1,
  waitingTokens: 77,
  usedTokens: 10,
  capacityTokens: 100,
  throughput: undefined,
  cacheHitRate: undefined,
};

test('the load of a worker behind gRPC is what its engine says', async (t) => {
  const { pass, candidate } = monitored(t, { ...WELL, load: { ranks: [RANK], instance: undefined } });
  await pass(11_000);
  assert.deepEqual([candidate.report?.running, candidate.report?.waitingTokens, candidate.load], [3, 77, 4]);
});

test('an engine that reports no load is asked rarely, one that is away as often as ever', async (t) => {
  const mute = monitored(t, WELL);
  await mute.pass(200_000);
  assert.equal(mute.engines.asked.length, 1);
  const away = monitored(t, null);
  await away.pass(100_000);
  assert.ok(away.engines.asked.length >= 9, `${away.engines.asked.length}`);
});

/** A fleet that changes: patched, replaced, drained and brought back, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../test/support/no-engines.ts';
import { specOf } from '../../test/support/fleet.ts';
import { settled, sglang, TableProber, vllm } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { WorkerAddress } from '../domain/worker.ts';
import { NO_HEALTH_OVERRIDES, NO_RESILIENCE_OVERRIDES } from '../domain/worker.ts';
import { ConditionBook } from './condition.ts';
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
  lookIntervalMs: 300_000,
  startupTimeoutMs: 600_000,
  drainLimitMs: 180_000,
};

const BREAKER = { failureThreshold: 3, successThreshold: 1, openMs: 1_000, windowMs: 60_000 };

/** Remembers with which key and limit it was asked. */
class KeyProber extends TableProber {
  readonly keys: (string | undefined)[] = [];
  readonly limits: number[] = [];

  override async ask(...question: Parameters<TableProber['ask']>): ReturnType<TableProber['ask']> {
    const [worker, , timeoutMs]: [WorkerAddress, unknown, number?] = question as never;
    this.keys.push(worker.apiKey);
    this.limits.push(timeoutMs ?? 0);
    return super.ask(...question);
  }
}

async function fleetOf(answers: Answers | null = sglang) {
  const clock = new ManualClock();
  const prober = new KeyProber(answers);
  const telemetry = {
    stateChanged: () => undefined,
    healthChecked: () => undefined,
    breakerChanged: () => undefined,
  };
  const loads = new LoadBook();
  const conditions = new ConditionBook(BREAKER, telemetry, clock);
  const registry = new Registry({
    open: (id, { spec }) => ({ candidate: loads.open(id, spec), gate: conditions.open(id, spec.resilience) }),
    retune: ({ id, worker: { spec } }) => {
      loads.change(id, spec);
      conditions.change(id, spec.resilience);
    },
    close: ({ id }) => {
      loads.close(id);
      conditions.close(id);
    },
    onStateChange: () => undefined,
  });
  const cuts: string[] = [];
  const running: (() => void)[] = [];
  const fleet = new Fleet(OPTIONS, {
    registry,
    prober,
    engines: noEngines,
    telemetry,
    clock,
    loads,
    random: seededRandom(1),
    onCacheLost: () => undefined,
    successesOf: () => 0,
    disconnect: ({ id }) => {
      cuts.push(id);
      for (const end of running.splice(0)) end();
    },
  });
  const events: string[] = [];
  fleet.onEvent(({ type, worker, from }) => events.push(`${type} ${from ?? ''}>${worker.state}`));
  const { id } = fleet.add(specOf({ url: 'http://w' })).worker;
  await settled();
  const call = () => {
    const leave = loads.enter(id);
    running.push(leave);
    return leave;
  };
  const state = () => registry.get(id)?.state;
  return { clock, prober, loads, conditions, registry, fleet, cuts, events, id, call, state };
}

test('the events of a worker tell its states in order, and nothing of mere progress', async () => {
  const { events, fleet, id } = await fleetOf();
  fleet.patch(id, { priority: 90 });
  fleet.remove(id);
  assert.deepEqual(events, [
    'worker_added >pending',
    'worker_changed pending>probing',
    'worker_changed probing>ready',
    'worker_changed ready>ready',
    'worker_changed ready>draining',
    'worker_removed draining>draining',
  ]);
});

test('priority and cost of a patch count for the very next call', async () => {
  const { fleet, id, registry } = await fleetOf();
  const before = registry.snapshot().members[0]?.candidate;
  fleet.patch(id, { priority: 90, cost: 2 });
  const after = registry.snapshot().members[0]?.candidate;
  assert.equal(after, before, 'the candidate is the same one, with its load');
  assert.deepEqual([after?.priority, after?.cost], [90, 2]);
});

test('a patch keeps what it does not name, and an unknown id has none', async () => {
  const { fleet, id } = await fleetOf();
  fleet.patch(id, { labels: { zone: 'a' } });
  assert.deepEqual(fleet.patch(id, { priority: 1 })?.spec.labels, { zone: 'a' });
  assert.equal(fleet.patch('none', { priority: 1 }), undefined);
});

test('a new key is used for the next probe, which comes at once', async () => {
  const { fleet, id, prober, clock, state } = await fleetOf();
  fleet.patch(id, { apiKey: 'new' });
  await settled();
  assert.equal(prober.keys.at(-1), 'new');
  assert.equal(clock.pendingTimers, 1);
  assert.equal(state(), 'ready');
});

test('a key that comes while the old one is being tried is tried right after', async () => {
  const { fleet, id, prober, clock } = await fleetOf();
  fleet.probeSoon(id);
  fleet.patch(id, { apiKey: 'new' });
  await settled();
  assert.equal(prober.keys.at(-1), undefined);
  clock.advance(0);
  await settled();
  assert.equal(prober.keys.at(-1), 'new');
});

test('the health settings of a worker count for its probes', async () => {
  const { fleet, id, prober, clock, state } = await fleetOf();
  const health = { ...NO_HEALTH_OVERRIDES, timeoutSecs: 2, checkIntervalSecs: 5, failureThreshold: 1 };
  fleet.patch(id, { health });
  await settled();
  const asked = prober.asked.length;
  clock.advance(5_500);
  await settled();
  assert.equal(prober.asked.length, asked + 1, 'the interval is 5 s, give or take a tenth');
  assert.equal(prober.limits.at(-1), 2_000);
  prober.answers = null;
  clock.advance(5_500);
  await settled();
  assert.equal(state(), 'unhealthy', 'one failure is enough');
});

test('checks can be switched off for one worker, and on again', async () => {
  const { fleet, id, prober, clock } = await fleetOf();
  fleet.patch(id, { health: { ...NO_HEALTH_OVERRIDES, disableHealthCheck: true } });
  await settled();
  const asked = prober.asked.length;
  clock.advance(1_000_000);
  await settled();
  assert.equal(prober.asked.length, asked);
  fleet.patch(id, { health: NO_HEALTH_OVERRIDES });
  await settled();
  assert.ok(prober.asked.length > asked);
  assert.equal(clock.pendingTimers, 1);
});

test('a replaced worker is read anew without leaving service', async () => {
  const { fleet, id, prober, registry, events } = await fleetOf();
  prober.answers = vllm;
  const from = events.length;
  const replaced = fleet.replace(id, specOf({ url: 'http://other', priority: 7, maxInFlight: 3 }));
  assert.deepEqual([replaced?.spec.priority, replaced?.spec.url], [7, 'http://w'], 'the URL stays');
  await settled();
  const worker = registry.get(id);
  assert.deepEqual([worker?.facts?.models, worker?.spec.maxInFlight], [['llama', 'sql-lora'], 3]);
  assert.ok(events.slice(from).every((line) => line === 'worker_changed ready>ready'));
  assert.equal(fleet.replace('none', specOf()), undefined);
});

test('a replaced worker that does not answer keeps its facts, and leaves service only after as many failures as any', async () => {
  const { fleet, id, prober, registry, clock, state } = await fleetOf();
  prober.answers = null;
  fleet.replace(id, specOf({ url: 'http://w' }));
  await settled();
  assert.equal(state(), 'ready');
  assert.match(registry.get(id)?.progress.lastError ?? '', /refused/);
  for (let i = 0; i < 2; i += 1) {
    clock.advance(10_000);
    await settled();
  }
  assert.equal(state(), 'unhealthy');
  assert.deepEqual(registry.get(id)?.facts?.models, ['qwen/qwen3-8b']);
});

test('a spec that comes while the worker is being read is read again', async () => {
  const { fleet, id, prober, registry, clock } = await fleetOf(null);
  prober.answers = sglang;
  fleet.probeSoon(id);
  fleet.replace(id, specOf({ url: 'http://w', apiKey: 'new' }));
  await settled();
  assert.equal(registry.get(id)?.state, 'ready');
  const asked = prober.asked.length;
  clock.advance(0);
  await settled();
  assert.ok(prober.asked.slice(asked).includes('/v1/models'));
  assert.equal(prober.keys.at(-1), 'new');
});

test('the breaker of a worker has the limits of its spec, also after it was replaced', async () => {
  const { fleet, id, conditions, clock } = await fleetOf();
  const breaker = conditions.of(id)?.breaker;
  const resilience = { ...NO_RESILIENCE_OVERRIDES, cbFailureThreshold: 1, cbTimeoutSecs: 5 };
  fleet.replace(id, specOf({ url: 'http://w', resilience }));
  breaker?.failed(false, clock.now());
  assert.equal(breaker?.state, 'open');
  assert.equal(breaker?.mayServe(clock.now() + 4_999), false);
  assert.equal(breaker?.mayServe(clock.now() + 5_000), true);
  const off = { ...NO_RESILIENCE_OVERRIDES, disableCircuitBreaker: true };
  fleet.replace(id, specOf({ url: 'http://w', resilience: off }));
  assert.equal(breaker?.state, 'closed');
  for (let i = 0; i < 100; i += 1) breaker?.failed(false, clock.now());
  assert.equal(breaker?.state, 'closed');
});

test('a worker without calls is gone at once', async () => {
  const { fleet, id, registry, clock, cuts } = await fleetOf();
  assert.equal(fleet.remove(id)?.state, 'draining');
  assert.equal(registry.get(id), undefined);
  assert.deepEqual(cuts, [id], 'its connections are closed');
  assert.equal(clock.pendingTimers, 0);
  assert.equal(fleet.remove(id), undefined);
});

test('a draining worker takes no new call and is gone when its last one ends', async () => {
  const { fleet, id, call, state, cuts, clock, registry } = await fleetOf();
  const [first, second] = [call(), call()];
  assert.equal(fleet.remove(id)?.state, 'draining');
  assert.equal(fleet.remove(id)?.state, 'draining', 'again is no error');
  assert.deepEqual(registry.snapshot().models, [], 'it is no place to send calls to');
  clock.advance(100_000);
  first();
  assert.equal(state(), 'draining');
  second();
  assert.equal(state(), undefined);
  assert.deepEqual(cuts, [id]);
  assert.equal(clock.pendingTimers, 0);
});

test('calls that outlast the limit are cut off', async () => {
  const { fleet, id, call, state, cuts, clock, loads } = await fleetOf();
  call();
  fleet.remove(id);
  clock.advance(179_999);
  assert.equal(state(), 'draining');
  assert.deepEqual(cuts, []);
  clock.advance(1);
  assert.equal(state(), undefined);
  assert.equal(cuts[0], id);
  assert.equal(loads.inFlight(id), 0);
  assert.equal(clock.pendingTimers, 0);
});

test('a forced removal cuts calls off at once, also of a worker that drains already', async () => {
  for (const before of [false, true]) {
    const { fleet, id, call, state, clock } = await fleetOf();
    call();
    if (before) fleet.remove(id);
    fleet.remove(id, true);
    assert.equal(state(), undefined);
    assert.equal(clock.pendingTimers, 0);
  }
});

test('a call that does not end even when it is cut off does not keep its worker', async () => {
  const { fleet, id, loads, state, clock } = await fleetOf();
  loads.enter(id);
  fleet.remove(id, true);
  assert.equal(state(), 'draining');
  clock.advance(1_000);
  assert.equal(state(), undefined);
});

test('a worker with a settle time drains at least that long', async () => {
  const { fleet, id, call, state, clock } = await fleetOf();
  fleet.patch(id, { health: { ...NO_HEALTH_OVERRIDES, drainSettleSecs: 10 } });
  await settled();
  const end = call();
  fleet.remove(id);
  end();
  clock.advance(9_999);
  assert.equal(state(), 'draining');
  clock.advance(1);
  assert.equal(state(), undefined);
  assert.equal(clock.pendingTimers, 0);
});

test('a draining worker that is added again comes back under its id, with the new spec and its running calls', async () => {
  const { fleet, id, call, state, cuts, registry, clock } = await fleetOf();
  const end = call();
  fleet.remove(id);
  const { worker, isNew } = fleet.add(specOf({ url: 'http://w', priority: 80 }));
  assert.deepEqual([worker.id, isNew, worker.spec.priority], [id, true, 80]);
  await settled();
  assert.equal(state(), 'ready');
  clock.advance(400_000);
  await settled();
  end();
  assert.deepEqual([state(), cuts], ['ready', []]);
  assert.equal(registry.snapshot().members[0]?.candidate.priority, 80);
});

test('a worker that is removed while it is being read is asked no more', async () => {
  const { fleet, prober, clock } = await fleetOf();
  const { id } = fleet.add(specOf({ url: 'http://second' })).worker;
  const asked = prober.asked.length;
  fleet.remove(id);
  await settled();
  assert.equal(prober.asked.length, asked);
  assert.equal(clock.pendingTimers, 1, 'that of the other worker');
});

test('the end of the fleet leaves no timer of a draining worker', async () => {
  const { fleet, id, call, clock } = await fleetOf();
  call();
  fleet.remove(id);
  fleet.stop();
  assert.equal(clock.pendingTimers, 0);
});

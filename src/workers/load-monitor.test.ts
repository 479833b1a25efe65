/** Asking engines how busy they are, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noEngines } from '../../test/support/no-engines.ts';
import type { TestContext } from 'node:test';
import { factsOf, specOf } from '../../test/support/fleet.ts';
import { settled, TableProber } from '../../test/support/prober.ts';
import type { Answers } from '../../test/support/prober.ts';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { WorkerFacts } from '../domain/worker.ts';
import { LoadBook } from './load.ts';
import { LoadMonitor } from './load-monitor.ts';
import { Registry } from './registry.ts';

const INTERVAL = 10_000;
const LOADS = '/v1/loads?include=core,queues,memory';
const BUSY: Answers = { [LOADS]: { loads: [{ num_running_reqs: 3, num_waiting_reqs: 1 }] } };

interface Setting {
  readonly facts?: Partial<WorkerFacts>;
  readonly count?: number;
  readonly dpAware?: boolean;
  readonly intervalMs?: number;
}

function monitorOver(t: TestContext, answers: Answers | null, setting: Setting = {}) {
  const clock = new ManualClock();
  const prober = new TableProber(answers);
  const loads = new LoadBook();
  const restarted: string[] = [];
  const registry = new Registry({
    open: (id, { spec }) => ({ candidate: loads.open(id, spec), gate: { mayServe: () => true } }),
    close: ({ id }) => loads.close(id),
    onStateChange: () => undefined,
    dpAware: setting.dpAware ?? false,
  });
  for (let i = 0; i < (setting.count ?? 1); i += 1) {
    const { worker } = registry.add(specOf({ url: `http://w${i}` }));
    registry.change(worker.id, { state: 'ready', facts: factsOf(setting.facts ?? {}) });
  }
  const deps = { directory: registry, loads, prober, engines: noEngines, clock, random: seededRandom(1) };
  const options = { intervalMs: setting.intervalMs ?? INTERVAL };
  const monitor = new LoadMonitor(options, { ...deps, onRestarted: (id) => restarted.push(id) });
  monitor.start();
  t.after(() => monitor.stop());
  /** Moves time in small steps, so that answers arrive between them. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await settled();
    }
  };
  const [first] = registry.snapshot().members;
  assert.ok(first);
  return { clock, prober, registry, monitor, restarted, pass, candidate: first.candidate, id: first.worker.id };
}

test('a worker that is ready is asked within its interval, and then at it', async (t) => {
  const { pass, prober, candidate } = monitorOver(t, BUSY);
  await pass(INTERVAL);
  assert.equal(prober.asked.length, 1);
  assert.deepEqual([candidate.load, candidate.report?.waiting], [4, 1]);
  await pass(10 * INTERVAL);
  assert.ok(prober.asked.length >= 10 && prober.asked.length <= 12, `${prober.asked.length} polls`);
});

test('two thousand workers are not asked in one burst', async (t) => {
  const { pass, prober } = monitorOver(t, BUSY, { count: 2_000 });
  const bySecond: number[] = [];
  for (let second = 0; second < 20; second += 1) {
    const before = prober.asked.length;
    await pass(1_000);
    bySecond.push(prober.asked.length - before);
  }
  assert.ok(prober.asked.length >= 3_700, `${prober.asked.length} polls: none falls behind`);
  assert.ok(Math.max(...bySecond) <= 300, `at most ${Math.max(...bySecond)} of 2,000 in a second`);
});

test('when a worker falls silent its report decays, and its state is nobody’s business here', async (t) => {
  const { pass, prober, candidate, registry, id } = monitorOver(t, BUSY);
  await pass(INTERVAL);
  prober.answers = null;
  await pass(2 * INTERVAL);
  assert.ok(candidate.load < 4 && candidate.load > 0, `${candidate.load}`);
  await pass(2 * INTERVAL);
  assert.deepEqual([candidate.load, candidate.report], [0, undefined]);
  assert.equal(registry.get(id)?.state, 'ready');
});

test('where a source is not there the next is asked, and kept', async (t) => {
  const { pass, prober } = monitorOver(t, { '/get_load': [{ num_reqs: 1 }] });
  await pass(INTERVAL);
  assert.deepEqual(prober.asked, [LOADS, '/get_load']);
  await pass(INTERVAL * 1.2);
  assert.equal(prober.asked.at(-1), '/get_load');
  assert.equal(prober.asked.filter((path) => path === LOADS).length, 1);
});

test('a worker that reports nothing is asked rarely', async (t) => {
  const { pass, prober } = monitorOver(t, {});
  await pass(INTERVAL);
  assert.equal(prober.asked.length, 3);
  await pass(50 * INTERVAL);
  assert.equal(prober.asked.length, 3);
});

test('an engine that reports nothing anywhere, and a worker that is not ready, are not asked', async (t) => {
  const ollama = monitorOver(t, BUSY, { facts: { engine: 'ollama' } });
  await ollama.pass(3 * INTERVAL);
  assert.deepEqual(ollama.prober.asked, []);
  const sick = monitorOver(t, BUSY);
  sick.registry.change(sick.id, { state: 'unhealthy' });
  await sick.pass(3 * INTERVAL);
  assert.deepEqual(sick.prober.asked, []);
});

test('a page of another start, or an answer after an absence, tells that the worker may have been started anew', async (t) => {
  const page = (start: number) => ({
    '/metrics': `vllm:num_requests_running 0\nprocess_start_time_seconds ${start}\n`,
  });
  const vllm = monitorOver(t, page(1), { facts: { engine: 'vllm', instance: 'start=1' } });
  await vllm.pass(2 * INTERVAL);
  assert.deepEqual(vllm.restarted, []);
  vllm.prober.answers = page(2);
  await vllm.pass(1.5 * INTERVAL);
  assert.equal(vllm.restarted[0], vllm.id);
  const sglang = monitorOver(t, BUSY);
  await sglang.pass(INTERVAL);
  sglang.prober.answers = null;
  await sglang.pass(1.5 * INTERVAL);
  assert.deepEqual(sglang.restarted, []);
  sglang.prober.answers = BUSY;
  await sglang.pass(3 * INTERVAL);
  assert.deepEqual(sglang.restarted, [sglang.id], 'once');
});

test('each rank of a data-parallel worker has its own figures', async (t) => {
  const loads = [0, 1].map((rank) => ({ dp_rank: rank, num_running_reqs: 5 * rank }));
  const facts = { dataParallelSize: 2 };
  const ranks = monitorOver(t, { [LOADS]: { loads } }, { facts, dpAware: true });
  await ranks.pass(INTERVAL);
  assert.deepEqual(
    ranks.registry.snapshot().members.map(({ candidate }) => candidate.load),
    [0, 5],
  );
  const whole = monitorOver(t, { [LOADS]: { loads } }, { facts });
  await whole.pass(INTERVAL);
  assert.equal(whole.candidate.load, 5);
});

test('an interval of 0 asks nothing, and the end leaves no timer', async (t) => {
  const off = monitorOver(t, BUSY, { intervalMs: 0 });
  assert.equal(off.clock.pendingTimers, 0);
  const on = monitorOver(t, BUSY);
  assert.equal(on.clock.pendingTimers, 1, 'one timer for all');
  on.monitor.stop();
  assert.equal(on.clock.pendingTimers, 0);
});

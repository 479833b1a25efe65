/** The one writer of the fleet: snapshots that do not change, ids that do not either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, factsOf, specOf } from '../../test/support/fleet.ts';
import { workerIdOf } from '../domain/ids.ts';
import type { FleetSnapshot } from '../domain/ports.ts';
import type { Engine, Worker } from '../domain/worker.ts';
import { Registry } from './registry.ts';

interface Fleet {
  readonly registry: Registry;
  /** What was told to the rest of the gateway. */
  readonly told: string[];
  /** Adds a worker and gives it models and a state. */
  readonly join: (name: string, models: readonly string[] | null, state?: Worker['state']) => Worker;
}

function fleetOf(): Fleet {
  const told: string[] = [];
  const registry = new Registry({
    open: (id, worker) => {
      told.push(`open ${worker.spec.url}`);
      return { candidate: candidateOf(id), gate: { mayServe: () => true } };
    },
    close: ({ id }) => told.push(`close ${id}`),
    onStateChange: (worker, from) => told.push(`${from} > ${worker.state}`),
  });
  const join = (name: string, models: readonly string[] | null, state: Worker['state'] = 'ready') => {
    const { worker } = registry.add(specOf({ url: `http://${name}` }));
    registry.change(worker.id, models === null ? { state } : { state, facts: factsOf({ models }) });
    return worker;
  };
  return { registry, told, join };
}

function idsOf(members: FleetSnapshot['members'] | undefined): string[] | undefined {
  return members?.map(({ worker }) => worker.spec.url.slice(7));
}

test('a worker that is added is pending, has the id of its URL, and its live parts were made', () => {
  const { registry, told } = fleetOf();
  const spec = specOf({ url: 'http://a', labels: { zone: '1' } });
  const { worker } = registry.add(spec);
  const id = workerIdOf('http://a', () => false);
  assert.deepEqual(worker, {
    id,
    address: { id, url: 'http://a', apiKey: undefined, provider: undefined },
    spec,
    facts: undefined,
    state: 'pending',
    progress: { step: 'queued', attempts: 0, lastError: undefined },
  });
  assert.deepEqual(told, ['open http://a']);
  assert.equal(registry.get(worker.id), worker);
  assert.equal(registry.snapshot().version, 1);
});

test('the same worker has the same id after a restart, whoever else is there', () => {
  const first = fleetOf();
  const second = fleetOf();
  const { id } = first.join('a', null);
  second.join('b', null);
  assert.equal(second.join('a', null).id, id);
});

test('a URL that is there already is refused and nothing changes', () => {
  const { registry, told, join } = fleetOf();
  join('a', null);
  const before = registry.snapshot();
  const again = registry.add(specOf({ url: 'http://a', priority: 90 }));
  assert.deepEqual([again.isNew, again.worker], [false, before.workers[0]]);
  assert.equal(registry.snapshot(), before);
  assert.equal(told.filter((line) => line.startsWith('open')).length, 1);
});

test('a URL that was removed may come again', () => {
  const { registry, join } = fleetOf();
  const { id } = join('a', null);
  registry.remove(id);
  assert.equal(registry.add(specOf({ url: 'http://a' })).worker.id, id);
});

test('a snapshot stays as it was when the fleet moves on', () => {
  const { registry, join } = fleetOf();
  const a = join('a', ['m']);
  const before = registry.snapshot();
  const copy = { workers: [...before.workers], members: [...before.members], models: [...before.models] };
  join('b', ['m', 'n']);
  registry.change(a.id, { state: 'unhealthy' });
  registry.remove(a.id);
  assert.deepEqual({ workers: before.workers, members: before.members, models: before.models }, copy);
  assert.deepEqual(idsOf(before.membersOf('m')), ['a']);
  assert.deepEqual(before.models, ['m']);
  assert.deepEqual(idsOf(registry.snapshot().membersOf('m')), ['b']);
});

test('the version rises with every change', () => {
  const { registry, join } = fleetOf();
  const versions = new Set([registry.snapshot().version]);
  const { id } = join('a', ['m']);
  versions.add(registry.snapshot().version);
  registry.change(id, { progress: { step: 'health', attempts: 1, lastError: 'no' } });
  versions.add(registry.snapshot().version);
  registry.remove(id);
  versions.add(registry.snapshot().version);
  assert.deepEqual(
    [...versions],
    [...versions].sort((a, b) => a - b),
  );
  assert.equal(versions.size, 4);
});

test('a model’s members are all workers that list it, whatever their state, in the order of their coming', () => {
  const { registry, join } = fleetOf();
  join('b', ['m']);
  join('a', ['m', 'n'], 'unhealthy');
  join('c', ['n']);
  const snapshot = registry.snapshot();
  assert.deepEqual(idsOf(snapshot.membersOf('m')), ['b', 'a']);
  assert.deepEqual(idsOf(snapshot.membersOf('n')), ['a', 'c']);
  assert.equal(snapshot.membersOf('other'), undefined);
  assert.equal(snapshot.membersOf('__proto__'), undefined);
  assert.deepEqual(idsOf(snapshot.members), ['b', 'a', 'c']);
});

test('a change keeps a worker at its place', () => {
  const { registry, join } = fleetOf();
  const a = join('a', ['m']);
  join('b', ['m']);
  registry.change(a.id, { state: 'unhealthy' });
  registry.change(a.id, { state: 'ready' });
  assert.deepEqual(idsOf(registry.snapshot().members), ['a', 'b']);
});

test('the models are those of ready workers, once each, sorted', () => {
  const { registry, join } = fleetOf();
  join('a', ['zeta', 'alpha']);
  join('b', ['alpha', 'Beta']);
  join('c', ['hidden'], 'unhealthy');
  assert.deepEqual(registry.snapshot().models, ['Beta', 'alpha', 'zeta']);
});

test('a worker that lists no model takes any, and one that has not said is neither', () => {
  const { registry, join } = fleetOf();
  join('any', []);
  join('named', ['m']);
  assert.equal(registry.snapshot().hasUnknown, false);
  join('new', null, 'probing');
  const snapshot = registry.snapshot();
  assert.deepEqual(idsOf(snapshot.wildcards), ['any']);
  assert.equal(snapshot.hasUnknown, true);
});

test('a change of state is told with what it was, any other change is not', () => {
  const { registry, told, join } = fleetOf();
  const { id } = join('a', ['m'], 'probing');
  registry.change(id, { progress: { step: 'health', attempts: 1, lastError: 'no' } });
  registry.change(id, { state: 'probing' });
  registry.change(id, { state: 'ready' });
  assert.deepEqual(told.slice(1), ['pending > probing', 'probing > ready']);
});

test('a change keeps what it does not name', () => {
  const { registry, join } = fleetOf();
  const { id } = join('a', ['m']);
  registry.change(id, { state: 'unhealthy' });
  assert.deepEqual(registry.get(id)?.facts, factsOf({ models: ['m'] }));
});

test('changing or removing a worker that is gone does nothing', () => {
  const { registry, told, join } = fleetOf();
  const { id } = join('a', ['m']);
  registry.remove(id);
  const { version } = registry.snapshot();
  const lines = told.length;
  registry.change(id, { state: 'ready' });
  registry.remove(id);
  assert.equal(registry.snapshot().version, version);
  assert.equal(told.length, lines);
  assert.equal(told.at(-1), `close ${id}`);
  assert.equal(registry.get(id), undefined);
});

test('listeners hear the new snapshot after each change until they leave', () => {
  const { registry, join } = fleetOf();
  const heard: number[] = [];
  const leave = registry.subscribe((snapshot) => {
    assert.equal(snapshot, registry.snapshot());
    heard.push(snapshot.workers.length);
  });
  const { id } = join('a', ['m']);
  registry.remove(id);
  assert.deepEqual(heard, [1, 1, 0]);
  leave();
  leave();
  join('b', null);
  assert.equal(heard.length, 3);
});

test('a listener that leaves while it is told does not keep the others from hearing', () => {
  const { registry, join } = fleetOf();
  const heard: string[] = [];
  const leave = registry.subscribe(() => {
    heard.push('first');
    leave();
  });
  registry.subscribe(() => heard.push('second'));
  join('a', null);
  assert.deepEqual(heard, ['first', 'second', 'second']);
});

test('the live parts of a worker are the same in every snapshot', () => {
  const { registry, join } = fleetOf();
  const { id } = join('a', ['m']);
  const [before] = registry.snapshot().members;
  registry.change(id, { state: 'unhealthy' });
  const [after] = registry.snapshot().members;
  assert.equal(after?.candidate, before?.candidate);
  assert.equal(after?.gate, before?.gate);
});

test('a URL with its scheme and without names the same worker', () => {
  for (const [first, second] of [
    ['host:8000', 'http://host:8000'],
    ['http://host:8000', 'host:8000'],
    ['https://host', 'host'],
  ]) {
    const { registry } = fleetOf();
    const { worker } = registry.add(specOf({ url: first ?? '' }));
    assert.deepEqual(registry.add(specOf({ url: second ?? '' })), { worker, isNew: false });
  }
  const { registry } = fleetOf();
  registry.add(specOf({ url: 'http://host' }));
  assert.equal(registry.add(specOf({ url: 'https://host' })).isNew, true);
});

test('a worker without a scheme is asked over HTTP until it is known better', () => {
  const { registry } = fleetOf();
  const { worker } = registry.add(specOf({ url: 'host:8000' }));
  assert.equal(worker.address.url, 'http://host:8000');
  registry.change(worker.id, { facts: factsOf({ url: 'https://host:8000' }) });
  assert.equal(registry.get(worker.id)?.address.url, 'https://host:8000');
});

test('two thousand workers are added without a snapshot for each of them', () => {
  const { registry } = fleetOf();
  for (let i = 0; i < 2_000; i += 1) registry.add(specOf({ url: `http://host:${i}` }));
  const snapshot = registry.snapshot();
  assert.deepEqual([snapshot.version, snapshot.workers.length], [2_000, 2_000]);
  assert.equal(registry.snapshot(), snapshot, 'nothing has changed since');
});

function dataParallel(dpAware = true) {
  const told: string[] = [];
  const registry = new Registry({
    open: (id) => {
      told.push(`open ${id.slice(8)}`);
      return { candidate: candidateOf(id), gate: { mayServe: () => true } };
    },
    close: ({ id }) => told.push(`close ${id.slice(8)}`),
    onStateChange: () => undefined,
    dpAware,
  });
  const { worker } = registry.add(specOf({ url: 'http://a' }));
  const ready = (dataParallelSize: number, engine: Engine = 'sglang') =>
    registry.change(worker.id, { state: 'ready', facts: factsOf({ dataParallelSize, engine }) });
  return { registry, told, id: worker.id, ready };
}

test('a data-parallel worker has a member for each rank once its ranks are known, and stays one worker', () => {
  const { registry, told, id, ready } = dataParallel();
  ready(3);
  const snapshot = registry.snapshot();
  const { members, workers } = snapshot;
  assert.deepEqual(
    members.map((member) => [member.id, member.rank, member.candidate.workerId]),
    [0, 1, 2].map((rank) => [`${id}@${rank}`, rank, `${id}@${rank}`]),
  );
  assert.equal(workers.length, 1);
  assert.equal(snapshot.membersOf('m')?.length, 3);
  assert.deepEqual(told, ['open ', 'open @0', 'open @1', 'open @2', 'close ']);
  registry.remove(id);
  assert.deepEqual(told.slice(5), ['close @0', 'close @1', 'close @2']);
  assert.equal(registry.snapshot().members.length, 0);
});

test('ranks that stay keep their live parts when their number changes', () => {
  const { registry, told, ready } = dataParallel();
  ready(2);
  const [first] = registry.snapshot().members;
  ready(4);
  assert.equal(registry.snapshot().members[0]?.candidate, first?.candidate);
  ready(1);
  assert.deepEqual(told.slice(4), ['open @2', 'open @3', 'open ', 'close @0', 'close @1', 'close @2', 'close @3']);
});

test('a worker stays one member without dp-aware, and when its engine cannot be told the rank', () => {
  const unaware = dataParallel(false);
  unaware.ready(4);
  assert.equal(unaware.registry.snapshot().members.length, 1);
  const { registry, ready } = dataParallel();
  ready(4, 'trtllm');
  assert.deepEqual(
    registry.snapshot().members.map(({ rank }) => rank),
    [undefined],
  );
});

/** Priority and cost with the parts that a gateway joins: registry, load book, filters, policies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { listCandidates } from '../../src/routing/candidates.ts';
import { PolicySet } from '../../src/routing/policy-set.ts';
import { LoadBook } from '../../src/workers/load.ts';
import { Registry } from '../../src/workers/registry.ts';
import { factsOf, hintsOf, specOf } from '../support/fleet.ts';
import type { WorkerSpec } from '../../src/domain/worker.ts';

const CALLS = 7_000;
const HINTS = hintsOf();

function fleetOf(policy: string, specs: readonly Partial<WorkerSpec>[]) {
  const loads = new LoadBook();
  const policies = new PolicySet(
    { policy, models: new Map(), options: {}, routingKeyOverride: false },
    { random: seededRandom(1), now: () => 0, unknownPolicy: assert.fail },
  );
  const registry = new Registry({
    open: (id, { spec }) => ({ candidate: loads.open(id, spec), gate: { mayServe: () => true } }),
    close: ({ id, candidate }) => {
      policies.forget(candidate);
      loads.close(id);
    },
    onStateChange: () => undefined,
  });
  const ids = specs.map((spec, i) => registry.add(specOf({ url: `http://w${i}:8000`, ...spec })).worker.id);
  for (const id of ids) registry.change(id, { state: 'ready', facts: factsOf() });
  const call = () => {
    const members = registry.snapshot().membersOf('m') ?? [];
    const { candidates } = listCandidates(members, { nowMs: 0, key: { digestFor: () => 0 }, tried: [] });
    const chosen = policies.policyFor('m', members).policy.select(candidates, HINTS);
    assert.ok(chosen);
    return { at: ids.indexOf(chosen.workerId), leave: loads.enter(chosen.workerId) };
  };
  return { registry, ids, call };
}

for (const policy of ['round_robin', 'random', 'least_load']) {
  test(`over 7,000 calls ${policy} gives workers of cost 1, 2 and 4 shares of 4 : 2 : 1 within 5 %`, () => {
    const { call } = fleetOf(policy, [{ cost: 1 }, { cost: 2 }, { cost: 4 }]);
    const shares = [0, 0, 0];
    const running: (() => void)[] = [];
    for (let i = 0; i < CALLS; i += 1) {
      const { at, leave } = call();
      shares[at] = (shares[at] ?? 0) + 1;
      running.push(leave);
      // Seventy calls are under way at any time, and the oldest ends first.
      if (running.length > 70) running.shift()?.();
    }
    [4_000, 2_000, 1_000].forEach((expected, at) => {
      assert.ok(Math.abs((shares[at] ?? 0) - expected) <= expected * 0.05, shares.join(' '));
    });
  });
}

test('all calls go to priority 90 until it is full, then spill to 50, and return', () => {
  const { call } = fleetOf('round_robin', [{ priority: 50 }, { priority: 90, maxInFlight: 3 }]);
  const upper = Array.from({ length: 3 }, call);
  assert.deepEqual(
    upper.map(({ at }) => at),
    [1, 1, 1],
  );
  const spilled = [call(), call()];
  assert.deepEqual(
    spilled.map(({ at }) => at),
    [0, 0],
  );
  upper[0]?.leave();
  assert.equal(call().at, 1);
  assert.equal(call().at, 0);
});

test('all calls go to priority 90 until it is down or drains, then to 50, and return', () => {
  const { call, registry, ids } = fleetOf('random', [{ priority: 50 }, { priority: 90 }]);
  const shares = () => new Set(Array.from({ length: 50 }, () => call().at));
  assert.deepEqual(shares(), new Set([1]));
  for (const state of ['unhealthy', 'draining'] as const) {
    registry.change(ids[1] ?? '', { state });
    assert.deepEqual(shares(), new Set([0]));
    registry.change(ids[1] ?? '', { state: 'ready' });
    assert.deepEqual(shares(), new Set([1]));
  }
});

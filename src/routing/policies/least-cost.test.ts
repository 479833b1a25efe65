/** The cheapest first, and when it yields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../../test/support/fleet.ts';
import { seededRandom } from '../../base/random.ts';
import type { Policy } from '../policy.ts';
import leastCost from './least-cost.ts';

function policyOf(values: Record<string, unknown> = {}): Policy {
  return leastCost.create(values, { random: seededRandom(1), now: () => 0 });
}

function pick(policy: Policy, fleet: readonly { cost: number; inFlight: number }[]): number | undefined {
  const candidates = fleet.map((change, i) => candidateOf(`w${i}`, change));
  return policy.select(candidates, hintsOf())?.cost;
}

test('the cheapest serves until both thresholds are exceeded, then the next cheapest', () => {
  const policy = policyOf();
  const fleetWith = (inFlight: number) => [
    { cost: 4, inFlight: 0 },
    { cost: 1, inFlight },
    { cost: 2, inFlight: 0 },
  ];
  assert.equal(pick(policy, fleetWith(0)), 1);
  assert.equal(pick(policy, fleetWith(64)), 1);
  assert.equal(pick(policy, fleetWith(65)), 2);
});

test('a difference that is small beside the loads does not count', () => {
  const fleet = [
    { cost: 1, inFlight: 290 },
    { cost: 2, inFlight: 200 },
  ];
  assert.equal(pick(policyOf(), fleet), 1);
  assert.equal(pick(policyOf({ balanceRelThreshold: 1.2 }), fleet), 2);
  assert.equal(pick(policyOf({ balanceRelThreshold: 1.2, balanceAbsThreshold: 100 }), fleet), 1);
});

test('workers fill up in order of cost, and the dearest serves when all others are too busy', () => {
  const policy = policyOf({ balanceAbsThreshold: 4, balanceRelThreshold: 1 });
  const fleet = [1, 2, 4].map((cost) => candidateOf(`cost${cost}`, { cost }));
  const order = Array.from({ length: 13 }, () => {
    const chosen = policy.select(fleet, hintsOf());
    const worker = fleet.find((candidate) => candidate === chosen);
    assert.ok(worker);
    worker.inFlight += 1;
    return worker.cost;
  });
  assert.deepEqual(order, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4, 1, 2]);
});

test('among workers of one cost the least loaded serves', () => {
  const fleet = [5, 3, 4].map((inFlight, i) => candidateOf(`w${i}`, { inFlight }));
  assert.equal(policyOf().select(fleet, hintsOf())?.workerId, 'w1');
});

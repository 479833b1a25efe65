/** What each policy does in its own way: shares by cost, load, and order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../../test/support/fleet.ts';
import type { MovableCandidate } from '../../../test/support/fleet.ts';
import { seededRandom } from '../../base/random.ts';
import type { Policy } from '../policy.ts';
import { findPolicy, policies } from './index.ts';

const HINTS = hintsOf();
const PICKS = 7_000;

function policyOf(name: string, seed = 1): Policy {
  const definition = findPolicy(name);
  assert.ok(definition, name);
  return definition.create({}, { random: seededRandom(seed), now: () => 0 });
}

function pick(policy: Policy, candidates: readonly MovableCandidate[]): MovableCandidate {
  const picked = policy.select(candidates, HINTS);
  const chosen = candidates.find((candidate) => candidate === picked);
  assert.ok(chosen, 'a candidate of the list');
  return chosen;
}

/** How many of the picks each candidate is given. */
function shares(policy: Policy, candidates: readonly MovableCandidate[], picks = PICKS): Record<string, number> {
  const counts = Object.fromEntries(candidates.map(({ workerId }) => [workerId, 0]));
  for (let i = 0; i < picks; i += 1) {
    const { workerId } = pick(policy, candidates);
    counts[workerId] = (counts[workerId] ?? 0) + 1;
  }
  return counts;
}

function assertShares(counts: Record<string, number>, expected: Record<string, number>): void {
  for (const [id, share] of Object.entries(expected)) {
    const got = counts[id] ?? 0;
    assert.ok(Math.abs(got - share) <= share * 0.05, `${id} has ${got}, expected ${share} within 5 %`);
  }
}

const byCost = () => [1, 2, 4].map((cost) => candidateOf(`cost${cost}`, { cost }));

for (const name of ['round_robin', 'random']) {
  test(`${name} gives workers of cost 1, 2 and 4 shares of 4 : 2 : 1`, () => {
    assertShares(shares(policyOf(name), byCost()), { cost1: 4_000, cost2: 2_000, cost4: 1_000 });
  });
}

test('least_load keeps the load of workers of cost 1, 2 and 4 at 4 : 2 : 1 while calls are held', () => {
  const policy = policyOf('least_load');
  const candidates = byCost();
  for (let i = 0; i < PICKS; i += 1) pick(policy, candidates).inFlight += 1;
  assertShares(Object.fromEntries(candidates.map(({ workerId, inFlight }) => [workerId, inFlight])), {
    cost1: 4_000,
    cost2: 2_000,
    cost4: 1_000,
  });
});

test('round_robin spreads the turns of a cheap worker out instead of bunching them', () => {
  const policy = policyOf('round_robin');
  const candidates = [candidateOf('a', { cost: 0.2 }), candidateOf('b'), candidateOf('c')];
  const turns = Array.from({ length: 7 }, () => pick(policy, candidates).workerId).join('');
  assert.equal(turns, 'aabacaa');
});

test('round_robin among equals is each in turn', () => {
  const policy = policyOf('round_robin');
  const candidates = ['a', 'b', 'c'].map((id) => candidateOf(id));
  const turns = Array.from({ length: 9 }, () => pick(policy, candidates).workerId);
  assert.equal(turns.join(''), 'abcabcabc');
});

test('round_robin gives a worker that joins its share, not a burst to catch up', () => {
  const policy = policyOf('round_robin');
  const [a, b, late] = ['a', 'b', 'late'].map((id) => candidateOf(id)) as [
    MovableCandidate,
    MovableCandidate,
    MovableCandidate,
  ];
  shares(policy, [a, b], 1_000);
  assertShares(shares(policy, [a, b, late], 300), { a: 100, b: 100, late: 100 });
});

test('round_robin gives a worker that was away for long its share, not a burst to catch up', () => {
  const policy = policyOf('round_robin');
  const [a, b, c] = ['a', 'b', 'c'].map((id) => candidateOf(id)) as [
    MovableCandidate,
    MovableCandidate,
    MovableCandidate,
  ];
  shares(policy, [a, b, c], 100);
  shares(policy, [a, b], 10_000);
  const first = Array.from({ length: 6 }, () => pick(policy, [a, b, c]).workerId);
  assert.ok(first.filter((id) => id === 'c').length <= 3, first.join(''));
});

test('round_robin gives a worker that was removed and comes again no turns that it had saved up', () => {
  const policy = policyOf('round_robin');
  const [light, ...others] = ['light', 'b', 'c'].map((id) => candidateOf(id)) as [
    MovableCandidate,
    ...MovableCandidate[],
  ];
  shares(policy, [candidateOf('heavy', { cost: 0.01 }), light], 45);
  policy.forget?.(light);
  assertShares(shares(policy, [light, ...others], 60), { light: 20, b: 20, c: 20 });
});

test('least_load sends to the worker with the least load by cost', () => {
  const policy = policyOf('least_load');
  const busy = candidateOf('busy', { inFlight: 3 });
  const dear = candidateOf('dear', { inFlight: 0, cost: 5 });
  assert.equal(pick(policy, [busy, dear]).workerId, 'busy');
  busy.inFlight = 5;
  assert.equal(pick(policy, [busy, dear]).workerId, 'dear');
});

test('least_load spreads ties by lot, evenly and wherever they stand', () => {
  const candidates = [candidateOf('busy', { inFlight: 1 }), ...['a', 'b', 'c', 'd'].map((id) => candidateOf(id))];
  const counts = shares(policyOf('least_load'), candidates);
  assert.equal(counts['busy'], 0);
  for (const id of ['a', 'b', 'c', 'd'])
    assert.ok(Math.abs((counts[id] ?? 0) - 1_750) < 150, `${id} has ${counts[id]}`);
});

test('power_of_two never takes the most loaded of the pool, and the least loaded most often', () => {
  for (const loads of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
  ]) {
    const candidates = loads.map((inFlight) => candidateOf(`load${inFlight}`, { inFlight }));
    const counts = shares(policyOf('power_of_two'), candidates);
    // Of six pairs the least loaded is in three, the next decides two, the third one.
    assert.equal(counts['load3'], 0);
    assertShares(counts, { load0: PICKS / 2, load1: PICKS / 3, load2: PICKS / 6 });
  }
});

test('power_of_two draws every pair equally often', () => {
  const candidates = ['a', 'b', 'c', 'd', 'e'].map((id) => candidateOf(id));
  assertShares(shares(policyOf('power_of_two'), candidates, 20_000), {
    a: 4_000,
    b: 4_000,
    c: 4_000,
    d: 4_000,
    e: 4_000,
  });
});

test('power_of_two weighs load by cost', () => {
  const candidates = [candidateOf('cheap', { inFlight: 2 }), candidateOf('dear', { inFlight: 1, cost: 2 })];
  assert.equal(shares(policyOf('power_of_two'), candidates, 200)['dear'], 0);
});

test('power_of_two keeps held load in proportion to cost', () => {
  const policy = policyOf('power_of_two');
  const candidates = [1, 1, 2, 2].map((cost, i) => candidateOf(`${i}`, { cost }));
  for (let i = 0; i < 6_000; i += 1) pick(policy, candidates).inFlight += 1;
  for (const { inFlight, cost } of candidates)
    assert.ok(Math.abs(inFlight - 2_000 / cost) < 100 / cost, `${inFlight} at cost ${cost}`);
});

test('random reaches the last worker even when rounding leaves a rest', () => {
  const definition = findPolicy('random');
  const policy = definition?.create({}, { random: { next: () => 1 - 2 ** -53 }, now: () => 0 });
  const candidates = [0.5, 1.2, 2.2, 0.1, 0.1].map((cost, i) => candidateOf(`${i}`, { cost }));
  assert.equal(policy?.select(candidates, HINTS)?.workerId, '4');
});

test('passthrough takes the first', () => {
  const candidates = [candidateOf('a', { inFlight: 100, cost: 9 }), candidateOf('b')];
  assert.equal(pick(policyOf('passthrough'), candidates).workerId, 'a');
});

test('each policy has one name in snake_case and a sentence about it, and is found by that name', () => {
  assert.equal(new Set(policies.map(({ name }) => name)).size, policies.length);
  for (const definition of policies) {
    assert.match(definition.name, /^[a-z]+(_[a-z]+)*$/);
    assert.match(definition.summary, /^[A-Z].*\.$/);
    assert.equal(findPolicy(definition.name), definition);
  }
  assert.equal(findPolicy('no_such_policy'), undefined);
});

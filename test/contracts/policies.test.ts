/** One suite over every policy: what the spine relies on, whichever is chosen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/random.ts';
import { policies } from '../../src/routing/policies/index.ts';
import type { Policy, PolicyDefinition } from '../../src/routing/policy.ts';
import { candidateOf, hintsOf } from '../support/fleet.ts';
import type { MovableCandidate } from '../support/fleet.ts';

const HINTS = hintsOf();

/** Those that do not mean to spread load. */
const UNFAIR = new Set(['passthrough']);

function createPolicy(definition: PolicyDefinition, seed = 1): Policy {
  return definition.create({}, { random: seededRandom(seed), now: () => 0 });
}

const parts = fc.record({
  cost: fc.constantFrom(0.01, 0.5, 1, 1, 1, 2, 4, 1_000),
  inFlight: fc.oneof(fc.nat(5), fc.nat(100_000)),
});
const fleet = fc
  .array(parts, { minLength: 1, maxLength: 10 })
  .map((list) => list.map((change, i) => candidateOf(`w${i}`, change)));

/** A fleet from which workers come and go: for each pick, which of them may serve. */
const churn = fc.array(fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: 60 });

function present(workers: readonly MovableCandidate[], mask: readonly boolean[]): readonly MovableCandidate[] {
  const some = workers.filter((_, i) => mask[i]);
  return some.length > 0 ? some : workers.slice(0, 1);
}

function eightWorkers(): MovableCandidate[] {
  return Array.from({ length: 8 }, (_, i) => candidateOf(`w${i}`, { cost: (i % 3) + 1 }));
}

for (const definition of policies) {
  const { name } = definition;

  test(`${name} picks one of the candidates, the very object, for any fleet`, () => {
    fc.assert(
      fc.property(fleet, fc.integer(), (candidates, seed) => {
        const policy = createPolicy(definition, seed);
        for (let i = 0; i < 20; i += 1) {
          const chosen = policy.select(candidates, HINTS);
          assert.ok(chosen !== undefined && candidates.includes(chosen));
        }
      }),
    );
  });

  test(`${name} picks the only candidate there is, every time`, () => {
    const policy = createPolicy(definition);
    const only = candidateOf('only', { cost: 3, inFlight: 9 });
    for (let i = 0; i < 100; i += 1) assert.equal(policy.select([only], HINTS), only);
  });

  test(`${name} leaves the list of candidates and the candidates as they are`, () => {
    fc.assert(
      fc.property(fleet, (candidates) => {
        const before = structuredClone(candidates);
        createPolicy(definition).select(Object.freeze([...candidates]), HINTS);
        assert.deepEqual(candidates, before);
      }),
    );
  });

  test(`${name} never picks a worker that has left, however workers come and go`, () => {
    fc.assert(
      fc.property(churn, fc.integer(), (masks, seed) => {
        const policy = createPolicy(definition, seed);
        const workers = eightWorkers();
        for (const mask of masks) {
          const candidates = present(workers, mask);
          const chosen = policy.select(candidates, HINTS);
          assert.ok(chosen !== undefined && candidates.includes(chosen));
        }
      }),
    );
  });

  test(`${name} goes on after workers were forgotten, also those it never saw, and does not know them again`, () => {
    const policy = createPolicy(definition);
    const workers = eightWorkers();
    for (let i = 0; i < 50; i += 1) policy.select(workers, HINTS);
    for (const id of ['w0', 'w1', 'never-seen', 'w0']) policy.forget?.(candidateOf(id));
    for (let i = 0; i < 50; i += 1) {
      const chosen = policy.select(workers.slice(2), HINTS);
      assert.ok(chosen !== undefined && chosen.workerId !== 'w0' && chosen.workerId !== 'w1');
    }
    const joined = candidateOf('w0');
    const counts = new Map<string, number>();
    for (let i = 0; i < 400; i += 1) {
      const id = policy.select([joined, ...['a', 'b', 'c'].map((other) => candidateOf(other))], HINTS)?.workerId ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    // Nothing is left of its first life: it is one of four new workers.
    if (!UNFAIR.has(name)) assert.ok(Math.abs((counts.get('w0') ?? 0) - 100) <= 30, `${counts.get('w0')} of 400`);
  });

  test(`${name} repeats its picks when chance is repeated`, () => {
    fc.assert(
      fc.property(churn, fc.integer(), (masks, seed) => {
        const run = () => {
          const policy = createPolicy(definition, seed);
          const workers = eightWorkers();
          return masks.map((mask) => policy.select(present(workers, mask), HINTS)?.workerId);
        };
        assert.deepEqual(run(), run());
      }),
    );
  });

  test(`${name} keeps its state to itself: two instances do not disturb each other`, () => {
    const workers = eightWorkers();
    const alone = createPolicy(definition, 5);
    const expected = Array.from({ length: 40 }, () => alone.select(workers, HINTS)?.workerId);
    const [one, other] = [createPolicy(definition, 5), createPolicy(definition, 6)];
    const picks = Array.from({ length: 40 }, () => {
      other.select(workers.slice(0, 3), HINTS);
      return one.select(workers, HINTS)?.workerId;
    });
    assert.deepEqual(picks, expected);
  });

  if (UNFAIR.has(name)) continue;

  test(`${name} is fair among equals, with and without load`, () => {
    for (const isHeld of [false, true]) {
      const policy = createPolicy(definition);
      const workers = Array.from({ length: 5 }, (_, i) => candidateOf(`w${i}`));
      const counts = new Map<string, number>();
      for (let i = 0; i < 10_000; i += 1) {
        const chosen = policy.select(workers, HINTS) as MovableCandidate;
        counts.set(chosen.workerId, (counts.get(chosen.workerId) ?? 0) + 1);
        if (isHeld) chosen.inFlight += 1;
      }
      for (const [id, count] of counts) assert.ok(Math.abs(count - 2_000) < 150, `${id} has ${count} of 10000`);
      assert.equal(counts.size, 5);
    }
  });

  test(`${name} starves nobody in two pools that share a worker`, () => {
    const policy = createPolicy(definition);
    const [a, shared, b] = ['a', 'shared', 'b'].map((id) => candidateOf(id)) as [
      MovableCandidate,
      MovableCandidate,
      MovableCandidate,
    ];
    const counts = new Map<string, number>();
    for (let i = 0; i < 3_000; i += 1) {
      const id = policy.select(i % 2 === 0 ? [a, shared] : [shared, b], HINTS)?.workerId ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const id of ['a', 'shared', 'b'])
      assert.ok((counts.get(id) ?? 0) > 500, `${id} has ${counts.get(id)} of 3000`);
  });
}

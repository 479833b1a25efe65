/**
 * One suite over every policy: what the spine relies on, whichever is chosen. Calls have routing keys and prompts of
 * their own, so that policies that go by them are asked in earnest.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/random.ts';
import type { Candidate } from '../../src/domain/candidate.ts';
import type { CallWatch } from '../../src/domain/ports.ts';
import { policies } from '../../src/routing/policies/index.ts';
import type { Hints, Policy, PolicyDefinition } from '../../src/routing/policy.ts';
import { LoadBook } from '../../src/workers/load.ts';
import { candidateOf, hintsOf } from '../support/fleet.ts';
import type { MovableCandidate } from '../support/fleet.ts';

const HINTS = hintsOf();
const TERMS = { priority: 50, cost: 1 };
const DONE = { kind: 'success' } as const;
const CALLS = 7_000;

/** Those that do not mean to spread load. */
const UNFAIR = new Set(['passthrough']);
/** Those whose shares are not to follow 1 / cost. */
const BY_PRICE = new Set(['passthrough', 'least_cost']);

function createPolicy(definition: PolicyDefinition, seed = 1): Policy {
  return definition.create({}, { random: seededRandom(seed), now: () => 0 });
}

/** Call number `i`: its own key and its own prompt, all prompts of one length. */
function callOf(i: number): Hints {
  const words = new Uint32Array(8).map((_, at) => Math.imul(i * 8 + at + 1, 0x9e3779b1));
  return hintsOf({
    header: (name) => (name === 'x-smg-routing-key' ? `key-${i}` : undefined),
    blocks: () => ({ words, count: 4, tokensPerBlock: 128, tokens: 512 }),
    prefixHash: () => Math.imul(i + 1, 0x85ebca77) >>> 0,
  });
}

function place<C extends Candidate>(policy: Policy, candidates: readonly C[], hints: Hints): Placed<C> {
  const selected = policy.select(candidates, hints);
  const chosen = candidates.find((candidate) => candidate === selected);
  assert.ok(chosen, 'a candidate of the list');
  return { chosen, watch: policy.begin?.(chosen, hints) };
}

interface Placed<C> {
  readonly chosen: C;
  readonly watch: CallWatch | undefined;
}

/** How many of these calls each candidate is given; each is placed and done before the next. */
function sharesOf(policy: Policy, candidates: readonly Candidate[], calls: readonly number[]): Map<string, number> {
  const shares = new Map(candidates.map(({ workerId }) => [workerId, 0]));
  for (const i of calls) {
    const { chosen, watch } = place(policy, candidates, callOf(i));
    watch?.ended(DONE, undefined);
    shares.set(chosen.workerId, (shares.get(chosen.workerId) ?? 0) + 1);
  }
  return shares;
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

function assertNear(value: number, expected: number, tolerance: number, of: string): void {
  assert.ok(Math.abs(value - expected) <= expected * tolerance, `${of}: ${value}, expected about ${expected}`);
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
        for (let i = 0; i < 20; i += 1) place(policy, candidates, i % 2 === 0 ? callOf(i % 7) : HINTS);
      }),
    );
  });

  test(`${name} picks the only candidate there is, every time`, () => {
    const policy = createPolicy(definition);
    const only = candidateOf('only', { cost: 3, inFlight: 9 });
    for (let i = 0; i < 100; i += 1) assert.equal(policy.select([only], i % 2 === 0 ? callOf(i) : HINTS), only);
  });

  test(`${name} leaves the list of candidates and the candidates as they are`, () => {
    fc.assert(
      fc.property(fleet, (candidates) => {
        const before = structuredClone(candidates);
        place(createPolicy(definition), Object.freeze([...candidates]), callOf(1));
        assert.deepEqual(candidates, before);
      }),
    );
  });

  test(`${name} never picks a worker that cannot serve, however workers come and go`, () => {
    fc.assert(
      fc.property(churn, fc.integer(), (masks, seed) => {
        const policy = createPolicy(definition, seed);
        const workers = eightWorkers();
        // Few keys, so that most calls have one that was placed before.
        masks.forEach((mask, i) => place(policy, present(workers, mask), callOf(i % 5)));
      }),
    );
  });

  test(`${name} goes on after workers were forgotten, also those it never saw, and does not know them again`, () => {
    const policy = createPolicy(definition);
    const workers = eightWorkers();
    sharesOf(policy, workers, range(0, 50));
    for (const id of ['w0', 'w1', 'never-seen', 'w0']) policy.forget?.(candidateOf(id));
    const left = sharesOf(policy, workers.slice(2), range(0, 50));
    assert.ok(!left.has('w0') && !left.has('w1'));
    const joined = ['w0', 'a', 'b', 'c'].map((id) => candidateOf(id));
    const shares = sharesOf(policy, joined, range(1_000, 400));
    // Nothing is left of its first life: it is one of four new workers.
    if (!UNFAIR.has(name)) assertNear(shares.get('w0') ?? 0, 100, 0.3, 'share of w0');
  });

  test(`${name} hands nothing of a worker that has left to the one that gets its slot, under churn`, () => {
    const policy = createPolicy(definition);
    const book = new LoadBook();
    const workers = ['a', 'b', 'c', 'd'].map((id) => book.open(id, TERMS));
    for (let round = 0; round < 40; round += 1) {
      const keys = range(round * 100, 60);
      const watches = keys.map((i) => place(policy, workers, callOf(i)).watch);
      const gone = workers[round % 4] as Candidate;
      policy.forget?.(gone);
      book.close(gone.workerId);
      const joined = book.open(`new-${round}`, TERMS);
      assert.equal(joined.slot, gone.slot);
      workers[round % 4] = joined;
      // Calls of the one that left end later, and count for nobody.
      for (const watch of watches) watch?.ended(DONE, undefined);
    }
    if (UNFAIR.has(name)) return;
    const shares = sharesOf(policy, workers, range(100_000, 2_000));
    for (const [id, share] of shares) assertNear(share, 500, 0.15, id);
  });

  test(`${name} does not send the keys of a worker that has left to the one that gets its slot`, () => {
    const policy = createPolicy(definition);
    const book = new LoadBook();
    const workers = ['a', 'b', 'c', 'd'].map((id) => book.open(id, TERMS));
    const isFirst = (i: number) => {
      const { chosen, watch } = place(policy, workers, callOf(i));
      watch?.ended(DONE, undefined);
      return chosen === workers[0];
    };
    const ofFirst = range(0, 800).filter(isFirst);
    policy.forget?.(workers[0] as Candidate);
    book.close('a');
    workers[0] = book.open('heir', TERMS);
    const heirs = ofFirst.filter(isFirst);
    if (!UNFAIR.has(name)) assert.ok(heirs.length < ofFirst.length / 2, `${heirs.length} of ${ofFirst.length}`);
  });

  test(`${name} repeats its picks when chance is repeated`, () => {
    fc.assert(
      fc.property(churn, fc.integer(), (masks, seed) => {
        const run = () => {
          const policy = createPolicy(definition, seed);
          const workers = eightWorkers();
          return masks.map((mask, i) => place(policy, present(workers, mask), callOf(i % 9)).chosen.workerId);
        };
        assert.deepEqual(run(), run());
      }),
    );
  });

  test(`${name} keeps its state to itself: two instances do not disturb each other`, () => {
    const workers = eightWorkers();
    const alone = createPolicy(definition, 5);
    const expected = range(0, 40).map((i) => place(alone, workers, callOf(i)).chosen.workerId);
    const [one, other] = [createPolicy(definition, 5), createPolicy(definition, 6)];
    const picks = range(0, 40).map((i) => {
      place(other, workers.slice(0, 3), callOf(i));
      return place(one, workers, callOf(i)).chosen.workerId;
    });
    assert.deepEqual(picks, expected);
  });

  test(`${name} explains its choice in a few words that fit into a header`, () => {
    const policy = createPolicy(definition);
    for (const hints of [HINTS, callOf(1), callOf(1)]) {
      const chosen = policy.select(eightWorkers(), hints);
      assert.match(policy.explain?.(chosen as Candidate, hints) ?? '', /^[\x20-\x7e]{3,80}$/);
      policy.begin?.(chosen as Candidate, hints);
    }
  });

  test(`${name} never shows a routing key or a credential`, () => {
    const policy = createPolicy(definition);
    const workers = eightWorkers();
    for (const secret of ['x-smg-routing-key', 'authorization', 'cookie']) {
      const hints = hintsOf({ header: (header) => (header === secret ? 'Bearer sk-secret' : undefined) });
      const { chosen } = place(policy, workers, hints);
      assert.doesNotMatch(policy.explain?.(chosen, hints) ?? '', /sk|secret/);
    }
  });

  if (UNFAIR.has(name)) continue;

  test(`${name} is fair among equals within 5 % over 7,000 calls, with and without load`, () => {
    for (const isHeld of [false, true]) {
      const policy = createPolicy(definition);
      const workers = range(0, 4).map((i) => candidateOf(`w${i}`));
      const shares = new Map<string, number>();
      for (let i = 0; i < CALLS; i += 1) {
        const { chosen, watch } = place(policy, workers, callOf(i));
        shares.set(chosen.workerId, (shares.get(chosen.workerId) ?? 0) + 1);
        if (isHeld) chosen.inFlight += 1;
        else watch?.ended(DONE, undefined);
      }
      for (const worker of workers) {
        assertNear(shares.get(worker.workerId) ?? 0, CALLS / 4, 0.05, `${worker.workerId}, held: ${isHeld}`);
      }
    }
  });

  test(`${name} starves nobody in two pools that share a worker`, () => {
    const policy = createPolicy(definition);
    const [a, shared, b] = ['a', 'shared', 'b'].map((id) => candidateOf(id)) as [Candidate, Candidate, Candidate];
    const shares = new Map<string, number>();
    for (let i = 0; i < 3_000; i += 1) {
      const { chosen, watch } = place(policy, i % 2 === 0 ? [a, shared] : [shared, b], callOf(i));
      watch?.ended(DONE, undefined);
      shares.set(chosen.workerId, (shares.get(chosen.workerId) ?? 0) + 1);
    }
    for (const id of ['a', 'shared', 'b']) assert.ok((shares.get(id) ?? 0) > 500, `${id}: ${shares.get(id)}`);
  });

  test(`${name} counts right in whatever order calls go on and end, and workers leave meanwhile`, () => {
    const random = seededRandom(11);
    const policy = createPolicy(definition);
    const book = new LoadBook();
    // With reports, so that policies that read them do.
    const report = { atMs: 1, running: 0, waiting: 0, waitingTokens: 0, usedTokens: 0, capacityTokens: 1_000 };
    const open = (id: string) =>
      Object.assign(book.open(id, TERMS), { report: { ...report, throughput: undefined, cacheHitRate: undefined } });
    const workers = ['a', 'b', 'c', 'd'].map(open);
    let running: CallWatch[] = [];
    for (let i = 0; i < 3_000; i += 1) {
      const { watch } = place(policy, workers, callOf(i));
      if (watch) running.push(watch);
      for (const each of running) if (random.next() < 0.1) each.firstContent();
      const ending = running.filter(() => random.next() < 0.2);
      for (const each of ending) each.ended(DONE, undefined);
      running = running.filter((each) => !ending.includes(each));
      if (i % 200 !== 199) continue;
      const at = (i / 200) & 3;
      policy.forget?.(workers[at] as Candidate);
      book.close(workers[at]?.workerId ?? '');
      workers[at] = open(`new-${i}`);
    }
    for (const each of running) each.ended(DONE, undefined);
    const shares = sharesOf(policy, workers, range(100_000, 2_000));
    for (const [id, share] of shares) assertNear(share, 500, 0.15, id);
  });

  if (BY_PRICE.has(name)) continue;

  test(`${name} gives workers of cost 1, 2 and 4 shares of 4 : 2 : 1 within 5 % over 7,000 calls`, () => {
    const policy = createPolicy(definition);
    const workers = [1, 2, 4].map((cost) => candidateOf(`cost${cost}`, { cost }));
    // The calls are held: policies that go by load have one to go by.
    for (let i = 0; i < CALLS; i += 1) place(policy, workers, callOf(i)).chosen.inFlight += 1;
    for (const { workerId, cost, inFlight } of workers) assertNear(inFlight, 4_000 / cost, 0.05, workerId);
  });
}

test('policies that share an option declare it alike', () => {
  const all = policies.flatMap(({ options }) => Object.entries(options));
  for (const [key, option] of all) {
    for (const [other, again] of all) if (other === key) assert.deepEqual(again, option, key);
  }
});

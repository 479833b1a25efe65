/** Keys of the client, and who gets a new one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../../test/support/fleet.ts';
import { seededRandom } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { Policy } from '../policy.ts';
import manual from './manual.ts';

const keyed = (key: string) => hintsOf({ header: (name) => (name === 'x-smg-routing-key' ? key : undefined) });

function policyOf(values: Record<string, unknown> = {}, time = { ms: 0 }): Policy {
  return manual.create(values, { random: seededRandom(1), now: () => time.ms });
}

function place(policy: Policy, candidates: readonly Candidate[], hints = hintsOf()): string {
  const chosen = policy.select(candidates, hints);
  assert.ok(chosen);
  policy.begin?.(chosen, hints);
  return chosen.workerId;
}

const four = () => ['a', 'b', 'c', 'd'].map((id) => candidateOf(id));

test('a key stays with its worker over many calls, beside many other keys', () => {
  const policy = policyOf();
  const workers = four();
  const homes = Array.from({ length: 100 }, (_, i) => place(policy, workers, keyed(`k${i}`)));
  assert.equal(new Set(homes).size, 4);
  for (let round = 0; round < 3; round += 1)
    homes.forEach((home, i) => assert.equal(place(policy, workers, keyed(`k${i}`)), home));
});

test('select alone remembers nothing', () => {
  const policy = policyOf();
  const workers = four();
  const picks = new Set(Array.from({ length: 100 }, () => policy.select(workers, keyed('k'))?.workerId));
  assert.equal(picks.size, 4);
});

test('a key comes home after its worker was away, and is at home elsewhere when it was forgotten', () => {
  const policy = policyOf();
  const workers = four();
  const home = place(policy, workers, keyed('k'));
  const others = workers.filter(({ workerId }) => workerId !== home);
  const standIn = place(policy, others, keyed('k'));
  assert.equal(place(policy, others, keyed('k')), standIn);
  assert.equal(place(policy, workers, keyed('k')), home);
  policy.forget?.(candidateOf(home));
  assert.equal(place(policy, workers, keyed('k')), standIn);
});

test('an idle key is given out anew', () => {
  const time = { ms: 0 };
  const policy = policyOf({ assignmentMode: 'min_load', maxIdleSecs: 60 }, time);
  const [a, b] = [candidateOf('a'), candidateOf('b', { inFlight: 1 })];
  assert.equal(place(policy, [a, b], keyed('k')), 'a');
  a.inFlight = 9;
  time.ms = 59_000;
  assert.equal(place(policy, [a, b], keyed('k')), 'a');
  time.ms = 121_000;
  assert.equal(place(policy, [a, b], keyed('k')), 'b');
});

test('min_load gives a new key to the least loaded worker by cost', () => {
  const policy = policyOf({ assignmentMode: 'min_load' });
  const workers = [candidateOf('busy', { inFlight: 3 }), candidateOf('dear', { cost: 9 }), candidateOf('free')];
  assert.equal(place(policy, workers, keyed('k')), 'free');
});

test('min_group gives a new key to the worker with the fewest keys, by cost, whatever the load', () => {
  const policy = policyOf({ assignmentMode: 'min_group' });
  const workers = [candidateOf('a', { inFlight: 50 }), candidateOf('b', { cost: 2 }), candidateOf('c', { cost: 4 })];
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 700; i += 1) {
    const id = place(policy, workers, keyed(`k${i}`));
    counts[id] = (counts[id] ?? 0) + 1;
  }
  for (const [id, expected] of Object.entries({ a: 400, b: 200, c: 100 }))
    assert.ok(Math.abs((counts[id] ?? 0) - expected) <= 2, JSON.stringify(counts));
});

for (const assignmentMode of ['random', 'min_load', 'min_group']) {
  test(`calls without a key are spread and not remembered (${assignmentMode})`, () => {
    const policy = policyOf({ assignmentMode });
    const workers = four();
    // One worker has a key more than the others: no reason to keep calls without a key from it.
    place(policy, workers, keyed('k'));
    const counts = new Map<string, number>();
    for (let i = 0; i < 400; i += 1) {
      const id = place(policy, workers);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const { workerId } of workers) assert.ok((counts.get(workerId) ?? 0) > 60, workerId);
    assert.equal((policy.bytesHeld ?? 0) > 0, true);
    assert.ok((policy.bytesHeld ?? 0) < 1_000);
  });
}

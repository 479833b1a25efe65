/** Whose a key is, and what moves when workers come and go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf } from '../../test/support/fleet.ts';
import type { Candidate } from '../domain/candidate.ts';
import { Rendezvous } from './rendezvous.ts';
import { hash32 } from './text-hash.ts';

const KEYS = Array.from({ length: 20_000 }, (_, i) => hash32(`key-${i}`));

function fleetOf(count: number, costOf: (i: number) => number = () => 1): Candidate[] {
  return Array.from({ length: count }, (_, i) => candidateOf(`w${i}`, { cost: costOf(i) }));
}

function owners(candidates: readonly Candidate[], rendezvous = new Rendezvous()): string[] {
  return KEYS.map((key) => rendezvous.find(key, candidates)?.workerId ?? '');
}

test('a worker that leaves moves its own keys and no other, and they spread over all that stay', () => {
  const workers = fleetOf(10);
  const before = owners(workers);
  const after = owners(workers.toSpliced(3, 1));
  const heirs = new Map<string, number>();
  before.forEach((owner, i) => {
    if (owner === 'w3') heirs.set(after[i] ?? '', (heirs.get(after[i] ?? '') ?? 0) + 1);
    else assert.equal(after[i], owner);
  });
  assert.equal(heirs.size, 9);
  for (const [id, count] of heirs) assert.ok(Math.abs(count - 222) < 75, `${id} inherits ${count}`);
});

test('a worker that joins takes its share from all, and no key moves between the others', () => {
  const workers = fleetOf(11);
  const before = owners(workers.slice(0, 10));
  const moved = owners(workers).filter((owner, i) => owner !== before[i]);
  assert.ok(moved.every((owner) => owner === 'w10'));
  assert.ok(Math.abs(moved.length - 20_000 / 11) < 150, `${moved.length} moved`);
});

test('a cost that rises gives keys away and takes none, and moves none between the others', () => {
  const before = owners(fleetOf(4));
  const after = owners(fleetOf(4, (i) => (i === 0 ? 2 : 1)));
  after.forEach((owner, i) => {
    if (owner !== before[i]) assert.equal(before[i], 'w0');
  });
  assert.ok(Math.abs(after.filter((owner) => owner === 'w0').length - 20_000 / 7) < 200);
});

test('shares of many workers are even', () => {
  const counts = new Map<string, number>();
  for (const owner of owners(fleetOf(8))) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  for (const [id, count] of counts) assert.ok(Math.abs(count - 2_500) < 150, `${id} has ${count}`);
});

test('the answer depends on ids alone: not on order, slots, or who was there before', () => {
  const workers = fleetOf(6);
  const used = new Rendezvous();
  const others = Array.from({ length: 6 }, (_, i) => candidateOf(`other${i}`, { slot: workers[i]?.slot ?? 0 }));
  owners(others, used);
  assert.deepEqual(owners([...workers].reverse(), used), owners(workers));
});

test('a worker whose load is above the limit is passed over for the next one of the key', () => {
  const workers = fleetOf(5);
  const rendezvous = new Rendezvous();
  const key = KEYS[0] ?? 0;
  const first = rendezvous.find(key, workers);
  const next = rendezvous.find(
    key,
    workers.filter((worker) => worker !== first),
  );
  const busy = workers.map((worker) => (worker === first ? { ...worker, load: 3 } : worker));
  assert.equal(rendezvous.find(key, busy, 2)?.workerId, next?.workerId);
  assert.equal(rendezvous.find(key, busy, 3)?.workerId, first?.workerId);
  assert.equal(rendezvous.find(key, [{ ...(first as Candidate), load: 9 }], 1), undefined);
  assert.equal(rendezvous.find(key, []), undefined);
});

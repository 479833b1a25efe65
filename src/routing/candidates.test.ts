/** The hard filters and the tiers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memberOf } from '../../test/support/fleet.ts';
import type { MemberParts } from '../../test/support/fleet.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { CandidateQuery, KeyDigests } from './candidates.ts';
import { listCandidates } from './candidates.ts';

/** A caller whose key has this digest everywhere. */
const keyOf = (digest: number): KeyDigests => ({ digestFor: () => digest });

function chosen(members: readonly PoolMember[], query: Partial<CandidateQuery> = {}) {
  const { candidates, heldBack } = listCandidates(members, { nowMs: 0, key: keyOf(0), tried: [], ...query });
  return { ids: candidates.map(({ workerId }) => workerId), heldBack };
}

test('only workers that are ready may serve', () => {
  const states = ['pending', 'probing', 'ready', 'unhealthy', 'draining', 'failed'] as const;
  const members = states.map((state) => memberOf(state, { state }));
  assert.deepEqual(chosen(members), { ids: ['ready'], heldBack: 0 });
});

test('a worker that the call has tried is not tried again', () => {
  const members = [memberOf('a'), memberOf('b'), memberOf('c')];
  assert.deepEqual(chosen(members, { tried: ['a', 'c'] }), { ids: ['b'], heldBack: 0 });
  assert.deepEqual(chosen(members, { tried: ['a', 'b', 'c'] }), { ids: [], heldBack: 0 });
});

test('a worker at its limit of calls in flight is held back, and one without a limit never', () => {
  const members = [
    memberOf('full', { spec: { maxInFlight: 2 }, inFlight: 2 }),
    memberOf('over', { spec: { maxInFlight: 2 }, inFlight: 3 }),
    memberOf('free', { spec: { maxInFlight: 2 }, inFlight: 1 }),
    memberOf('unlimited', { inFlight: 1_000 }),
  ];
  assert.deepEqual(chosen(members), { ids: ['free', 'unlimited'], heldBack: 2 });
});

test('a worker that its breaker or cool-down holds back is passed over, for this key at this time', () => {
  const gate = (nowMs: number, keyDigest: number) => nowMs >= 100 || keyDigest === 7;
  const members = [memberOf('shut', { mayServe: gate }), memberOf('open')];
  assert.deepEqual(chosen(members, { nowMs: 99 }), { ids: ['open'], heldBack: 1 });
  assert.deepEqual(chosen(members, { nowMs: 100 }), { ids: ['shut', 'open'], heldBack: 0 });
  assert.deepEqual(chosen(members, { nowMs: 0, key: keyOf(7) }), { ids: ['shut', 'open'], heldBack: 0 });
});

test('a cool-down counts for the key that the call would use with that very worker', () => {
  const resting = (nowMs: number, keyDigest: number) => nowMs > 0 || keyDigest !== 7;
  const members = [memberOf('own', { mayServe: resting }), memberOf('stored', { mayServe: resting })];
  const key: KeyDigests = { digestFor: ({ id }) => (id === 'own' ? 7 : 0) };
  assert.deepEqual(chosen(members, { key }), { ids: ['stored'], heldBack: 1 });
});

test('who wants a key that the call does not have serves only where nobody else can, whatever the tiers', () => {
  const high: MemberParts = { spec: { priority: 80 } };
  const members = [memberOf('keyless-high', high), memberOf('keyless'), memberOf('a'), memberOf('b')];
  const key: KeyDigests = { digestFor: () => 0, lacksKey: ({ id }) => id.startsWith('keyless') };
  assert.deepEqual(chosen(members, { key }).ids, ['a', 'b']);
  assert.deepEqual(chosen(members.toReversed(), { key }).ids, ['b', 'a']);
  assert.deepEqual(chosen(members, { key, tried: ['a', 'b'] }).ids, ['keyless-high']);
  const { lackKeys } = listCandidates(members, { nowMs: 0, key, tried: ['a', 'b'] });
  assert.deepEqual([lackKeys, listCandidates(members, { nowMs: 0, key, tried: [] }).lackKeys], [true, false]);
});

test('the highest priority serves, and a lower one when nobody of the higher can', () => {
  const high: MemberParts = { spec: { priority: 80 } };
  const low: MemberParts = { spec: { priority: 20 } };
  const members = [memberOf('l1', low), memberOf('h1', high), memberOf('l2', low), memberOf('h2', high)];
  assert.deepEqual(chosen(members).ids, ['h1', 'h2']);
  assert.deepEqual(chosen(members, { tried: ['h1'] }).ids, ['h2']);
  assert.deepEqual(chosen(members, { tried: ['h1', 'h2'] }).ids, ['l1', 'l2']);
});

test('spill-over: a full upper tier lets the lower one serve', () => {
  const members = [
    memberOf('high', { spec: { priority: 80, maxInFlight: 1 }, inFlight: 1 }),
    memberOf('low', { spec: { priority: 0 } }),
  ];
  assert.deepEqual(chosen(members), { ids: ['low'], heldBack: 1 });
});

test('nobody at all is an empty list', () => assert.deepEqual(chosen([]), { ids: [], heldBack: 0 }));

test('the gate of a worker that cannot serve anyway is not asked', () => {
  const asked = () => assert.fail('asked');
  const members = [
    memberOf('down', { state: 'unhealthy', mayServe: asked }),
    memberOf('tried', { mayServe: asked }),
    memberOf('full', { spec: { maxInFlight: 1 }, inFlight: 1, mayServe: asked }),
  ];
  assert.deepEqual(chosen(members, { tried: ['tried'] }), { ids: [], heldBack: 1 });
});

const parts = fc.record({
  state: fc.constantFrom('ready' as const, 'ready' as const, 'unhealthy' as const),
  priority: fc.nat(3),
  maxInFlight: fc.nat(2),
  inFlight: fc.nat(3),
  isShut: fc.boolean(),
});

test('for any fleet the candidates are just those of the best tier that pass every filter, in the order of the pool', () => {
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), fc.array(fc.nat(11), { maxLength: 4 }), (fleet, numbers) => {
      const tried = numbers.map((n) => `w${n}`);
      const members = fleet.map(({ state, priority, maxInFlight, inFlight, isShut }, i) =>
        memberOf(`w${i}`, { state, inFlight, mayServe: () => !isShut, spec: { priority, maxInFlight } }),
      );
      const able = members.filter(
        ({ worker, candidate }, i) =>
          worker.state === 'ready' &&
          !tried.includes(worker.id) &&
          (worker.spec.maxInFlight === 0 || candidate.inFlight < worker.spec.maxInFlight) &&
          !fleet[i]?.isShut,
      );
      const best = Math.max(...able.map(({ candidate }) => candidate.priority));
      const expected = able.filter(({ candidate }) => candidate.priority === best).map(({ worker }) => worker.id);
      assert.deepEqual(chosen(members, { tried }).ids, expected);
    }),
  );
});

test('the ranks of a worker share its limit: together they take as many calls as it may', () => {
  const ranks = (limit: number, inFlight: number) =>
    [0, 1, 2].map((rank) => ({
      ...memberOf(`w@${rank}`, { spec: { maxInFlight: limit }, facts: { dataParallelSize: 3 }, inFlight }),
      rank,
    }));
  const free = (limit: number, inFlight: number) => chosen(ranks(limit, inFlight)).ids;
  assert.deepEqual(free(4, 1), ['w@0'], 'two, one and one');
  assert.deepEqual(free(4, 2), []);
  assert.deepEqual(free(2, 0), ['w@0', 'w@1']);
  assert.deepEqual(free(0, 100), ['w@0', 'w@1', 'w@2'], 'no limit');
});

/** From a pool to one worker, and the reason when there is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf, snapshotOf } from '../../test/support/fleet.ts';
import { ManualClock } from '../base/clock.ts';
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { CallRecord } from '../domain/record.ts';
import type { KeyDigests } from '../routing/candidates.ts';
import type { Hints, Policy } from '../routing/policy.ts';
import { protocols } from '../protocols/index.ts';
import type { DispatchDeps } from './deps.ts';
import { CallHints } from './hints.ts';
import { hasCandidates, placeCall, refusePlacement, whyNobody } from './place.ts';

const NO_KEY: KeyDigests = { digestFor: () => 0 };

const LAST: Policy = { select: (candidates) => candidates.at(-1) };

function callOf(change: Partial<Call> = {}): Call {
  return {
    requestId: 'r',
    protocol: 'openai-chat',
    upstreamPath: '/v1/chat/completions',
    model: 'm',
    modelOptional: false,
    stream: false,
    body: Buffer.from('{"model":"m"}'),
    modelSpans: [],
    headers: {},
    callerKey: undefined,
    record: new CallRecord('r', 'POST', '/v1/chat/completions', 0),
    ...change,
  };
}

/** What placing needs of the spine's parts. `coolDown`: when the first of the asked workers is free again. */
function depsOf(members: readonly PoolMember[], policy: Policy = LAST, coolDown = 0) {
  const clock = new ManualClock();
  const asked: string[][] = [];
  const leases = {
    acquire: () => assert.fail('placing takes no lease'),
    coolDownEndsAt: (ids: readonly string[]) => {
      asked.push([...ids]);
      return coolDown;
    },
    isOutOfQuota: (id: string) => id.startsWith('poor'),
    isBeingTried: () => false,
  };
  const directory = { snapshot: () => snapshotOf(members), subscribe: () => () => undefined };
  const deps = {
    clock,
    policyFor: () => ({ name: 'last', policy }),
    leases,
    directory,
    aliases: new Map(),
  } as Partial<DispatchDeps> as DispatchDeps;
  return { deps, clock, asked };
}

function place(members: readonly PoolMember[], policy: Policy = LAST, tried: readonly string[] = [], call = callOf()) {
  return placeCall(call, {
    resolved: { model: 'm', members, isListed: true },
    hints: new CallHints(call, 'm', protocols[call.protocol]),
    tried,
    key: NO_KEY,
    deps: depsOf(members, policy).deps,
  });
}

test('the policy’s choice serves, and the record says which policy it was', () => {
  const call = callOf();
  const placed = place([memberOf('a'), memberOf('b')], LAST, [], call);
  assert.equal(placed?.member.id, 'b');
  assert.equal(call.record.policy, 'last');
});

test('the policy sees only those that may serve now, and nobody is asked when nobody may', () => {
  const seen: string[][] = [];
  const policy: Policy = {
    select: (candidates) => {
      seen.push(candidates.map(({ workerId }) => workerId));
      return candidates[0];
    },
  };
  const members = [
    memberOf('tried'),
    memberOf('down', { state: 'unhealthy' }),
    memberOf('shut', { mayServe: () => false }),
    memberOf('free'),
  ];
  assert.equal(place(members, policy, ['tried'])?.member.id, 'free');
  assert.equal(place(members, policy, ['tried', 'free']), undefined);
  assert.deepEqual(seen, [['free']]);
});

test('a policy that chooses nobody, or somebody else, is a fault of the gateway', () => {
  const stranger = memberOf('a').candidate;
  for (const policy of [{ select: () => undefined }, { select: () => stranger }]) {
    assert.throws(() => place([memberOf('a')], policy), {
      code: 'internal_error',
      message: 'The policy last chose no worker of the pool.',
    });
  }
});

test('a policy is told the model and single request headers', () => {
  let hints: Hints | undefined;
  const policy: Policy = {
    select: (candidates, given) => {
      hints = given;
      return candidates[0];
    },
  };
  place([memberOf('a')], policy, [], callOf({ headers: { 'x-smg-routing-key': 'k', via: ['a', 'b'] } }));
  assert.deepEqual(
    [hints?.model, hints?.header('x-smg-routing-key'), hints?.header('via'), hints?.header('none')],
    ['m', 'k', undefined, undefined],
  );
});

test('whether anybody is left is the same question without a choice', () => {
  const members = [memberOf('a'), memberOf('b', { state: 'unhealthy' })];
  const query = { nowMs: 0, key: NO_KEY };
  assert.equal(hasCandidates(members, { ...query, tried: [] }), true);
  assert.equal(hasCandidates(members, { ...query, tried: ['a'] }), false);
});

test('when all ready workers rest after a 429 the call is refused with 429 and the time to the first end', () => {
  const members = [memberOf('a'), memberOf('down', { state: 'unhealthy' }), memberOf('b')];
  const { deps, clock, asked } = depsOf(members, LAST, 30_000);
  clock.advance(25_001);
  const error = refusePlacement(members, NO_KEY, deps);
  assert.deepEqual([error.code, error.status, error.retryAfterSeconds], ['rate_limited', 429, 5]);
  assert.deepEqual(asked, [['a'], ['b']]);
});

test('a rest that is nearly over is still a second to the client', () => {
  const members = [memberOf('a')];
  const { deps, clock } = depsOf(members, LAST, 1_000);
  clock.advance(999);
  assert.equal(refusePlacement(members, NO_KEY, deps).retryAfterSeconds, 1);
});

test('when nobody rests the call is refused with 503', () => {
  const members = [memberOf('a', { state: 'unhealthy' }), memberOf('b', { state: 'failed' })];
  const { deps, asked } = depsOf(members, LAST, 9_999);
  const error = refusePlacement(members, NO_KEY, deps);
  assert.deepEqual([error.code, error.status, error.retryAfterSeconds], ['no_available_workers', 503, 1]);
  assert.equal(error.message, 'None of the 2 workers of the model can take a call now.');
  const alone = refusePlacement(members.slice(1), NO_KEY, deps);
  assert.equal(alone.message, 'The only worker of the model cannot take a call now.');
  assert.deepEqual(asked, [], 'workers that are down do not rest');
});

test('in the record nobody is told apart from everybody without quota or at rest', () => {
  const why = (ids: readonly string[], coolDown: number, down = 'down') => {
    const members = [...ids.map((id) => memberOf(id)), memberOf(down, { state: 'unhealthy' })];
    return whyNobody(members, NO_KEY, depsOf(members, LAST, coolDown).deps);
  };
  assert.equal(why(['poor1', 'poor2'], 1), 'quota');
  assert.equal(why(['poor1', 'rich'], 1), 'rate_limited');
  assert.equal(why(['rich'], 0), 'no_worker');
  assert.equal(why([], 1, 'poor'), 'no_worker');
});

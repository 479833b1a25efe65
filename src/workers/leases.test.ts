/** Leases, loads and conditions: what a call takes from a worker it gives back, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../base/clock.ts';
import type { AttemptVerdict, Lease } from '../domain/ports.ts';
import { ConditionBook } from './condition.ts';
import { Leases } from './leases.ts';
import { LoadBook } from './load.ts';

const SUCCESS: AttemptVerdict = { kind: 'success' };
const NEUTRAL: AttemptVerdict = { kind: 'neutral' };
const KEY = 7;
const TERMS = { priority: 50, cost: 1 };

function failure(retryAfterMs?: number): AttemptVerdict {
  return { kind: 'failure', error: 'upstream_error', retryAfterMs };
}

function limited(retryAfterMs?: number): AttemptVerdict {
  return { kind: 'rate_limited', retryAfterMs };
}

function rig(...ids: string[]) {
  const clock = new ManualClock();
  const changes: string[] = [];
  const telemetry = {
    stateChanged: () => undefined,
    healthChecked: () => undefined,
    breakerChanged: (id: string, from: string, to: string) => changes.push(`${id}: ${from} > ${to}`),
  };
  const loads = new LoadBook();
  const options = { failureThreshold: 3, successThreshold: 1, openMs: 1_000, windowMs: 60_000 };
  const conditions = new ConditionBook(options, telemetry, clock);
  const leases = new Leases(loads, conditions, clock);
  const parts = ids.map((id) => ({ candidate: loads.open(id, TERMS), gate: conditions.open(id) }));
  const mayServe = (at: number, key = KEY) => parts[at]?.gate.mayServe(clock.now(), key);
  return { clock, changes, loads, conditions, leases, parts, mayServe };
}

test('a lease counts one call on its worker until it is settled', () => {
  const { leases, parts, loads } = rig('a', 'b');
  const first = leases.acquire('a', KEY);
  const second = leases.acquire('a', KEY);
  assert.deepEqual(
    parts.map(({ candidate }) => candidate.inFlight),
    [2, 0],
  );
  first.settle(SUCCESS);
  assert.equal(loads.inFlight('a'), 1);
  second.settle(NEUTRAL);
  assert.equal(loads.inFlight('a'), 0);
});

test('settling again gives nothing back twice, and only the first verdict counts', () => {
  const { leases, loads, conditions } = rig('a');
  const [lease, other] = [leases.acquire('a', KEY), leases.acquire('a', KEY)];
  lease.settle(failure());
  lease.settle(failure());
  lease.settle(SUCCESS);
  assert.equal(loads.inFlight('a'), 1);
  assert.equal(conditions.of('a')?.breaker.consecutiveFailures, 1);
  other.settle(NEUTRAL);
  assert.equal(loads.inFlight('a'), 0);
});

test('for any order of taking and giving back, the count is the number of open leases', () => {
  const verdict = fc.constantFrom(SUCCESS, NEUTRAL, failure(), failure(50), limited(), limited(100));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(30), verdict), { maxLength: 60 }), (steps) => {
      const { leases, loads } = rig('a');
      const taken: Lease[] = [];
      const open = new Set<Lease>();
      for (const [isTaking, which, how] of steps) {
        if (isTaking) {
          const lease = leases.acquire('a', KEY);
          taken.push(lease);
          open.add(lease);
        } else if (taken.length > 0) {
          const lease = taken[which % taken.length] as Lease;
          lease.settle(how);
          open.delete(lease);
        }
        assert.equal(loads.inFlight('a'), open.size);
      }
    }),
  );
});

test('a worker that was removed meanwhile takes its lease back without a trace', () => {
  const { leases, loads, conditions, parts } = rig('a');
  const lease = leases.acquire('a', KEY);
  loads.close('a');
  conditions.close('a');
  lease.settle(failure());
  assert.equal(loads.inFlight('a'), 0);
  assert.equal(parts[0]?.candidate.inFlight, 0);
  leases.acquire('a', KEY).settle(SUCCESS);
  assert.equal(leases.coolDownEndsAt(['a'], KEY), 0);
});

test('a thousand bad requests leave the breaker closed', () => {
  const { leases, mayServe, changes } = rig('a');
  for (let i = 0; i < 1_000; i += 1) leases.acquire('a', KEY).settle(NEUTRAL);
  assert.equal(mayServe(0), true);
  assert.deepEqual(changes, []);
});

test('failures in a row open the breaker of their worker only, and its probe closes it', () => {
  const { leases, mayServe, changes, clock } = rig('a', 'b');
  for (let i = 0; i < 3; i += 1) leases.acquire('a', KEY).settle(failure());
  assert.deepEqual([mayServe(0), mayServe(1)], [false, true]);
  clock.advance(1_000);
  const probe = leases.acquire('a', KEY);
  assert.equal(mayServe(0), false, 'one probe at a time');
  probe.settle(SUCCESS);
  assert.equal(mayServe(0), true);
  assert.deepEqual(changes, ['a: closed > open', 'a: open > half_open', 'a: half_open > closed']);
});

test('a probe that its client left frees its place', () => {
  const { leases, mayServe, clock } = rig('a');
  for (let i = 0; i < 3; i += 1) leases.acquire('a', KEY).settle(failure());
  clock.advance(1_000);
  const probe = leases.acquire('a', KEY);
  probe.settle(NEUTRAL);
  probe.settle(NEUTRAL);
  assert.equal(mayServe(0), true);
});

test('a probe that is rate limited frees its place too, and the worker rests for that key', () => {
  const { leases, mayServe, clock } = rig('a');
  for (let i = 0; i < 3; i += 1) leases.acquire('a', KEY).settle(failure());
  clock.advance(1_000);
  leases.acquire('a', KEY).settle(limited(500));
  assert.deepEqual([mayServe(0, KEY), mayServe(0, 8)], [false, true]);
});

test('a 429 lets the worker rest for that key as long as it asked, and does not feed the breaker', () => {
  const { leases, mayServe, clock, changes } = rig('a');
  for (let i = 0; i < 10; i += 1) leases.acquire('a', KEY).settle(limited(30_000));
  assert.deepEqual([mayServe(0, KEY), mayServe(0, 8)], [false, true]);
  clock.advance(29_999);
  assert.equal(mayServe(0), false);
  clock.advance(1);
  assert.equal(mayServe(0), true);
  assert.deepEqual(changes, []);
});

test('a 429 that names no time rests a second, and an absurd one five minutes at most', () => {
  const { leases, clock } = rig('a', 'b', 'c');
  leases.acquire('a', KEY).settle(limited());
  leases.acquire('b', KEY).settle(limited(86_400_000));
  assert.equal(leases.coolDownEndsAt(['a'], KEY), clock.now() + 1_000);
  assert.equal(leases.coolDownEndsAt(['b'], KEY), clock.now() + 300_000);
});

test('a key without quota rests as such, on that worker only', () => {
  const { leases, clock } = rig('a', 'b');
  leases.acquire('a', KEY).settle({ kind: 'rate_limited', retryAfterMs: 60_000, isQuota: true });
  leases.acquire('b', KEY).settle(limited(60_000));
  const out = () => ['a', 'b', 'unknown'].map((id) => leases.isOutOfQuota(id, KEY));
  assert.deepEqual([out(), leases.isOutOfQuota('a', 8)], [[true, false, false], false]);
  clock.advance(60_000);
  assert.deepEqual(out(), [false, false, false]);
});

test('a failure that names a time rests for it and counts as a failure; one that names none does not rest', () => {
  const { leases, mayServe, conditions } = rig('a', 'b');
  leases.acquire('a', KEY).settle(failure(2_000));
  leases.acquire('b', KEY).settle(failure());
  assert.deepEqual([mayServe(0), mayServe(1)], [false, true]);
  assert.equal(conditions.of('a')?.breaker.consecutiveFailures, 1);
});

test('the rest of several workers ends with the first of them, and there is none when one of them is free', () => {
  const { leases, clock } = rig('a', 'b', 'c');
  leases.acquire('a', KEY).settle(limited(3_000));
  leases.acquire('b', KEY).settle(limited(2_000));
  assert.equal(leases.coolDownEndsAt(['a', 'b'], KEY), 2_000);
  assert.equal(leases.coolDownEndsAt(['a', 'b', 'c'], KEY), 0);
  assert.equal(leases.coolDownEndsAt(['a', 'b'], 8), 0);
  assert.equal(leases.coolDownEndsAt([], KEY), 0);
  clock.advance(2_000);
  assert.equal(leases.coolDownEndsAt(['a', 'b'], KEY), 0);
});

test('a load is counted out once, however often that is asked', () => {
  const loads = new LoadBook();
  loads.open('a', TERMS);
  const [leave, other] = [loads.enter('a'), loads.enter('a')];
  leave();
  leave();
  assert.equal(loads.inFlight('a'), 1);
  other();
  assert.equal(loads.inFlight('a'), 0);
});

test('a candidate carries priority and cost of its worker', () => {
  const loads = new LoadBook();
  const { workerId, priority, cost, inFlight } = loads.open('a', { priority: 80, cost: 2 });
  assert.deepEqual({ workerId, priority, cost, inFlight }, { workerId: 'a', priority: 80, cost: 2, inFlight: 0 });
});

/** The breaker's states, and who may move them: only what was learned in the present state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { BreakerOptions } from './circuit-breaker.ts';

const OPTIONS: BreakerOptions = { failureThreshold: 3, successThreshold: 2, openMs: 1_000, windowMs: 500 };

function breakerOf(change: Partial<BreakerOptions> = {}): { breaker: CircuitBreaker; changes: string[] } {
  const changes: string[] = [];
  const breaker = new CircuitBreaker({ ...OPTIONS, ...change }, (from, to) => changes.push(`${from} > ${to}`));
  return { breaker, changes };
}

/** A breaker that opened at 0 ms. */
function opened(change: Partial<BreakerOptions> = {}): { breaker: CircuitBreaker; changes: string[] } {
  const made = breakerOf(change);
  for (let i = 0; i < OPTIONS.failureThreshold; i += 1) made.breaker.failed(made.breaker.started(0), 0);
  assert.equal(made.breaker.state, 'open');
  return made;
}

test('it opens with the last of the failures in a row, and tells of it once', () => {
  const { breaker, changes } = breakerOf();
  for (let i = 1; i < 3; i += 1) breaker.failed(breaker.started(0), 0);
  assert.equal(breaker.state, 'closed');
  assert.equal(breaker.consecutiveFailures, 2);
  breaker.failed(breaker.started(0), 0);
  assert.equal(breaker.state, 'open');
  breaker.failed(false, 0);
  assert.deepEqual(changes, ['closed > open']);
});

test('a success between them ends the row', () => {
  const { breaker } = breakerOf();
  for (let i = 0; i < 10; i += 1) {
    breaker.failed(false, i);
    breaker.failed(false, i);
    breaker.succeeded(false);
  }
  assert.equal(breaker.state, 'closed');
  assert.equal(breaker.consecutiveFailures, 0);
});

test('what says nothing about the worker neither ends the row nor prolongs it', () => {
  const { breaker } = breakerOf();
  for (let i = 0; i < 1_000; i += 1) breaker.neutral(false);
  assert.equal(breaker.state, 'closed');
  breaker.failed(false, 0);
  breaker.failed(false, 0);
  breaker.neutral(false);
  breaker.failed(false, 0);
  assert.equal(breaker.state, 'open');
});

test('a failure older than the window does not count towards the row', () => {
  const { breaker } = breakerOf();
  for (let at = 0; at < 20_000; at += 501) {
    breaker.failed(false, at);
    assert.equal(breaker.state, 'closed', `at ${at}`);
  }
});

test('failures that all lie within the window count, up to its very end', () => {
  const { breaker } = breakerOf();
  for (const at of [0, 250, 500]) breaker.failed(false, at);
  assert.equal(breaker.state, 'open');
});

test('a threshold of Infinity never opens', () => {
  const { breaker } = breakerOf({ failureThreshold: Number.POSITIVE_INFINITY });
  for (let i = 0; i < 10_000; i += 1) breaker.failed(breaker.started(i), i);
  assert.equal(breaker.state, 'closed');
});

test('while it is open nothing may be sent, and then one call at a time', () => {
  const { breaker, changes } = opened();
  assert.equal(breaker.mayServe(999), false);
  assert.equal(breaker.started(999), false);
  assert.equal(breaker.mayServe(1_000), true);
  assert.equal(breaker.state, 'open', 'asking changes nothing');
  assert.equal(breaker.started(1_000), true);
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.mayServe(1_000), false);
  assert.equal(breaker.mayServe(1_000_000), false, 'however long the probe takes');
  assert.deepEqual(changes, ['closed > open', 'open > half_open']);
});

test('as many probes in a row as asked for close it', () => {
  const { breaker, changes } = opened();
  breaker.succeeded(breaker.started(1_000));
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.mayServe(1_001), true);
  breaker.succeeded(breaker.started(1_001));
  assert.equal(breaker.state, 'closed');
  assert.deepEqual(changes, ['closed > open', 'open > half_open', 'half_open > closed']);
  breaker.failed(false, 1_002);
  breaker.failed(false, 1_002);
  assert.equal(breaker.state, 'closed', 'the row begins anew');
});

test('one failed probe opens it again for the whole time, and the next round begins at nought', () => {
  const { breaker } = opened();
  breaker.succeeded(breaker.started(1_000));
  breaker.failed(breaker.started(1_500), 1_600);
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.mayServe(2_599), false);
  breaker.succeeded(breaker.started(2_600));
  assert.equal(breaker.state, 'half_open');
  breaker.succeeded(breaker.started(2_601));
  assert.equal(breaker.state, 'closed');
});

test('a probe that ends without saying anything frees its place and moves nothing', () => {
  const { breaker } = opened();
  breaker.succeeded(breaker.started(1_000));
  breaker.neutral(breaker.started(1_000));
  assert.equal(breaker.state, 'half_open');
  assert.equal(breaker.mayServe(1_000), true);
  breaker.succeeded(breaker.started(1_000));
  assert.equal(breaker.state, 'closed');
});

test('late results of calls that began before it opened neither close it nor open it again', () => {
  const { breaker, changes } = opened();
  for (let i = 0; i < 5; i += 1) breaker.succeeded(false);
  assert.equal(breaker.state, 'open');
  const probe = breaker.started(1_000);
  for (let i = 0; i < 5; i += 1) breaker.succeeded(false);
  assert.equal(breaker.state, 'half_open');
  breaker.failed(false, 1_001);
  assert.equal(breaker.state, 'half_open');
  breaker.neutral(false);
  assert.equal(breaker.mayServe(1_001), false, 'the probe is still under way');
  breaker.succeeded(probe);
  assert.deepEqual(changes, ['closed > open', 'open > half_open']);
});

test('late successes do not stand in for the probes that closing takes', () => {
  const { breaker } = opened({ successThreshold: 3 });
  for (let probes = 1; probes <= 3; probes += 1) {
    const wasProbe = breaker.started(1_000);
    breaker.succeeded(false);
    breaker.succeeded(false);
    assert.equal(breaker.state, 'half_open', `before probe ${probes} of 3 has ended`);
    breaker.succeeded(wasProbe);
    assert.equal(breaker.consecutiveSuccesses, probes);
  }
  assert.equal(breaker.state, 'closed');
});

test('late failures do not take back what probes have shown', () => {
  const { breaker } = opened();
  breaker.succeeded(breaker.started(1_000));
  breaker.failed(false, 1_001);
  breaker.succeeded(breaker.started(1_002));
  assert.equal(breaker.state, 'closed');
});

type Step = readonly [kind: 'start' | 'success' | 'failure' | 'neutral', waitMs: number, which: number];

const step = fc.tuple(
  fc.constantFrom<Step[0]>('start', 'start', 'success', 'failure', 'failure', 'neutral'),
  fc.constantFrom(0, 1, 100, 600, 1_000),
  fc.nat(20),
);

test('under any traffic a half-open breaker has at most one probe out, and nothing starts while it is open', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { breaker, changes } = breakerOf();
      const running: boolean[] = [];
      let now = 0;
      for (const [kind, waitMs, which] of steps) {
        now += waitMs;
        if (kind === 'start') {
          if (!breaker.mayServe(now)) {
            assert.notEqual(breaker.state, 'closed');
            continue;
          }
          const wasProbe = breaker.started(now);
          assert.equal(wasProbe, breaker.state === 'half_open');
          running.push(wasProbe);
        } else if (running.length > 0) {
          const [wasProbe = false] = running.splice(which % running.length, 1);
          if (kind === 'success') breaker.succeeded(wasProbe);
          else if (kind === 'failure') breaker.failed(wasProbe, now);
          else breaker.neutral(wasProbe);
        }
        assert.ok(running.filter(Boolean).length <= 1, 'two probes at once');
      }
      const allowed = ['closed > open', 'open > half_open', 'half_open > closed', 'half_open > open'];
      for (const [i, change] of changes.entries()) {
        assert.ok(allowed.includes(change), change);
        if (i > 0) assert.equal(change.split(' > ')[0], changes[i - 1]?.split(' > ')[1]);
      }
    }),
    { numRuns: 500 },
  );
});

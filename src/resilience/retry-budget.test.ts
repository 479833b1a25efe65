/** The retry budget: attempts stay in proportion to calls, whatever fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RetryBudget } from './retry-budget.ts';

const OPTIONS = { ratio: 0.2, minimum: 3 };

function drain(budget: RetryBudget, nowMs: number): number {
  let taken = 0;
  while (budget.withdraw(nowMs)) taken += 1;
  return taken;
}

/** What a new gateway may spend at once. */
const START = drain(new RetryBudget(OPTIONS, 0), 0);

test('a gateway that has just begun may retry a few times, before breakers have learned anything', () => {
  assert.ok(START >= OPTIONS.minimum && START <= 10 * OPTIONS.minimum, `${START} retries`);
});

test('in a storm where every call fails and is retried as often as allowed, retries stay within their share', () => {
  const budget = new RetryBudget(OPTIONS, 0);
  const calls = 12_000;
  let retries = 0;
  for (let i = 0; i < calls; i += 1) {
    budget.deposit();
    retries += drain(budget, i * 5);
  }
  // 60 s at 200 calls/s: a fifth of the calls, the start, and one retry a second that time gives.
  assert.ok(retries <= 0.2 * calls + START + 60, `${retries} retries of ${calls} calls`);
  assert.ok(retries >= 0.2 * calls, 'the share is really given');
});

test('for any traffic retries are bounded by the share of calls, the start, and what time gives back', () => {
  const step = fc.tuple(fc.nat(5), fc.nat(20), fc.constantFrom(0, 1, 10, 1_000, 100_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const budget = new RetryBudget(OPTIONS, 0);
      let [calls, retries, now] = [0, 0, 0];
      for (const [arrivals, tries, waitMs] of steps) {
        now += waitMs;
        for (let i = 0; i < arrivals; i += 1) budget.deposit();
        calls += arrivals;
        for (let i = 0; i < tries; i += 1) if (budget.withdraw(now)) retries += 1;
      }
      assert.ok(retries <= 0.2 * calls + START + (now / 3_000) * 3 + 1e-9);
    }),
  );
});

test('a quiet gateway regains its minimum and no more', () => {
  const budget = new RetryBudget(OPTIONS, 0);
  drain(budget, 0);
  assert.equal(drain(budget, 999), 0);
  assert.equal(drain(budget, 1_000), 1);
  assert.equal(drain(budget, 4_000), 3);
  assert.equal(drain(budget, 1_000_000), 3);
});

test('asking often while it is empty does not slow the refill down', () => {
  const budget = new RetryBudget(OPTIONS, 0);
  drain(budget, 0);
  let taken = 0;
  for (let now = 1; now <= 3_000; now += 1) if (budget.withdraw(now)) taken += 1;
  assert.ok(taken === 3 || taken === 2, `${taken} in three seconds`);
});

test('good days do not save up for an unbounded storm', () => {
  const budget = new RetryBudget(OPTIONS, 0);
  for (let i = 0; i < 1_000_000; i += 1) budget.deposit();
  assert.equal(drain(budget, 0), 96);
});

test('with no minimum only calls pay, and with no ratio only time does', () => {
  const onlyCalls = new RetryBudget({ ratio: 0.5, minimum: 0 }, 0);
  assert.equal(drain(onlyCalls, 1_000_000), 0);
  for (let i = 0; i < 4; i += 1) onlyCalls.deposit();
  assert.equal(drain(onlyCalls, 1_000_000), 1);
  const onlyTime = new RetryBudget({ ratio: 0, minimum: 3 }, 0);
  for (let i = 0; i < 1_000; i += 1) onlyTime.deposit();
  assert.equal(drain(onlyTime, 0), START);
});

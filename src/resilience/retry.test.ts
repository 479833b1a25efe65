/** What to do after a failed attempt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import type { BackoffOptions } from './backoff.ts';
import { backoffMs } from './backoff.ts';
import type { FailedAttempt, RetryOptions } from './retry.ts';
import { isRetryableStatus, parseRetryAfter, planRetry } from './retry.ts';

const BACKOFF: BackoffOptions = { initialMs: 50, maxMs: 30_000, multiplier: 1.5, jitter: 0 };
const OPTIONS: RetryOptions = { maxAttempts: 5, backoff: BACKOFF, retryAfterMaxMs: 10_000 };
const FAILED: FailedAttempt = { attempts: 1, nothingSent: false, retryAfterMs: undefined, hasOther: true };

function plan(change: Partial<FailedAttempt>, options: Partial<RetryOptions> = {}) {
  return planRetry({ ...OPTIONS, ...options }, { ...FAILED, ...change }, seededRandom(1));
}

const backoffOptions = fc.record({
  initialMs: fc.integer({ min: 1, max: 10_000 }),
  maxMs: fc.integer({ min: 1, max: 100_000 }),
  multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});

test('a delay lies within the jitter around initial x multiplier^retry, cut at the maximum', () => {
  fc.assert(
    fc.property(backoffOptions, fc.nat(400), fc.integer(), (options, retry, seed) => {
      const base = Math.min(options.initialMs * options.multiplier ** retry, options.maxMs);
      const delay = backoffMs(options, retry, seededRandom(seed));
      assert.ok(delay >= base * (1 - options.jitter) - 1e-6 && delay <= base * (1 + options.jitter) + 1e-6);
      assert.ok(Number.isFinite(delay) && delay >= 0);
    }),
  );
});

test('without jitter the delays are 50, 75, 112.5 ms and so on up to the maximum', () => {
  const delays = [0, 1, 2, 20].map((retry) => backoffMs(BACKOFF, retry, seededRandom(1)));
  assert.deepEqual(delays, [50, 75, 112.5, 30_000]);
});

test('jitter reaches both ends of its range', () => {
  const options = { ...BACKOFF, jitter: 0.2 };
  assert.equal(backoffMs(options, 0, { next: () => 0 }), 40);
  assert.ok(Math.abs(backoffMs(options, 0, { next: () => 1 - 2 ** -32 }) - 60) < 1e-6);
});

test('the statuses that may be retried are these', () => {
  const statuses = Array.from({ length: 500 }, (_, i) => i + 100).filter(isRetryableStatus);
  assert.deepEqual(statuses, [408, 429, 500, 502, 503, 504, 529]);
});

test('the last permitted attempt is the last', () => {
  assert.equal(plan({ attempts: 5 }).kind, 'give_up');
  assert.equal(plan({ attempts: 6 }).kind, 'give_up');
  assert.equal(plan({ attempts: 4 }).kind, 'retry');
  assert.equal(plan({ attempts: 1 }, { maxAttempts: 1 }).kind, 'give_up');
});

test('another worker is tried after the back-off, whatever the first one asked for', () => {
  const expected = { kind: 'retry', delayMs: 75, again: false, costsBudget: true };
  assert.deepEqual(plan({ attempts: 2 }), expected);
  assert.deepEqual(plan({ attempts: 2, retryAfterMs: 5_000 }), expected);
  assert.deepEqual(plan({ attempts: 2, retryAfterMs: 1e9 }), expected);
});

test('a refused connection is answered by another worker at once and free of charge', () => {
  assert.deepEqual(plan({ nothingSent: true }), { kind: 'retry', delayMs: 0, again: false, costsBudget: false });
});

test('when every worker has been tried the call goes round again after the back-off', () => {
  assert.deepEqual(plan({ hasOther: false }), { kind: 'retry', delayMs: 50, again: true, costsBudget: true });
  assert.deepEqual(plan({ hasOther: false, nothingSent: true }), {
    kind: 'retry',
    delayMs: 50,
    again: true,
    costsBudget: false,
  });
});

test('a round again waits for what the worker asked, if that is longer than the back-off', () => {
  assert.deepEqual(plan({ hasOther: false, retryAfterMs: 3_000 }), {
    kind: 'retry',
    delayMs: 3_000,
    again: true,
    costsBudget: true,
  });
  assert.deepEqual(plan({ hasOther: false, retryAfterMs: 0 }), {
    kind: 'retry',
    delayMs: 50,
    again: true,
    costsBudget: true,
  });
});

test('what the worker asked is the client’s to wait for when the gateway does not wait so long', () => {
  assert.equal(plan({ hasOther: false, retryAfterMs: 10_000 }).kind, 'retry');
  assert.equal(plan({ hasOther: false, retryAfterMs: 10_001 }).kind, 'give_up');
});

const WALL = Date.UTC(2026, 0, 1, 12, 0, 0);

const readable: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['5', 5_000],
  ['1.5', 1_500],
  ['0.25', 250],
  ['120', 120_000],
  ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 12:00:30 GMT', 30_000],
  ['Thu, 01 Jan 2026 11:59:00 GMT', 0],
  ['Fri, 02 Jan 2026 12:00:00 GMT', 86_400_000],
];

for (const [value, ms] of readable) {
  test(`Retry-After: ${value} is ${ms} ms`, () => assert.equal(parseRetryAfter(value, WALL), ms));
}

const junk = [
  '',
  'soon',
  'in 5',
  '-5',
  '+5',
  '1e3',
  '0x10',
  'Infinity',
  'NaN',
  '5 seconds',
  '5,5',
  'Thu',
  'Thu, 99 Foo 2026',
  '1;2',
  'May 5',
  '99999999999999',
];

for (const value of junk) {
  test(`Retry-After: ${JSON.stringify(value)} is unreadable, not “at once”`, () => {
    assert.equal(parseRetryAfter(value, WALL), undefined);
  });
}

test('no Retry-After is none', () => assert.equal(parseRetryAfter(undefined, WALL), undefined));

test('whatever a worker sends, the time is a number from nought up, or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), (value) => {
      const ms = parseRetryAfter(value, WALL);
      assert.ok(ms === undefined || (Number.isFinite(ms) && ms >= 0));
    }),
  );
});

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';

test('waits longer after each failure in a row, up to a limit, and not at all after a success', () => {
  const backoff = new Backoff(100, 300);
  assert.ok(backoff.mayConnect(0));
  let now = 0;
  for (const delay of [100, 200, 300, 300]) {
    backoff.failed(now);
    assert.equal(backoff.mayConnect(now + delay - 1), false);
    now += delay;
    assert.equal(backoff.mayConnect(now), true);
  }
  backoff.failed(now);
  backoff.worked();
  assert.ok(backoff.mayConnect(now));
  backoff.failed(now);
  assert.ok(backoff.mayConnect(now + 100));
});

test('counts tries that fail side by side as one', () => {
  const backoff = new Backoff(100, 10_000);
  for (let i = 0; i < 8; i += 1) backoff.failed(0);
  assert.ok(backoff.mayConnect(100));
});

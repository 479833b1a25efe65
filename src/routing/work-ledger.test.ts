import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prefill, WorkLedger } from './work-ledger.ts';

/** Ten tokens a millisecond. */
const SPEED = 10;

function prefill(tokens: number, most = tokens, isStream = true): Prefill {
  return new Prefill(tokens, most, isStream);
}

test('counts the tokens of prompts that were sent and not computed', () => {
  const ledger = new WorkLedger(SPEED);
  ledger.begin(prefill(1_000), 0);
  ledger.begin(prefill(500), 0);
  assert.equal(ledger.queued(0), 1_500);
  assert.equal(ledger.waiting, 2);
});

test('the oldest one is computed as time goes by, but not quite before its first content has come', () => {
  const ledger = new WorkLedger(SPEED);
  const first = prefill(1_000);
  ledger.begin(first, 0);
  ledger.begin(prefill(500), 0);
  assert.equal(ledger.queued(40), 1_100);
  assert.equal(ledger.queued(100), 600);
  ledger.computed(first, 100);
  assert.equal(ledger.queued(100), 500);
});

test('a prompt that takes much longer than what its cache should have left is counted whole', () => {
  const ledger = new WorkLedger(SPEED);
  ledger.begin(prefill(100, 10_000), 0);
  assert.equal(ledger.queued(5), 50);
  assert.equal(ledger.queued(100), 9_000);
});

test('a call that ends without content gives its work back, whenever it was begun', () => {
  const ledger = new WorkLedger(SPEED);
  const [first, second] = [prefill(1_000), prefill(500)];
  ledger.begin(first, 0);
  ledger.begin(second, 0);
  ledger.leave(second, 20);
  assert.equal(ledger.queued(20), 800);
  ledger.leave(first, 30);
  ledger.leave(first, 30);
  assert.equal(ledger.queued(30), 0);
});

test('an answer that comes whole tells nothing by its content: time takes its prompt out', () => {
  const ledger = new WorkLedger(SPEED);
  ledger.begin(prefill(1_000, 1_000, false), 0);
  ledger.begin(prefill(500, 500, false), 0);
  assert.equal(ledger.queued(120), 300);
  assert.equal(ledger.waiting, 1);
  assert.equal(ledger.queued(200), 0);
});

test('learns how fast the worker is from the first contents', () => {
  const ledger = new WorkLedger(SPEED);
  for (let i = 0; i < 200; i += 1) {
    const each = prefill(4_000);
    ledger.begin(each, i * 10_000);
    ledger.computed(each, i * 10_000 + 2_000);
  }
  assert.ok(Math.abs(ledger.tokensPerMs - 2) < 0.1, `${ledger.tokensPerMs}`);
});

test('is not taken for slow when the cache had less than expected, nor for fast by what comes together', () => {
  const ledger = new WorkLedger(SPEED);
  for (let i = 0; i < 100; i += 1) {
    const [missed, twin] = [prefill(500, 20_000), prefill(2_000)];
    ledger.begin(missed, i * 10_000);
    ledger.begin(twin, i * 10_000);
    ledger.computed(missed, i * 10_000 + 2_000);
    ledger.computed(twin, i * 10_000 + 2_000);
    assert.equal(missed.measured, 20_000);
  }
  assert.equal(ledger.tokensPerMs, SPEED);
});

/** Rests after a 429: per key, until a moment, bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoolDown } from './cool-down.ts';

test('a key rests until its moment and no longer, and others do not rest with it', () => {
  const coolDown = new CoolDown();
  assert.equal(coolDown.endsAt(1, 0), 0);
  coolDown.start(1, 500);
  assert.equal(coolDown.endsAt(1, 499), 500);
  assert.equal(coolDown.endsAt(2, 499), 0);
  assert.equal(coolDown.endsAt(1, 500), 0);
  assert.equal(coolDown.endsAt(1, 0), 0, 'it is over for good');
});

test('a later end replaces an earlier one, an earlier one changes nothing', () => {
  const coolDown = new CoolDown();
  coolDown.start(1, 500);
  coolDown.start(1, 300);
  assert.equal(coolDown.endsAt(1, 0), 500);
  coolDown.start(1, 800);
  assert.equal(coolDown.endsAt(1, 0), 800);
});

test('a key without quota is told apart for as long as it rests', () => {
  const coolDown = new CoolDown();
  coolDown.start(1, 500, true);
  coolDown.start(2, 500);
  assert.deepEqual(
    [1, 2, 3].map((key) => coolDown.isOutOfQuota(key, 499)),
    [true, false, false],
  );
  assert.equal(coolDown.isOutOfQuota(1, 500), false);
});

test('keys that a client invents do not fill the memory: the oldest makes room', () => {
  const coolDown = new CoolDown();
  for (let key = 0; key < 100_000; key += 1) coolDown.start(key, 1_000);
  let resting = 0;
  for (let key = 0; key < 100_000; key += 1) if (coolDown.endsAt(key, 0) > 0) resting += 1;
  assert.equal(resting, 1_024);
  assert.equal(coolDown.endsAt(99_999, 0), 1_000);
  assert.equal(coolDown.endsAt(0, 0), 0);
});

test('a key that is known makes no room for itself', () => {
  const coolDown = new CoolDown();
  for (let key = 0; key < 1_024; key += 1) coolDown.start(key, 1_000);
  coolDown.start(1_023, 2_000);
  assert.equal(coolDown.endsAt(0, 0), 1_000);
});

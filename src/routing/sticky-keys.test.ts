/** What is remembered of routing keys, for how long, and how it is bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../test/support/fleet.ts';
import { seededRandom } from '../base/random.ts';
import { StickyKeys } from './sticky-keys.ts';

function keysOf(options: { maxIdleSecs?: number; maxRoutingKeys?: number } = {}) {
  const time = { ms: 0 };
  const keys = new StickyKeys(
    { maxIdleSecs: 100, maxRoutingKeys: 100_000, ...options },
    { random: seededRandom(1), now: () => time.ms },
  );
  return { keys, time };
}

const [a, b, c] = [candidateOf('a'), candidateOf('b'), candidateOf('c')];

test('a key stays with its worker', () => {
  const { keys } = keysOf();
  assert.equal(keys.find('k', [a, b]), undefined);
  keys.remember('k', b);
  assert.equal(keys.find('k', [a, b, c]), b);
  assert.equal(keys.find('other', [a, b, c]), undefined);
});

test('a stand-in serves while home cannot, and home again when it can; a third takes the place of the stand-in', () => {
  const { keys } = keysOf();
  keys.remember('k', a);
  keys.remember('k', b);
  assert.equal(keys.find('k', [b, c]), b);
  assert.equal(keys.find('k', [a, b, c]), a);
  keys.remember('k', c);
  assert.equal(keys.find('k', [b]), undefined);
  assert.equal(keys.find('k', [b, c]), c);
  assert.equal(keys.find('k', [a, b, c]), a);
});

test('when home is gone for good the stand-in is home, and the next one stands in', () => {
  const { keys } = keysOf();
  keys.remember('k', a);
  keys.remember('k', b);
  keys.forget(a);
  keys.remember('k', b);
  keys.remember('k', c);
  assert.equal(keys.find('k', [a, b, c]), b);
  assert.equal(keys.find('k', [a, c]), c);
});

test('a worker that gets the slot of one that left gets none of its keys', () => {
  const { keys } = keysOf();
  keys.remember('k', a);
  keys.forget(a);
  const heir = candidateOf('heir', { slot: a.slot });
  assert.equal(keys.find('k', [heir, a]), undefined);
  assert.equal(keys.groupsOf(heir), 0);
  keys.remember('k', heir);
  assert.equal(keys.find('k', [heir]), heir);
  assert.equal(keys.groupsOf(heir), 1);
  assert.equal(keys.groupsOf(a), 0);
});

test('keys are counted where they were last served', () => {
  const { keys } = keysOf();
  for (const key of ['1', '2', '3']) keys.remember(key, a);
  keys.remember('3', b);
  keys.remember('3', b);
  assert.deepEqual([keys.groupsOf(a), keys.groupsOf(b), keys.groupsOf(c)], [2, 1, 0]);
});

test('a key that was idle for too long is forgotten, one that is used is not', () => {
  const { keys, time } = keysOf({ maxIdleSecs: 10 });
  keys.remember('idle', a);
  keys.remember('used', a);
  time.ms = 6_000;
  keys.remember('used', a);
  time.ms = 12_000;
  assert.equal(keys.find('idle', [a]), undefined);
  assert.equal(keys.find('used', [a]), a);
  keys.remember('idle', b);
  assert.equal(keys.find('idle', [a, b]), b);
});

test('idle keys are cleaned up by the calls of others, a few at a time', () => {
  const { keys, time } = keysOf({ maxIdleSecs: 10 });
  for (let i = 0; i < 1_000; i += 1) keys.remember(`${String.fromCharCode(i)}old`, a);
  time.ms = 60_000;
  let before = keys.size;
  for (let i = 0; i < 1_000; i += 1) {
    keys.remember('\u0007busy', b);
    assert.ok(before - keys.size <= 4, `${before - keys.size} at once`);
    before = keys.size;
  }
  assert.equal(keys.size, 1);
  assert.deepEqual([keys.groupsOf(a), keys.groupsOf(b)], [0, 1]);
});

test('the number of keys is bounded, and the longest unused go first', () => {
  const { keys } = keysOf({ maxRoutingKeys: 640 });
  for (let i = 0; i < 10_000; i += 1) {
    keys.remember('\u0001always', b);
    keys.remember(`${String.fromCharCode(i % 64)}${i}`, a);
  }
  assert.ok(keys.size <= 640, `${keys.size} keys`);
  assert.equal(keys.groupsOf(a) + keys.groupsOf(b), keys.size);
  assert.equal(keys.find('\u0001always', [a, b]), b);
  assert.equal(keys.find('\u00000', [a, b]), undefined);
});

test('the key of a call is short whatever the header holds, differs by model, and is none without a header', () => {
  const { keys } = keysOf();
  const call = (text: string | undefined, model = 'm') => keys.keyOf(hintsOf({ model, header: () => text }));
  assert.equal(call('x'.repeat(30_000))?.length, 4);
  assert.notEqual(call('x'), call('x', 'n'));
  assert.equal(call('x'), call('x'));
  assert.equal(call(''), undefined);
  assert.equal(call(undefined), undefined);
});

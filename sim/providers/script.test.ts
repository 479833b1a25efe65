import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScript } from './script.ts';

test('reads calls with their arguments to the letter, whatever braces are in them', () => {
  const { calls } = readScript('please #tool:a {"x": "}{", "y": {"z": 1}} and #tool:b #tool:c-d {} end');
  assert.deepEqual(calls, [
    { name: 'a', argumentsText: '{"x": "}{", "y": {"z": 1}}' },
    { name: 'b', argumentsText: '{}' },
    { name: 'c-d', argumentsText: '{}' },
  ]);
});

test('reads a text to the next word or the end of the line', () => {
  const script = readScript('#think step by step #say Hello # there, 50% #long 3\nmore');
  assert.deepEqual([script.think, script.say, script.longWords], ['step by step', 'Hello # there, 50%', 3]);
});

test('reads words that stand alone, and nothing from a plain text', () => {
  const script = readScript('#ping #refuse');
  assert.deepEqual([script.has('ping'), script.has('cite')], [true, false]);
  assert.match(script.refuse ?? '', /sorry/);
  const plain = readScript('issue #12 and #sayings');
  assert.deepEqual([plain.say, plain.refuse, plain.calls, plain.longWords], [undefined, undefined, [], undefined]);
});

/** Header lists: names and values in turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf } from './headers.ts';

test('the first value of a repeated header is the one that counts', () => {
  assert.equal(headerOf(['a', '1', 'set-cookie', 'x', 'set-cookie', 'y'], 'set-cookie'), 'x');
});

test('a value that looks like the name is not taken for it', () => {
  assert.equal(headerOf(['location', 'age', 'age', '7'], 'age'), '7');
});

test('an absent header, an empty list and a name without a value give undefined', () => {
  assert.equal(headerOf([], 'a'), undefined);
  assert.equal(headerOf(['b', '1'], 'a'), undefined);
  assert.equal(headerOf(['b', '1', 'a'], 'a'), undefined);
});

test('an empty value is a value', () => {
  assert.equal(headerOf(['a', ''], 'a'), '');
});

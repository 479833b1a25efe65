/** Which start of an engine it is, compared part by part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareInstances, instanceOf } from './instance.ts';

test('only what is known becomes part of it', () => {
  assert.equal(instanceOf({ start: 1.5, seed: undefined }), 'start=1.5');
  assert.equal(instanceOf({ start: undefined }), undefined);
});

test('another start is another instance, and a part that is missing proves nothing', () => {
  const before = instanceOf({ start: 1, seed: 7 });
  assert.equal(compareInstances(before, before), 'same');
  assert.equal(compareInstances(before, instanceOf({ start: 2, seed: 7 })), 'other');
  assert.equal(compareInstances(before, instanceOf({ seed: 7 })), 'same');
  assert.equal(compareInstances(instanceOf({ start: 1 }), instanceOf({ seed: 7 })), 'unknown');
  assert.equal(compareInstances(undefined, before), 'unknown');
  assert.equal(compareInstances(before, undefined), 'unknown');
});

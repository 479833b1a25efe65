import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, traceOf } from '../../test/support/lab.ts';
import { hitBound } from './bound.ts';

test('an infinite cache finds every block that an earlier prompt began with', () => {
  const trace = traceOf(callOf([1, 2]), callOf([1, 2, 3]), callOf([7, 2]));
  const all = 1025 + 1537 + 1025;
  assert.equal(hitBound(trace, Number.POSITIVE_INFINITY), 1024 / all);
});

test('the last token of a prompt is always computed, so a twin finds one block less', () => {
  const twin = callOf([1, 2], { restTokens: 0 });
  assert.equal(hitBound(traceOf(twin, twin), Number.POSITIVE_INFINITY), 512 / 2048);
});

test('a small cache has forgotten what was used least recently', () => {
  const trace = traceOf(callOf([1]), callOf([2]), callOf([1]), callOf([3]), callOf([1]), callOf([2]));
  // Each call takes two blocks of memory, one of them for its answer.
  assert.equal(hitBound(trace, 3 * 512), (2 * 512) / (6 * 513));
  assert.equal(hitBound(trace, 100 * 512), (3 * 512) / (6 * 513));
});

test('a load without shared prompts has the bound 0', () => {
  assert.equal(hitBound(traceOf(callOf([1]), callOf([2])), Number.POSITIVE_INFINITY), 0);
});

/** Welch's t against values worked out by hand, and on samples whose answer is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { welch } from './welch.ts';

test('t is the difference of the means in units of its error', () => {
  // Means 2 and 5, variances 1 and 4, three samples each: -3 / sqrt(5 / 3).
  assert.ok(Math.abs(welch([1, 2, 3], [3, 5, 7]) - -3 / Math.sqrt(5 / 3)) < 1e-12);
  assert.equal(welch([4, 4], [4, 4]), 0);
  assert.equal(welch([5, 5], [4, 4]), Number.POSITIVE_INFINITY);
});

test('samples of one distribution stay below 4.5, and a shift of a tenth of their spread is seen', () => {
  const random = seededRandom(1);
  const draw = (shift: number) => Array.from({ length: 20_000 }, () => random.next() + shift);
  assert.ok(Math.abs(welch(draw(0), draw(0))) < 4.5);
  assert.ok(Math.abs(welch(draw(0), draw(0.03))) > 4.5);
});

/** Which signal is the first, which the second, and which is an echo of the first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStopCounter } from './signals.ts';

test('each SIGTERM counts', () => {
  const count = createStopCounter();
  assert.deepEqual([count('SIGTERM', 0), count('SIGTERM', 0)], [1, 2]);
});

test('one Ctrl-C that arrives twice, from the terminal and from npm, counts once', () => {
  const count = createStopCounter();
  assert.deepEqual([count('SIGINT', 0), count('SIGINT', 5)], [1, 1]);
});

test('a second Ctrl-C of the user counts', () => {
  const count = createStopCounter();
  assert.deepEqual([count('SIGINT', 0), count('SIGINT', 400), count('SIGINT', 410)], [1, 2, 2]);
});

test('different signals count each', () => {
  const count = createStopCounter();
  assert.deepEqual([count('SIGINT', 0), count('SIGTERM', 1)], [1, 2]);
});

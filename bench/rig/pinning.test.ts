import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCoreList, pinned } from './pinning.ts';

test('reads the core lists the kernel prints', () => {
  assert.deepEqual(parseCoreList('0-1'), [0, 1]);
  assert.deepEqual(parseCoreList('3'), [3]);
  assert.deepEqual(parseCoreList('0-2,5,8-9'), [0, 1, 2, 5, 8, 9]);
  assert.deepEqual(parseCoreList(''), []);
});

test('a command without a core is left as it is', () => {
  assert.deepEqual(pinned(['node', 'a.ts'], undefined), ['node', 'a.ts']);
  assert.deepEqual(pinned(['node', 'a.ts'], 1), ['taskset', '-c', '1', 'node', 'a.ts']);
});

/** Work in parallel, but never too much of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapBounded } from './map-bounded.ts';

test('every item is worked on, in its place, and never more at once than the limit', async () => {
  let running = 0;
  let most = 0;
  const items = Array.from({ length: 50 }, (_, i) => i);
  const results = await mapBounded(items, 4, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return item * 2;
  });
  assert.deepEqual(
    results,
    items.map((item) => item * 2),
  );
  assert.equal(most, 4);
});

test('nothing to do is done at once', async () => {
  assert.deepEqual(await mapBounded([], 4, async () => 1), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hold, PrefixCache } from './prefix-cache.ts';

function store(cache: PrefixCache, blocks: readonly number[]): Hold {
  const hold = cache.acquire(blocks, 0, blocks.length);
  assert.ok(hold);
  for (const block of blocks) cache.share(hold, block);
  return hold;
}

test('finds the longest cached prefix and stops at the first unknown block', () => {
  const cache = new PrefixCache(10);
  cache.release(store(cache, [1, 2, 3]));
  assert.equal(cache.match([1, 2, 3, 4], 10), 3);
  assert.equal(cache.match([1, 9, 3], 10), 1);
  assert.equal(cache.match([1, 2, 3], 2), 2);
});

test('counts only what running sequences hold', () => {
  const cache = new PrefixCache(10);
  const hold = store(cache, [1, 2]);
  assert.equal(cache.heldBlocks, 2);
  cache.release(hold);
  assert.equal(cache.heldBlocks, 0);
  assert.equal(cache.cachedBlocks, 2);
});

test('evicts the least recently used chain first, from its tail', () => {
  const cache = new PrefixCache(4);
  cache.release(store(cache, [1, 2]));
  cache.release(store(cache, [3, 4]));
  cache.release(cache.acquire([1, 2], 2, 2) as Hold);
  cache.release(cache.acquire([], 0, 1) as Hold);
  assert.equal(cache.match([3, 4], 4), 1, 'the tail of the older chain went');
  assert.equal(cache.match([1, 2], 4), 2, 'the chain used since is whole');
});

test('shares one copy when two sequences compute the same block', () => {
  const cache = new PrefixCache(4);
  const one = cache.acquire([7], 0, 1) as Hold;
  const two = cache.acquire([7], 0, 1) as Hold;
  cache.share(one, 7);
  cache.share(two, 7);
  assert.equal(cache.heldBlocks, 1);
  cache.release(one);
  assert.equal(cache.heldBlocks, 1, 'the second holder keeps it');
  cache.release(two);
  assert.equal(cache.heldBlocks, 0);
});

test('refuses what does not fit beside the held blocks and leaves everything as it was', () => {
  const cache = new PrefixCache(3);
  const hold = store(cache, [1, 2]);
  assert.equal(cache.acquire([1], 1, 3), undefined);
  assert.equal(cache.heldBlocks, 2);
  cache.release(hold);
  assert.ok(cache.acquire([1], 1, 3));
});

test('flush forgets idle blocks and keeps held ones', () => {
  const cache = new PrefixCache(4);
  const hold = store(cache, [1]);
  cache.release(store(cache, [2]));
  cache.flush();
  assert.equal(cache.match([1], 1), 1);
  assert.equal(cache.match([2], 1), 0);
  cache.release(hold);
});

/** Hashes that tell texts apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash32, hash64 } from './text-hash.ts';

test('a hundred thousand texts that differ little have a hundred thousand 64-bit hashes', () => {
  const keys = new Set(Array.from({ length: 100_000 }, (_, i) => hash64('m', `user-${i}`, 7)));
  assert.equal(keys.size, 100_000);
  assert.ok([...keys].every((key) => key.length === 4));
});

test('scope and text do not run into each other, and another seed is another hash', () => {
  assert.notEqual(hash64('a', 'bc', 1), hash64('ab', 'c', 1));
  assert.notEqual(hash64('a', 'bc', 1), hash64('a', 'bc', 2));
  assert.equal(hash64('a', 'bc', 1), hash64('a', 'bc', 1));
});

test('both halves of a 64-bit hash tell texts apart by themselves', () => {
  const all = Array.from({ length: 2_000 }, (_, i) => hash64('m', `k${i}`, 3));
  assert.equal(new Set(all.map((key) => key.slice(0, 2))).size, 2_000);
  assert.equal(new Set(all.map((key) => key.slice(2))).size, 2_000);
});

test('a 32-bit hash is even in its low and its high bits', () => {
  for (const shift of [0, 28]) {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 16_000; i += 1) {
      const bucket = (hash32(`text ${i}`) >>> shift) & 15;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    assert.ok(
      counts.every((count) => Math.abs(count - 1_000) < 130),
      counts.join(' '),
    );
  }
});

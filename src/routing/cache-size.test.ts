import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { CacheSize } from './cache-size.ts';
import type { Finding } from './cache-size.ts';

const BLOCK = 128;
const EXPECTED = 20;

/** Answers of an engine that keeps so many blocks and loses all of a prompt that was used longer ago. */
function answers(size: CacheSize, trueBlocks: number, count: number, seed = 3): void {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i += 1) {
    const held = Math.min(blocksOf(size), 3 * trueBlocks);
    const distance = random.next() * held;
    size.learn(finding({ distance, held, found: distance < trueBlocks ? EXPECTED : 0 }));
  }
}

function blocksOf(size: CacheSize): number {
  return size.tokens / BLOCK;
}

/** In blocks. */
function finding(change: Partial<Finding> = {}): Finding {
  const blocks = { expected: EXPECTED, found: EXPECTED, distance: 100, held: 1_000, grain: 1, ...change };
  const { expected, found, distance, held, grain } = blocks;
  return {
    expected: expected * BLOCK,
    found: found * BLOCK,
    distance: distance * BLOCK,
    held: held * BLOCK,
    grain: grain * BLOCK,
  };
}

test('a cache of which nobody said anything holds everything', () => {
  assert.equal(new CacheSize().tokens, Number.POSITIVE_INFINITY);
});

test('a reported size is the size', () => {
  const size = new CacheSize();
  size.report(500 * BLOCK);
  answers(size, 500, 100);
  assert.ok(blocksOf(size) <= 500 && blocksOf(size) > 400, `${blocksOf(size)}`);
});

test('finds out the size from what is missing, within a third of it', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const size = new CacheSize();
    answers(size, 1_000, 300, seed);
    assert.ok(blocksOf(size) > 667 && blocksOf(size) < 1_500, `${blocksOf(size)}`);
  }
});

test('follows a cache that has become larger', () => {
  const size = new CacheSize();
  answers(size, 1_000, 300);
  answers(size, 3_000, 600);
  assert.ok(blocksOf(size) > 2_000, `${blocksOf(size)}`);
});

test('one odd answer hardly changes what was learnt', () => {
  const size = new CacheSize();
  answers(size, 1_000, 300);
  const before = blocksOf(size);
  size.learn(finding({ found: 0, distance: 1, held: before }));
  assert.ok(blocksOf(size) > before * 0.8);
});

test('estimates may be off by a tenth or a block', () => {
  const size = new CacheSize();
  size.learn(finding({ found: 17.5 }));
  size.learn(finding({ expected: 1, found: 0.2 }));
  assert.equal(blocksOf(size), Number.POSITIVE_INFINITY);
});

test('does not believe an engine that never tells of cached tokens', () => {
  const size = new CacheSize();
  for (let i = 0; i < 100; i += 1) assert.equal(size.learn(finding({ found: 0 })), false);
  assert.equal(blocksOf(size), Number.POSITIVE_INFINITY);
});

test('an engine that finds nothing of what was used just now, four times over, was started anew', () => {
  const size = new CacheSize();
  size.learn(finding());
  const blank = finding({ found: 0, distance: 10 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => size.learn(blank)),
    [false, false, false, true],
  );
  assert.equal(blocksOf(size), Number.POSITIVE_INFINITY, 'nothing is held against its new life');
});

test('one find between them, or prompts used long ago, are no sign of a new start', () => {
  const size = new CacheSize();
  size.learn(finding());
  for (let i = 0; i < 20; i += 1) {
    const found = i % 4 === 3 ? 20 : 0;
    assert.equal(size.learn(finding({ found, distance: 10 })), false);
    assert.equal(size.learn(finding({ found: 0, distance: 900 })), false);
  }
});

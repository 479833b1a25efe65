/** Seeded chance: repeatable, uniform, within its bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInteger, seededRandom, systemRandom } from './random.ts';

function take(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
}

test('the same seed repeats a run and another seed does not', () => {
  assert.deepEqual(take(7, 50), take(7, 50));
  assert.notDeepEqual(take(7, 50), take(8, 50));
});

test('every number lies in [0, 1), for any seed', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      for (const value of take(seed, 20)) assert.ok(value >= 0 && value < 1);
    }),
  );
});

test('the numbers are spread evenly over ten classes', () => {
  const classes = Array.from({ length: 10 }, () => 0);
  for (const value of take(1, 20_000)) classes[Math.floor(value * 10)] = (classes[Math.floor(value * 10)] ?? 0) + 1;
  for (const count of classes) assert.ok(Math.abs(count - 2_000) < 200, `a class has ${count} of 20000`);
});

test('a random integer is whole and below its bound, and reaches both ends', () => {
  const random = seededRandom(3);
  const seen = new Set(Array.from({ length: 500 }, () => randomInteger(random, 5)));
  assert.deepEqual(seen, new Set([0, 1, 2, 3, 4]));
  assert.equal(randomInteger({ next: () => 0.999_999_999 }, 5), 4);
  assert.equal(randomInteger(systemRandom, 1), 0);
});

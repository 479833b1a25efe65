/** The hashes alone: chained, well spread, and the same whatever the pieces in which the bytes come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { BlockHasher } from './block-hasher.ts';

const BLOCK = 512;
const hasher = new BlockHasher();

function hash(bytes: Buffer, salt = ''): bigint[] {
  hasher.begin();
  hasher.text(Buffer.from(salt), 0, salt.length);
  hasher.seal(Number.POSITIVE_INFINITY);
  hasher.text(bytes, 0, bytes.length);
  const { words, count } = hasher.blocks();
  return Array.from(
    { length: count },
    (_, i) => (BigInt(words[2 * i] as number) << 32n) | BigInt(words[2 * i + 1] as number),
  );
}

function bitsOf(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}

test('bytes in pieces, as words or at once make the same hashes', () => {
  const random = seededRandom(1);
  const bytes = Buffer.from(Array.from({ length: 40_000 }, () => Math.floor(random.next() * 256)));
  const whole = hash(bytes);
  assert.equal(whole.length, 78);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 9 }), fc.boolean(), (pieces, asWords) => {
      hasher.begin();
      hasher.seal(Number.POSITIVE_INFINITY);
      let at = 0;
      for (const length of pieces) {
        const end = Math.min(bytes.length, at + length);
        hasher.text(bytes, at, end);
        at = end;
        if (asWords && at + 5 <= bytes.length) {
          hasher.byte(bytes[at] as number);
          hasher.word(bytes.readInt32LE(at + 1));
          at += 5;
        }
      }
      hasher.text(bytes, at, bytes.length);
      const { words, count, tokens } = hasher.blocks();
      assert.deepEqual([count, tokens], [whole.length, 10_000]);
      whole.forEach((one, i) => assert.equal(BigInt(words[2 * i] as number), one >> 32n));
    }),
  );
});

test('one changed bit changes its block and all later ones, half of their bits, and none before', () => {
  const random = seededRandom(2);
  const bytes = Buffer.alloc(6 * BLOCK, 'The quick brown fox. ');
  const before = hash(bytes);
  let flipped = 0;
  let compared = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const at = Math.floor(random.next() * bytes.length);
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ (1 << Math.floor(random.next() * 8));
    hash(changed).forEach((one, i) => {
      const distance = bitsOf(one ^ (before[i] as bigint));
      if (i < Math.floor(at / BLOCK)) return assert.equal(distance, 0);
      assert.ok(distance > 8, `${distance} bits`);
      flipped += distance;
      compared += 64;
    });
  }
  assert.ok(Math.abs(flipped / compared - 0.5) < 0.005, `${flipped / compared} of the bits`);
});

test('a million blocks that are nearly alike have a million hashes, spread evenly over any of their bits', () => {
  const bytes = Buffer.alloc(BLOCK, 'the same words again and again ');
  const seen = new Set<number>();
  const high = new Uint32Array(1_024);
  const low = new Uint32Array(1_024);
  let collisions = 0;
  for (let i = 0; i < 1_000_000; i += 1) {
    bytes.writeUInt32LE(i, (i % 127) * 4);
    bytes.write(String(i), 100);
    hasher.begin();
    hasher.seal(BLOCK);
    hasher.text(bytes, 0, BLOCK);
    const { words } = hasher.blocks();
    const [one, two] = [words[0] as number, words[1] as number];
    const name = one * 0x20_0000 + (two >>> 11);
    if (seen.has(name)) collisions += 1;
    seen.add(name);
    high[two >>> 22] = (high[two >>> 22] as number) + 1;
    low[one & 1_023] = (low[one & 1_023] as number) + 1;
  }
  assert.equal(collisions, 0);
  // 977 expected for each; five standard deviations are 156.
  for (const counts of [high, low]) for (const count of counts) assert.ok(Math.abs(count - 977) < 160, String(count));
});

test('two changes that undo each other in one lane do not in the other', () => {
  const words = new Int32Array(BLOCK / 4).fill(0x61616161);
  const bytes = Buffer.from(words.buffer);
  const before = hash(bytes)[0];
  for (let first = 0; first < 32; first += 1) {
    for (let second = 0; second < 32; second += 1) {
      for (const gap of [1, 2, 3]) {
        const changed = Int32Array.from(words);
        changed[10] = (changed[10] as number) ^ (1 << first);
        changed[10 + gap] = (changed[10 + gap] as number) ^ (1 << second);
        assert.notEqual(hash(Buffer.from(changed.buffer))[0], before);
      }
    }
  }
});

test('the salt sets every block apart, and its length counts', () => {
  const bytes = Buffer.alloc(3 * BLOCK, 'x');
  const all = ['', 'a', 'a\0', 'a\0\0\0\0\0\0\0', 'b', 'x'.repeat(BLOCK), 'x'.repeat(BLOCK + 1)].map((salt) =>
    hash(bytes, salt),
  );
  assert.equal(new Set(all.flat()).size, 3 * all.length);
});

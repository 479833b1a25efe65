/** Worker ids: derived, stable, and longer only where two would be the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/text.ts';
import { fnv1a, workerIdOf } from './ids.ts';

// The published test vectors of FNV-1a, 32 bits.
const vectors: readonly (readonly [string, number])[] = [
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
];

for (const [text, hash] of vectors) {
  test(`FNV-1a of ${JSON.stringify(text)} is ${hash.toString(16)}`, () => assert.equal(fnv1a(text), hash));
}

test('a hash is an unsigned 32-bit number for any text and seed', () => {
  fc.assert(
    fc.property(anyText(), fc.nat(0xffffffff), (text, seed) => {
      const hash = fnv1a(text, seed);
      assert.ok(Number.isInteger(hash) && hash >= 0 && hash <= 0xffffffff);
    }),
  );
});

test('a worker id is 8 hex digits, the same each time', () => {
  fc.assert(
    fc.property(anyText(40), (url) => {
      const id = workerIdOf(url, () => false);
      assert.match(id, /^[0-9a-f]{8}$/);
      assert.equal(
        workerIdOf(url, () => false),
        id,
      );
    }),
  );
});

test('an id that is taken grows by 8 digits at a time and keeps its beginning', () => {
  const short = workerIdOf('http://w:1', () => false);
  const longer = workerIdOf('http://w:1', (id) => id === short);
  const longest = workerIdOf('http://w:1', (id) => id === short || id === longer);
  assert.match(longer, /^[0-9a-f]{16}$/);
  assert.match(longest, /^[0-9a-f]{24}$/);
  assert.ok(longer.startsWith(short) && longest.startsWith(longer));
});

test('ten thousand workers of one fleet have ten thousand ids', () => {
  const ids = new Set<string>();
  for (let i = 0; i < 10_000; i += 1) ids.add(workerIdOf(`http://10.0.${i >> 8}.${i & 255}:8000`, (id) => ids.has(id)));
  assert.equal(ids.size, 10_000);
});

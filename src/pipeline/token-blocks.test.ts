/** Blocks of tokens: equal beginnings have equal blocks, and nothing else has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import { blocksOfTokens, hashPrefixOfTokens, MAX_HASHED_TOKENS, TOKENS_PER_BLOCK } from './token-blocks.ts';

const READER = { model: 'm', adapter: undefined };
const anyIds = fc.array(fc.nat(200_000), { maxLength: 200 }).map((ids) => Uint32Array.from(ids));
const anySize = fc.constantFrom(4, 16, 32, 64, 128);

function hashesOf({ words, count }: PromptBlocks): bigint[] {
  return Array.from(
    { length: count },
    (_, index) => (BigInt(words[2 * index] as number) << 32n) | BigInt(words[2 * index + 1] as number),
  );
}

function sharedTokens(left: Uint32Array, right: Uint32Array): number {
  const difference = left.findIndex((id, index) => id !== right[index]);
  return difference < 0 ? Math.min(left.length, right.length) : difference;
}

test('two prompts share the blocks of what they share, and no others', () => {
  fc.assert(
    fc.property(anyIds, anyIds, anyIds, anySize, (start, one, two, size) => {
      const left = Uint32Array.from([...start, ...one]);
      const right = Uint32Array.from([...start, ...two]);
      const leftHashes = hashesOf(blocksOfTokens(left, READER, size));
      const rightHashes = hashesOf(blocksOfTokens(right, READER, size));
      const shared = Math.floor(sharedTokens(left, right) / size);
      assert.deepEqual(leftHashes.slice(0, shared), rightHashes.slice(0, shared));
      const rest = new Set(rightHashes.slice(shared));
      assert.ok(leftHashes.slice(shared).every((hash) => !rest.has(hash)));
    }),
  );
});

test('tokens are counted exactly, and blocks are as long as was asked', () => {
  fc.assert(
    fc.property(anyIds, anySize, (ids, size) => {
      const { tokens, count, tokensPerBlock, words } = blocksOfTokens(ids, READER, size);
      assert.deepEqual([tokens, tokensPerBlock], [Math.max(1, ids.length), size]);
      assert.deepEqual([count, words.length], [Math.floor(ids.length / size), 2 * count]);
    }),
  );
  assert.equal(blocksOfTokens(new Uint32Array(64), READER).tokensPerBlock, TOKENS_PER_BLOCK);
});

test('another model or adapter has other blocks and other prefixes, whatever their names add up to', () => {
  const ids = Uint32Array.from({ length: 64 }, (_, index) => index);
  const readers = [
    { model: 'ab', adapter: undefined },
    { model: 'a', adapter: 'b' },
    { model: '', adapter: 'ab' },
    { model: 'ba', adapter: undefined },
    { model: 'ab', adapter: 'ab' },
  ];
  const hashes = readers.flatMap((reader) => hashesOf(blocksOfTokens(ids, reader, 16)));
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(new Set(readers.map((reader) => hashPrefixOfTokens(ids, reader, 9))).size, readers.length);
});

test('the order of tokens counts, within a block and among blocks', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200_000), { minLength: 32, maxLength: 32 }), fc.nat(30), (list, at) => {
      const swapped = [...list.slice(0, at), list[at + 1] ?? 0, list[at] ?? 0, ...list.slice(at + 2)];
      const [one, two] = [list, swapped].map((ids) => hashesOf(blocksOfTokens(Uint32Array.from(ids), READER, 16)));
      assert.notEqual(one?.at(-1), two?.at(-1));
      assert.equal(one?.[0] === two?.[0], at >= 16);
    }),
  );
});

test('one changed bit of one token changes half of the bits of its block', () => {
  const random = seededRandom(3);
  let changed = 0;
  const tries = 2_000;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const ids = Uint32Array.from({ length: 16 }, () => Math.floor(random.next() * 150_000));
    const [before = 0n] = hashesOf(blocksOfTokens(ids, READER, 16));
    const at = Math.floor(random.next() * 16);
    ids[at] = (ids[at] as number) ^ (1 << Math.floor(random.next() * 17));
    const [after = 0n] = hashesOf(blocksOfTokens(ids, READER, 16));
    changed += (before ^ after).toString(2).replaceAll('0', '').length;
  }
  const share = changed / tries / 64;
  assert.ok(share > 0.49 && share < 0.51, `${share}`);
});

test('a hundred thousand different blocks have as many names', () => {
  const ids = Uint32Array.from({ length: MAX_HASHED_TOKENS / 2 }, (_, index) => index % 7);
  const names = new Set(hashesOf(blocksOfTokens(ids, READER, 4)));
  assert.equal(names.size, MAX_HASHED_TOKENS / 8);
});

test('a prefix is the same wherever the prompt goes on, and another one for each length', () => {
  fc.assert(
    fc.property(anyIds, anyIds, fc.nat(220), (start, rest, tokens) => {
      const long = Uint32Array.from([...start, ...rest]);
      const length = Math.min(tokens, start.length);
      assert.equal(hashPrefixOfTokens(long, READER, length), hashPrefixOfTokens(start.slice(0, length), READER, 1_000));
    }),
  );
  const zeros = new Uint32Array(300);
  const keys = Array.from({ length: 300 }, (_, tokens) => hashPrefixOfTokens(zeros, READER, tokens));
  assert.equal(new Set(keys).size, 300);
  assert.ok(keys.every((key) => Number.isSafeInteger(key)));
});

test('of an endless prompt the first million tokens are hashed, and all of them count', () => {
  const ids = new Uint32Array(MAX_HASHED_TOKENS + 1_000);
  const { count, tokens } = blocksOfTokens(ids, READER, 16);
  assert.deepEqual([count, tokens], [MAX_HASHED_TOKENS / 16, MAX_HASHED_TOKENS + 1_000]);
  const key = hashPrefixOfTokens(ids, READER, Number.POSITIVE_INFINITY);
  assert.equal(key, hashPrefixOfTokens(ids, READER, MAX_HASHED_TOKENS));
});

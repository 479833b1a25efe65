/** The index against a plain model, and its promises about memory, slots and what leaves first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blocksOf, TOKENS_PER_BLOCK } from '../../../test/support/prompt-blocks.ts';
import type { PromptBlocks } from '../../domain/prompt.ts';
import { PrefixIndex } from './prefix-index.ts';

const ROOMY = 64 * 2 ** 20;
/** Less than the first pages take: room for about a thousand runs, and no more. */
const TIGHT = 1;
const SLOTS = 4;

function depths(index: PrefixIndex, letters: string): number[] {
  index.match(blocksOf(letters));
  return Array.from({ length: SLOTS }, (_, slot) => index.held[slot] ?? 0);
}

/** What each slot was sent, as the set of all beginnings. */
class Model {
  readonly #held = Array.from({ length: SLOTS }, () => new Set<string>());

  hold(slot: number, letters: string): void {
    for (let end = 1; end <= letters.length; end += 1) this.#held[slot]?.add(letters.slice(0, end));
  }

  forget(slot: number): void {
    this.#held[slot]?.clear();
  }

  depth(slot: number, letters: string): number {
    let depth = 0;
    while (depth < letters.length && this.#held[slot]?.has(letters.slice(0, depth + 1))) depth += 1;
    return depth;
  }

  depths(letters: string): number[] {
    return Array.from({ length: SLOTS }, (_, slot) => this.depth(slot, letters));
  }
}

/** Few letters and shared beginnings, so that prompts branch everywhere: inside runs and at their ends. */
const letters = fc
  .tuple(
    fc.constantFrom('', 'ssssssss', 'ssssssssttttt', 'sssssssstttttuuuuuuuuuuuuuuuuuuuu'),
    fc.array(fc.constantFrom('a', 'b'), { maxLength: 20 }),
  )
  .map(([start, rest]) => start + rest.join(''));
const slot = fc.nat(SLOTS - 1);
type Step = { readonly kind: 'hold' | 'forget' | 'look'; readonly slot: number; readonly letters: string };
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('hold' as const) },
    fc.constantFrom('forget' as const, 'look' as const),
  ),
  slot,
  letters,
});

test('knows for every worker exactly how much of a prompt it was sent, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new PrefixIndex(ROOMY, 7);
      const model = new Model();
      for (const { kind, slot: at, letters: prompt } of steps) {
        if (kind === 'look') assert.deepEqual(depths(index, prompt), model.depths(prompt));
        if (kind === 'forget') {
          index.forget(at);
          model.forget(at);
        }
        if (kind === 'hold') {
          assert.equal(index.hold(at, blocksOf(prompt)), model.depth(at, prompt));
          model.hold(at, prompt);
        }
      }
      for (const { letters: prompt } of steps) assert.deepEqual(depths(index, prompt), model.depths(prompt));
    }),
    { numRuns: 300 },
  );
});

test('with bounded caches never says more than was sent, and holds no more than a run beyond the capacity', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 16, max: 60 }), (steps, capacity) => {
      const index = new PrefixIndex(ROOMY, 7);
      const model = new Model();
      for (const { kind, slot: at, letters: prompt } of steps) {
        if (kind === 'forget') {
          index.forget(at);
          model.forget(at);
          continue;
        }
        index.setCapacity(at, capacity * TOKENS_PER_BLOCK);
        index.hold(at, blocksOf(prompt));
        model.hold(at, prompt);
        assert.ok(index.tokensIn(at) < (capacity + 8) * TOKENS_PER_BLOCK);
        depths(index, prompt).forEach((depth, other) => assert.ok(depth <= model.depth(other, prompt)));
      }
    }),
    { numRuns: 300 },
  );
});

test('a prompt just sent is found whole as long as it fits into the cache', () => {
  const index = new PrefixIndex(ROOMY, 1);
  index.setCapacity(0, 40 * TOKENS_PER_BLOCK);
  for (let round = 0; round < 200; round += 1) {
    const prompt = `common${String(round).repeat(10)}`;
    index.hold(0, blocksOf(prompt));
    assert.equal(depths(index, prompt)[0], prompt.length);
  }
});

test('what a bounded cache gives up is the least recently used, from its end', () => {
  const index = new PrefixIndex(ROOMY, 1);
  const [one, two, three] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)];
  index.setCapacity(0, 72 * TOKENS_PER_BLOCK);
  index.hold(0, blocksOf(one));
  index.hold(0, blocksOf(two));
  index.hold(0, blocksOf(one));
  index.hold(0, blocksOf(three));
  assert.deepEqual(
    [one, two, three].map((prompt) => depths(index, prompt)[0]),
    [32, 8, 32],
  );
});

test('prompts in blocks of tokens and in blocks of text share a cache, each at its own size', () => {
  const index = new PrefixIndex(ROOMY, 1);
  index.setCapacity(0, 64 * TOKENS_PER_BLOCK);
  const small = Array.from({ length: 8 }, (_, i) => blocksOf(`${i}`.repeat(32), 16));
  for (const blocks of small) assert.equal(index.hold(0, blocks), 0);
  assert.equal(index.tokensIn(0), 8 * 32 * 16);
  const large = blocksOf('a'.repeat(32));
  index.hold(0, large);
  assert.equal(index.tokensIn(0), 8 * 32 * 16 + 32 * TOKENS_PER_BLOCK);
  assert.equal(index.hold(0, small[0] ?? large), 32, 'all of it still fits');
  assert.equal(index.distance, 8 * 32 * 16 + 32 * TOKENS_PER_BLOCK - 32 * 16);
  // As much again as fills the cache: of both kinds the least recently used goes.
  index.hold(0, blocksOf('b'.repeat(32)));
  index.match(large);
  assert.equal(index.held[0], 32);
  index.match(small[1] ?? large);
  assert.equal(index.held[0], 0);
  assert.ok(index.tokensIn(0) < (64 + 8) * TOKENS_PER_BLOCK);
});

test('all that a full index forgets is the oldest, approximately, and what is kept is usable', () => {
  const index = new PrefixIndex(TIGHT, 1);
  const prompts = Array.from({ length: 5_000 }, (_, i) => `system prompt ${'x'.repeat(20)}${i};`.padEnd(60, '.'));
  prompts.forEach((prompt, i) => index.hold(i % SLOTS, blocksOf(prompt)));
  const bytes = index.bytesHeld;
  assert.ok(bytes < 400_000, `${bytes} bytes`);
  const found = prompts.map((prompt, i) => depths(index, prompt)[i % SLOTS] ?? 0);
  const whole = found.flatMap((depth, i) => (depth === prompts[i]?.length ? [i] : []));
  assert.ok(whole.length > 100, `${whole.length} prompts are whole`);
  assert.ok(Math.min(...whole) > 5_000 - 3 * whole.length, 'they are the youngest');
  assert.ok(
    found.slice(0, 1_000).every((depth) => depth < 40),
    'the oldest have only what all share',
  );
});

test('a new worker in a slot inherits nothing, and what the old one left behind is cleared', () => {
  const index = new PrefixIndex(ROOMY, 1);
  for (let i = 0; i < 500; i += 1) index.hold(2, blocksOf(`${i}`.padEnd(50, `${i}`)));
  index.forget(2);
  assert.deepEqual(depths(index, '7'.repeat(50)), [0, 0, 0, 0]);
  for (let i = 0; i < 500; i += 1) index.hold(2, blocksOf(`new ${i}`));
  assert.deepEqual(depths(index, '7'.repeat(50)), [0, 0, 0, 0]);
  assert.ok(index.size.runs < 1_100, `${index.size.runs} runs are left`);
  assert.equal(depths(index, 'new 499')[2], 7);
});

test('forgetting a slot that never held anything, or twice, is harmless', () => {
  const index = new PrefixIndex(ROOMY, 1);
  index.forget(3);
  index.hold(1, blocksOf('abc'));
  index.forget(1);
  index.forget(1);
  assert.deepEqual(depths(index, 'abc'), [0, 0, 0, 0]);
});

test('a prompt taken back leaves what others use: other workers, other prompts, the same prompt sent again', () => {
  const index = new PrefixIndex(ROOMY, 1);
  const prompt = 'abcdefghijklmnopqrst';
  index.hold(0, blocksOf('abcdefgh'));
  index.hold(1, blocksOf(prompt));
  index.hold(0, blocksOf(prompt));
  const { mark } = index;
  index.drop(0, blocksOf(prompt), { keep: 8, mark });
  assert.deepEqual(depths(index, prompt), [8, 20, 0, 0]);

  index.hold(0, blocksOf(prompt));
  const before = index.mark;
  index.hold(0, blocksOf(`${prompt}uvw`));
  index.drop(0, blocksOf(prompt), { keep: 0, mark: before });
  assert.equal(depths(index, prompt)[0], 20, 'another prompt went on from it');

  index.forget(0);
  index.hold(0, blocksOf(prompt));
  const first = index.mark;
  index.hold(0, blocksOf(prompt));
  index.drop(0, blocksOf(prompt), { keep: 0, mark: first });
  assert.equal(depths(index, prompt)[0], 20, 'the same prompt was sent again');
});

test('prompts whose first words collide are kept apart by the second ones and by their place', () => {
  const index = new PrefixIndex(ROOMY, 1);
  const blocks = (words: number[]): PromptBlocks => ({
    words: Uint32Array.from(words),
    count: words.length / 2,
    tokensPerBlock: 128,
    tokens: 1_000,
  });
  index.hold(0, blocks([1, 1, 1, 2, 1, 3]));
  index.hold(1, blocks([1, 9, 1, 8]));
  index.match(blocks([1, 1, 1, 8]));
  assert.deepEqual([index.held[0], index.held[1]], [1, 0]);
  index.match(blocks([1, 2, 1, 3]));
  assert.deepEqual([index.held[0], index.held[1]], [0, 0]);
});

test('words forged to collide in the middle of other prompts harm nobody', () => {
  const index = new PrefixIndex(TIGHT, 1);
  const forged = (first: number): PromptBlocks => ({
    words: Uint32Array.from({ length: 40 }, (_, i) => (i < 16 ? first : 7) + (i >> 1)),
    count: 20,
    tokensPerBlock: 128,
    tokens: 2_600,
  });
  for (let round = 0; round < 3_000; round += 1) {
    index.hold(round % SLOTS, forged(1_000 * (round % 97)));
    if (round % 7 === 0) index.drop(round % SLOTS, forged(1_000 * (round % 89)), { keep: 8, mark: index.mark });
    index.hold(0, blocksOf(`${round};`.padEnd(30, '.')));
  }
  assert.equal(depths(index, '2999;'.padEnd(30, '.'))[0], 30);
  index.match(forged(1_000 * (2_999 % 97)));
  assert.equal(index.held[2_999 % SLOTS], 20);
  index.match(forged(1_000_000));
  assert.deepEqual([...index.held.slice(0, SLOTS)], [0, 0, 0, 0]);
});

test('stays within its bytes under prompts of every kind, and goes on working', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(slot, letters), { minLength: 200, maxLength: 400 }), (prompts) => {
      const index = new PrefixIndex(TIGHT, 3);
      for (const [at, prompt] of prompts) {
        for (let i = 0; i < 10; i += 1) index.hold(at, blocksOf(`${prompt}${i}`.repeat(3)));
        assert.ok(index.bytesHeld < 400_000);
      }
      const [at, prompt] = prompts.at(-1) ?? [0, ''];
      index.hold(at, blocksOf(prompt));
      assert.equal(depths(index, prompt)[at], prompt.length);
    }),
    { numRuns: 5 },
  );
});

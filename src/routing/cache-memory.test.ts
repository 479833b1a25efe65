import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf } from '../../test/support/fleet.ts';
import { blocksOf, TOKENS_PER_BLOCK } from '../../test/support/prompt-blocks.ts';
import type { LoadReport } from '../domain/candidate.ts';
import { CacheMemory } from './cache-memory.ts';
import type { Memory } from './cache-memory.ts';

const worker = candidateOf('memory', { slot: 0 });

function createMemory(): CacheMemory {
  return new CacheMemory(16 * 2 ** 20, 5);
}

function held(memory: CacheMemory, text: string): number | undefined {
  memory.match(blocksOf(text));
  return memory.held[0];
}

/** The answer of a worker that found so many blocks of the prompt in its cache. */
function answer({ blocks }: Memory, found: number) {
  return { inputTokens: blocks.tokens, outputTokens: 9, cachedInputTokens: found * TOKENS_PER_BLOCK };
}

function reportOf(capacityTokens: number): LoadReport {
  const rest = { waitingTokens: undefined, usedTokens: undefined, throughput: undefined, cacheHitRate: undefined };
  return { atMs: 0, running: 0, waiting: 0, capacityTokens, ...rest };
}

test('a prompt under way counts as cached, for a twin that comes meanwhile', () => {
  const memory = createMemory();
  assert.equal(memory.remember(worker, blocksOf('abcdef'), 0).uncached, blocksOf('abcdef').tokens);
  assert.equal(held(memory, 'abcdef'), 6);
  assert.equal(memory.remember(worker, blocksOf('abcdefgh'), 0).expected, 6);
});

test('a prompt that was not computed is taken back, what was there before stays', () => {
  const memory = createMemory();
  memory.confirm(memory.remember(worker, blocksOf('abcdefgh'), 0), undefined, undefined);
  memory.revoke(memory.remember(worker, blocksOf('abcdefghijklmnop'), 0));
  assert.equal(held(memory, 'abcdefghijklmnop'), 8);
});

test('answers that come after the cache was forgotten change nothing', () => {
  const memory = createMemory();
  const late = memory.remember(worker, blocksOf('abcdef'), 0);
  memory.forget(0);
  memory.confirm(late, undefined, undefined);
  assert.equal(held(memory, 'abcdef'), 0);
  memory.remember(worker, blocksOf('abcdef'), 0);
  memory.revoke(late);
  assert.equal(held(memory, 'abcdef'), 6);
});

test('keeps no more than the engine reports that its cache holds, and knows when it is full', () => {
  const memory = createMemory();
  const reporting = candidateOf('memory', { slot: 0, report: reportOf(100 * TOKENS_PER_BLOCK) });
  memory.remember(reporting, blocksOf('a'.repeat(20)), 0);
  assert.equal(memory.fullness[0], 0);
  for (let i = 0; i < 20; i += 1) memory.remember(reporting, blocksOf(`${i}`.padEnd(20, 'b')), 0);
  assert.equal(held(memory, 'a'.repeat(20)), 0);
  assert.equal(held(memory, '19'.padEnd(20, 'b')), 20);
  assert.equal(memory.fullness[0], 1);
});

test('counts the capacity in true tokens once answers have told how many an estimated one is', () => {
  const memory = createMemory();
  const reporting = candidateOf('memory', { slot: 0, report: reportOf(100 * TOKENS_PER_BLOCK) });
  const twice = ({ blocks }: Memory) => ({ inputTokens: 2 * blocks.tokens, outputTokens: 1, cachedInputTokens: 0 });
  for (let i = 0; i < 200; i += 1) {
    const remembered = memory.remember(reporting, blocksOf(`${i}`.padEnd(20, 'c')), 0);
    memory.confirm(remembered, twice(remembered), undefined);
  }
  const kept = Array.from({ length: 200 }, (_, i) => held(memory, `${i}`.padEnd(20, 'c'))).filter(
    (depth) => depth === 20,
  );
  assert.ok(kept.length >= 2 && kept.length <= 3, `${kept.length} prompts of 20 blocks in 50`);
});

test('what an estimated token is worth says nothing of prompts whose tokens were counted, in the same cache', () => {
  const memory = createMemory();
  const reporting = candidateOf('memory', { slot: 0, report: reportOf(100 * TOKENS_PER_BLOCK) });
  for (let i = 0; i < 200; i += 1) {
    const text = memory.remember(reporting, blocksOf(`${i}`.padEnd(20, 'c')), 0);
    const inputTokens = 2 * text.blocks.tokens;
    memory.confirm(text, { inputTokens, outputTokens: 1, cachedInputTokens: 0 }, undefined);
  }
  memory.forget(0);
  const prompts = Array.from({ length: 40 }, (_, i) => blocksOf(`${i}`.padEnd(20, 'd'), 16));
  for (const blocks of prompts) {
    const { tokens: inputTokens } = blocks;
    const remembered = memory.remember(reporting, blocks, 0);
    memory.confirm(remembered, { inputTokens, outputTokens: 1, cachedInputTokens: 0 }, undefined);
  }
  const kept = prompts.filter((blocks) => {
    memory.match(blocks);
    return memory.held[0] === 20;
  });
  assert.equal(kept.length, 40, '320 tokens each in 12,800');
});

test('answers teach the size of a cache alike, whatever the size of the blocks', () => {
  const sizes = [16, 128].map((tokensPerBlock) => {
    const memory = createMemory();
    const letters = 4_096 / tokensPerBlock;
    const prompt = (i: number) => blocksOf(`${i};`.padEnd(letters, '.'), tokensPerBlock);
    const say = (blocks: Memory['blocks'], foundShare: number) => {
      const remembered = memory.remember(worker, blocks, 0);
      const cachedInputTokens = foundShare * letters * tokensPerBlock;
      memory.confirm(remembered, { inputTokens: blocks.tokens, outputTokens: 1, cachedInputTokens }, undefined);
    };
    for (let i = 0; i < 50; i += 1) say(prompt(i), 0);
    // One that is found says that the engine tells; those that are not, how small it is.
    say(prompt(49), 1);
    for (let i = 30; i < 36; i += 1) say(prompt(i), 0);
    return Array.from({ length: 50 }, (_, i) => {
      memory.match(prompt(i));
      return memory.held[0] === letters ? 1 : 0;
    }).join('');
  });
  assert.equal(sizes[0], sizes[1]);
  assert.match(sizes[0] ?? '', /^0{10}.*1$/, 'the oldest have gone');
});

test('a worker that finds nothing of what it had just now is forgotten, after some answers and not after one', () => {
  const memory = createMemory();
  const prompts = 'abcdefgh'.split('').map((letter) => letter.repeat(16));
  for (const prompt of prompts) {
    const remembered = memory.remember(worker, blocksOf(prompt), 0);
    memory.confirm(remembered, answer(remembered, 0), undefined);
  }
  const say = (prompt: string, found: number) => {
    const remembered = memory.remember(worker, blocksOf(prompt), 0);
    memory.confirm(remembered, answer(remembered, found), undefined);
  };
  say(prompts[7] as string, 16);
  say(prompts[7] as string, 0);
  assert.equal(held(memory, prompts[0] as string), 16, 'one odd answer');
  for (let i = 0; i < 3; i += 1) say(prompts[7] as string, 0);
  assert.equal(held(memory, prompts[0] as string), 0);
});

test('what was sent while its beginning was still being computed proves nothing', () => {
  const memory = createMemory();
  memory.remember(worker, blocksOf('other'), 0);
  const first = memory.remember(worker, blocksOf('a'.repeat(16)), 0);
  memory.confirm(first, answer(first, 0), undefined);
  const seen = memory.remember(worker, blocksOf('a'.repeat(17)), 0);
  memory.confirm(seen, answer(seen, 16), undefined);
  for (let i = 0; i < 8; i += 1) {
    const twin = memory.remember(worker, blocksOf('a'.repeat(17)), 2_000);
    memory.confirm(twin, answer(twin, 0), undefined);
  }
  assert.equal(held(memory, 'other'), 5);
});

test('without cached tokens in answers the time of prompts shows a cache that is too small', () => {
  const memory = createMemory();
  const long = (i: number) => `${i};`.padEnd(40, '.');
  for (let i = 0; i < 100; i += 1) memory.confirm(memory.remember(worker, blocksOf(long(i)), 0), undefined, undefined);
  assert.equal(held(memory, long(0)), 40);
  for (let i = 60; i < 70; i += 1) {
    const again = memory.remember(worker, blocksOf(long(i)), 0);
    memory.confirm(again, undefined, blocksOf(long(i)).tokens);
  }
  assert.equal(held(memory, long(25)), 0, 'older than those that were computed again');
  assert.equal(held(memory, long(95)), 40);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdList } from './id-list.ts';
import { WordCache } from './word-cache.ts';

function take(cache: WordCache, word: string): number[] | undefined {
  const out = new IdList();
  return cache.take(word, 0, word.length, out) ? [...out.take()] : undefined;
}

test('gives back what was put, and nothing for what was not', () => {
  const cache = new WordCache();
  cache.put('xthe', 1, 4, Int32Array.of(7), 1);
  cache.put('über', 0, 4, Int32Array.of(1, 2, 3), 3);
  assert.deepEqual(take(cache, 'the'), [7]);
  assert.deepEqual(take(cache, 'über'), [1, 2, 3]);
  assert.equal(take(cache, 'th'), undefined);
  cache.clear();
  assert.equal(take(cache, 'the'), undefined);
});

test('stays right when far more words come than it holds', () => {
  const cache = new WordCache();
  for (let at = 0; at < 300_000; at++) {
    const word = `word${at}`;
    cache.put(word, 0, word.length, Int32Array.of(at, at + 1), 2);
    if (at % 1000 === 0) assert.deepEqual(take(cache, word) ?? [at, at + 1], [at, at + 1]);
  }
  const kept = Array.from({ length: 300_000 }, (_, at) => take(cache, `word${at}`)).filter((ids) => ids !== undefined);
  assert.ok(kept.length > 1_000 && kept.length < 90_000, `${kept.length}`);
});

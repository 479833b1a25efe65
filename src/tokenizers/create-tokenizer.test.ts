/** Files to tokenizers: by the engine, and with the library for the kinds that it only decodes, in small. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tokenizer } from '../domain/tokenizer.ts';
import { allAtOnce } from '../pipeline/tokenizer/steps.ts';
import { createTokenizer as createInSteps } from './create-tokenizer.ts';
import { SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';

const createTokenizer = (files: ModelFiles) => createInSteps(files, async (steps) => allAtOnce(steps));

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const COMMON = { version: '1.0', truncation: null, padding: null, post_processor: null };

const WORD_PIECE = {
  ...COMMON,
  added_tokens: [special(0, '[UNK]'), special(1, '[SEP]')],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0, '[SEP]': 1, token: 2, '##izer': 3, '##s': 4, good: 5, are: 6, '.': 7 },
  },
};

const BYTES = Array.from({ length: 256 }, (_, i) => [`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, -9]);
const UNIGRAM = {
  ...COMMON,
  added_tokens: [special(0, '<unk>'), special(1, '</s>')],
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'Unigram',
    unk_id: 0,
    byte_fallback: true,
    vocab: [
      ['<unk>', 0],
      ['</s>', 0],
      ...BYTES,
      ['▁hello', -1],
      ['▁', -2],
      ['wor', -3],
      ['ld', -3],
      ['h', -8],
      ['e', -8],
    ],
  },
};

const made = (json: object) => createTokenizer(new Map([['tokenizer.json', Buffer.from(JSON.stringify(json))]]));

function streamed(tokenizer: Tokenizer, ids: Iterable<number>): { pieces: string[]; text: string } {
  const decoder = tokenizer.createDecoder();
  const pieces = [...ids].map((id) => decoder.push(id));
  return { pieces, text: pieces.join('') + decoder.end() };
}

test('WordPiece: words and their ends, encoded off the loop, decoded one by one as a whole', async () => {
  const tokenizer = await made(WORD_PIECE);
  const ids = await tokenizer.encode('Tokenizers are good.[SEP]', false);
  assert.deepEqual([...ids], [2, 3, 4, 6, 5, 7, 1]);
  assert.equal(tokenizer.decode(ids), 'tokenizers are good.');
  assert.deepEqual(streamed(tokenizer, ids).text, 'tokenizers are good.');
  assert.equal(tokenizer.decode(ids, { skipSpecialTokens: false }), 'tokenizers are good. [SEP]');
  assert.deepEqual(
    [tokenizer.idOf('##s'), tokenizer.tokenOf(4), tokenizer.tokenOf(99), tokenizer.vocabularySize],
    [4, '##s', undefined, 8],
  );
  assert.deepEqual(
    [...tokenizer.specialTokens],
    [
      ['[UNK]', 0],
      ['[SEP]', 1],
    ],
  );
});

test('Unigram with bytes: half a character is never shown, and every character is in the end', async () => {
  const tokenizer = await made(UNIGRAM);
  const text = 'hello world 😀é hello';
  const ids = await tokenizer.encode(text, false);
  assert.equal(tokenizer.decode(ids), text);
  const { pieces, text: whole } = streamed(tokenizer, ids);
  assert.equal(whole, text);
  assert.ok(pieces.every((piece) => !piece.includes('\uFFFD')));
  const byte = tokenizer.idOf('<0xF0>') ?? -1;
  assert.deepEqual([...tokenizer.bytesOf(byte)], [0xf0]);
  assert.equal(Buffer.from(tokenizer.bytesOf(tokenizer.idOf('▁hello') ?? -1)).toString(), ' hello');
  assert.equal(streamed(tokenizer, [byte]).text, '\uFFFD');
  assert.equal(tokenizer.bytesOf(9_999).length, 0);
});

test('a file that nobody can read is refused without a word of it', async () => {
  for (const text of ['{"secret": 1}', 'secret'])
    await assert.rejects(
      createTokenizer(new Map([['tokenizer.json', Buffer.from(text)]])),
      (thrown) => thrown instanceof SourceError && !/secret/.test(thrown.message),
    );
  await assert.rejects(createTokenizer(new Map()), /there is no tokenizer/);
});

test('tokenizer.json comes before vocabulary files before tiktoken', async () => {
  const config = {
    tokenizer_class: 'Qwen2Tokenizer',
    added_tokens_decoder: { 3: { content: '<|end|>', special: true } },
  };
  const files = new Map(
    Object.entries({
      'small.tiktoken': `${Buffer.from('a').toString('base64')} 0\n${Buffer.from('b').toString('base64')} 1\n`,
      'tokenizer_config.json': JSON.stringify(config),
      'vocab.json': JSON.stringify({ a: 0, b: 1, ab: 2 }),
      'merges.txt': '#version: 0.2\na b\n',
      'tokenizer.json': JSON.stringify(WORD_PIECE),
    }).map(([name, text]) => [name, Buffer.from(text)]),
  );
  const sizes: number[] = [];
  for (const name of ['tokenizer.json', 'vocab.json']) {
    sizes.push((await createTokenizer(files)).vocabularySize);
    files.delete(name);
  }
  assert.deepEqual(sizes, [8, 4]);
  assert.deepEqual([...(await (await createTokenizer(files)).encode('ba', false))], [1, 0]);
});

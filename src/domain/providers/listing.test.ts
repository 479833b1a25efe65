/** Lists of models in the providers' own forms, and in none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readListing } from './listing.ts';

function read(form: 'openai' | 'anthropic' | 'gemini', answer: unknown) {
  const { models, next } = readListing(form, answer);
  return { next, models: models.map(({ id, limits }) => [id, limits.contextLength, limits.maxOutputTokens]) };
}

test('reads the ids of an OpenAI list, and the limits that others add to it', () => {
  const data = [
    { id: 'gpt-4o', object: 'model', created: 1, owned_by: 'system' },
    { id: 'groq', context_window: 131_072, max_completion_tokens: 32_768 },
    { id: 'mistral', max_context_length: 32_768 },
    { id: 'openrouter', context_length: 200_000, top_provider: { max_completion_tokens: 64_000 } },
    { id: 'odd', context_length: '7', max_tokens: -1 },
    { id: 7 },
    null,
  ];
  const models = [
    ['gpt-4o', undefined, undefined],
    ['groq', 131_072, 32_768],
    ['mistral', 32_768, undefined],
    ['openrouter', 200_000, 64_000],
    ['odd', undefined, undefined],
  ];
  assert.deepEqual(read('openai', { object: 'list', data }), { models, next: undefined });
  // Together lists without an object around it.
  assert.deepEqual(read('openai', data).models, models);
});

test('reads a page of Anthropic’s list and what asks for the next', () => {
  const data = [{ type: 'model', id: 'claude-haiku-4-5', max_input_tokens: 200_000, max_tokens: 64_000 }];
  const models = [['claude-haiku-4-5', 200_000, 64_000]];
  const page = { data, has_more: true, first_id: 'claude-haiku-4-5', last_id: 'claude haiku' };
  assert.deepEqual(read('anthropic', page), { models, next: '&after_id=claude%20haiku' });
  assert.deepEqual(read('anthropic', { ...page, has_more: false }), { models, next: undefined });
});

test('reads a page of Gemini’s list: names without their collection, and only models that calls can be for', () => {
  const models = [
    {
      name: 'models/gemini-2.5-flash',
      inputTokenLimit: 1_000,
      outputTokenLimit: 100,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    },
    { name: 'models/gemini-embedding-001', inputTokenLimit: 2_048, supportedGenerationMethods: ['embedContent'] },
    { name: 'models/imagen-4', supportedGenerationMethods: ['predict'] },
    { name: 'models/' },
  ];
  assert.deepEqual(read('gemini', { models, nextPageToken: 'a+b' }), {
    models: [
      ['gemini-2.5-flash', 1_100, 100],
      ['gemini-embedding-001', 2_048, undefined],
    ],
    next: '&pageToken=a%2Bb',
  });
});

test('throws at nothing and makes up nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom('openai', 'anthropic', 'gemini'), fc.jsonValue(), (form, answer) => {
      for (const { id } of readListing(form, answer).models) assert.ok(id.length > 0);
    }),
    { seed: 5, numRuns: 200 },
  );
});

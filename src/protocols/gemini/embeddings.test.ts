/** OpenAI's embeddings over Gemini's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gemini as provider } from '../../domain/providers/gemini.ts';
import { embeddingsToGemini } from './embeddings.ts';

const target = { provider, model: 'gemini-embedding-001', maxOutputTokens: undefined };

function request(body: unknown): { readonly body: unknown; readonly warnings: readonly string[] } {
  const encoded = embeddingsToGemini.encodeRequest(Buffer.from(JSON.stringify(body)), target);
  return {
    body: JSON.parse(encoded.body.toString()),
    warnings: encoded.warnings.map(({ kind, field }) => `${kind} ${field}`),
  };
}

function answer(body: string, asked: object): { readonly text: string; readonly warnings: readonly string[] } {
  const requestBody = Buffer.from(JSON.stringify(asked));
  const encoded = embeddingsToGemini.encodeAnswer(Buffer.from(body), { model: 'mine', requestBody });
  return { text: encoded.body.toString(), warnings: encoded.warnings.map(({ kind, field }) => `${kind} ${field}`) };
}

test('each text is a request of the batch, with the size that is wanted', () => {
  const one = (text: string) => ({
    model: 'models/gemini-embedding-001',
    content: { parts: [{ text }] },
    outputDimensionality: 256,
  });
  assert.deepEqual(request({ model: 'm', input: ['a', 'b'], dimensions: 256, encoding_format: 'base64' }), {
    body: { requests: [one('a'), one('b')] },
    warnings: [],
  });
  assert.deepEqual(request({ model: 'm', input: 'a', user: 'u', more: 1 }), {
    body: { requests: [{ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'a' }] } }] },
    warnings: ['lost user', 'lost more'],
  });
});

const refused: readonly (readonly [name: string, body: object, param: string])[] = [
  ['token numbers', { input: [1, 2] }, 'input'],
  ['lists of token numbers', { input: [[1, 2]] }, 'input'],
  ['nothing', { input: [] }, 'input'],
  ['no input', {}, 'input'],
  ['more texts than a batch takes', { input: Array.from({ length: 101 }, () => 'a') }, 'input'],
  ['a form that is none', { input: 'a', encoding_format: 'int8' }, 'encoding_format'],
];

for (const [name, body, param] of refused) {
  test(`${name} is the client's error`, () => {
    assert.throws(() => request(body), { code: 'invalid_request', param });
  });
}

test('numbers come as they were written, and are counted where Gemini counts', () => {
  const body = '{"embeddings":[{"values":[0.10,\n -2e-3]},{"values":[1]}],"usageMetadata":{"promptTokenCount":5}}';
  assert.deepEqual(answer(body, { input: ['a', 'b'] }), {
    text: '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-2e-3]},{"object":"embedding","index":1,"embedding":[1]}],"model":"mine","usage":{"prompt_tokens":5,"total_tokens":5}}',
    warnings: [],
  });
});

test('base64 is of 32-bit floats, the smallest byte first; tokens are estimated', () => {
  const { text, warnings } = answer('{"embedding":{"values":[1,-0.5]}}', {
    input: 'Grüße!',
    encoding_format: 'base64',
  });
  const { data, usage } = JSON.parse(text) as { data: { embedding: string }[]; usage: object };
  assert.deepEqual(Buffer.from(data[0]?.embedding ?? '', 'base64'), Buffer.from([0, 0, 128, 63, 0, 0, 0, 191]));
  assert.deepEqual(usage, { prompt_tokens: 2, total_tokens: 2 });
  assert.deepEqual(warnings, ['changed usage']);
});

test('an answer without numbers is none', () => {
  for (const body of [
    '',
    '{}',
    '{"embeddings":[]}',
    '{"embeddings":[{"values":[]}]}',
    '{"embeddings":[{"values":["1"]}]}',
  ])
    assert.throws(() => answer(body, { input: 'a' }), { code: 'upstream_invalid_answer' });
});

/** Embeddings for workers that take tokens, as OpenAI's and as Gemini's API have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, REQUEST_FACTS } from '../../../test/support/text-answers.ts';
import { protocols } from '../index.ts';
import type { EmbedCodec } from '../hub/text-codec.ts';
import { embedCodec } from './codec.ts';

const gemini = codecOf('gemini-embeddings');

function codecOf(name: 'openai-embeddings' | 'gemini-embeddings'): EmbedCodec {
  const { embed } = protocols[name];
  assert.ok(embed);
  return embed;
}

function answerOf(members: object, vectors: readonly ArrayLike<number>[], codec = embedCodec): unknown {
  const { request } = codec.decodeRequest(bodyOf(members), REQUEST_FACTS);
  const embeddings = vectors.map((values) => ({ values, promptTokens: 3 }));
  return JSON.parse(codec.encodeAnswer(embeddings, { model: 'asked', request }).toString());
}

const forms: readonly (readonly [unknown, unknown[]])[] = [
  ['a', ['a']],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [[1, 2], [[1, 2]]],
  [
    [[1], [2]],
    [[1], [2]],
  ],
];

for (const [input, expected] of forms) {
  test(`the input may be ${JSON.stringify(input)}`, () => {
    const { request, warnings } = embedCodec.decodeRequest(bodyOf({ model: 'm', input, user: 'u' }), REQUEST_FACTS);
    const prompts = request.prompts.map((prompt) => (prompt.kind === 'text' ? prompt.text : [...prompt.ids]));
    assert.deepEqual([request.model, prompts, request.encoding, warnings], ['m', expected, 'float', []]);
  });
}

for (const [members, param] of [
  [{}, 'input'],
  [{ input: [] }, 'input'],
  [{ input: 'a', encoding_format: 'hex' }, 'encoding_format'],
  [{ input: 'a', dimensions: 0 }, 'dimensions'],
  [{ input: 'a', dimensions: 1.5 }, 'dimensions'],
] as const) {
  test(`refuses ${JSON.stringify(members)}, naming ${param}`, () => {
    const run = () => embedCodec.decodeRequest(bodyOf(members), REQUEST_FACTS);
    assert.throws(run, { code: 'invalid_request', param });
  });
}

test('the answer is the list of OpenAI, with the tokens of all inputs', () => {
  assert.deepEqual(answerOf({ input: ['a', 'b'] }, [[1, -0.5], Float32Array.of(0.25, 0)]), {
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [1, -0.5] },
      { object: 'embedding', index: 1, embedding: [0.25, 0] },
    ],
    model: 'asked',
    usage: { prompt_tokens: 6, total_tokens: 6 },
  });
});

test('base64 is of 32-bit floats, the smallest byte first', () => {
  const { data } = answerOf({ input: 'a', encoding_format: 'base64' }, [[1, -2]]) as { data: { embedding: string }[] };
  assert.equal(Buffer.from(data[0]?.embedding ?? '', 'base64').toString('hex'), '0000803f000000c0');
});

test('fewer dimensions are cut and brought to length 1, with a warning; more change nothing', () => {
  const { warnings } = embedCodec.decodeRequest(bodyOf({ input: 'a', dimensions: 2, odd: 1 }), REQUEST_FACTS);
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['changed dimensions', 'lost odd'],
  );
  const of = (dimensions: number, values: number[]) => {
    const { data } = answerOf({ input: 'a', dimensions }, [values]) as { data: { embedding: number[] }[] };
    return data[0]?.embedding;
  };
  assert.deepEqual(of(2, [3, 4, 12]), [0.6, 0.8]);
  assert.deepEqual(of(3, [3, 4, 12]), [3, 4, 12]);
  assert.deepEqual(of(1, [0, 1]), [0]);
});

test('what is no vector for each input is an invalid answer of the worker', () => {
  for (const vectors of [[], [[1], [2]], [[]], [[Number.NaN]]])
    assert.throws(() => answerOf({ input: 'a' }, vectors), { code: 'upstream_invalid_answer' });
});

test("Gemini's single form and its batch come and go in their own shapes", () => {
  const content = { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] };
  assert.deepEqual(answerOf({ content }, [[1, 2]], gemini), {
    embedding: { values: [1, 2] },
    usageMetadata: { promptTokenCount: 3 },
  });
  const requests = [{ model: 'models/m', content, outputDimensionality: 1, taskType: 'X' }];
  const decoded = gemini.decodeRequest(bodyOf({ requests }), { ...REQUEST_FACTS, model: 'm' });
  assert.deepEqual(decoded.request.prompts, [{ kind: 'text', text: 'ab' }]);
  assert.equal(decoded.request.model, 'm');
  assert.deepEqual(
    decoded.warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['lost requests[0].taskType', 'changed outputDimensionality'],
  );
  assert.deepEqual(answerOf({ requests }, [[2, 0]], gemini), {
    embeddings: [{ values: [1] }],
    usageMetadata: { promptTokenCount: 3 },
  });
});

test("Gemini's requests without a text, or of different sizes, are refused", () => {
  const content = { parts: [{ text: 'a' }] };
  for (const [members, param] of [
    [{}, 'content'],
    [{ requests: [] }, 'requests'],
    [{ content: { parts: [{ inlineData: {} }] } }, 'content.parts[0].text'],
    [{ requests: [{ content }, { content, outputDimensionality: 2 }] }, 'requests'],
  ] as const)
    assert.throws(() => gemini.decodeRequest(bodyOf(members), REQUEST_FACTS), { code: 'invalid_request', param });
});

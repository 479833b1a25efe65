/** Usage blocks: found in the last bytes of an answer whatever its text says, and read in every API's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/text.ts';
import { hasValue, lastObject, usageFromAnthropic, usageFromMetaInfo, usageFromOpenAi } from './usage.ts';

const NAME = '"usage"';
const USAGE = { prompt_tokens: 11, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 8 } };

const talk = fc.oneof(
  anyText(30),
  fc.constantFrom(
    'usage',
    '"usage"',
    '"usage":{"prompt_tokens":1}',
    '\\"usage\\": {',
    '{"usage":',
    '"usage":',
    'usage":{',
    '}',
    '\\',
  ),
);

/** What an answer may hold beside its usage. None of it has a key `usage` with an object. */
const company = fc.dictionary(
  fc.constantFrom('id', 'choices', 'metadata', 'logprobs', 'note', 'usag', 'usages'),
  fc.oneof(
    talk,
    fc.array(talk, { maxLength: 4 }),
    fc.record({ token: talk, content: talk, usage: fc.oneof(talk, fc.constant(null)) }),
  ),
);

test('the usage is found before or after any text that speaks of usage', () => {
  fc.assert(
    fc.property(company, company, fc.constantFrom(0, 2), (before, after, indent) => {
      const body = Buffer.from(JSON.stringify({ ...before, usage: USAGE, ...without(after, before) }, null, indent));
      assert.deepEqual(lastObject(body, NAME), USAGE);
    }),
    { numRuns: 500 },
  );
});

test('where there is no usage, text that speaks of it is not taken for it', () => {
  fc.assert(
    fc.property(company, (fields) => {
      assert.equal(lastObject(Buffer.from(JSON.stringify(fields)), NAME), undefined);
    }),
    { numRuns: 500 },
  );
});

test('the end of an answer is enough, wherever the middle was cut off', () => {
  fc.assert(
    fc.property(company, fc.nat(400), (fields, dropped) => {
      const body = Buffer.from(JSON.stringify({ ...fields, text: 'x'.repeat(400), usage: USAGE }));
      const tail = body.subarray(Math.min(dropped, body.length - JSON.stringify(USAGE).length - NAME.length - 2));
      assert.deepEqual(lastObject(tail, NAME), USAGE);
    }),
  );
});

test('a usage that is cut is none', () => {
  const body = Buffer.from(`{"a":1,"usage":${JSON.stringify(USAGE)}`);
  for (let at = 0; at < body.length; at += 1) assert.equal(lastObject(body.subarray(0, at), NAME), undefined);
  assert.deepEqual(lastObject(body, NAME), USAGE);
});

test('a usage that is no object, or not JSON, is none', () => {
  for (const value of ['null', '1', '"text"', '[]', '[{"prompt_tokens":1}]', '{broken}']) {
    assert.equal(lastObject(Buffer.from(`{"usage":${value}}`), NAME), undefined, value);
  }
  for (const text of ['', '"usage"', '"usage":', '"usage" ', 'usage'])
    assert.equal(lastObject(Buffer.from(text), NAME), undefined);
});

test('of two the last counts, and white space around the colon is no matter', () => {
  const body = Buffer.from('{"usage":{"a":1},"usage" \n:\t {"a":2}}');
  assert.deepEqual(lastObject(body, NAME), { a: 2 });
});

test('a key has a value unless it is null, absent or cut off', () => {
  const name = '"finish_reason"';
  const isFinished = (text: string) => hasValue(Buffer.from(text), name);
  assert.equal(isFinished('{"finish_reason": "stop"}'), true);
  assert.equal(isFinished('{"finish_reason":{"type":"stop"}}'), true);
  assert.equal(isFinished('{"finish_reason":"stop","content":"finish_reason"}'), true);
  assert.equal(isFinished('{"content":"\\"finish_reason\\":\\"stop\\"","finish_reason":null}'), false);
  assert.equal(isFinished('{"content":"finish_reason"}'), false);
  assert.equal(isFinished('{"finish_reason":'), false);
  assert.equal(isFinished('{"finish_reason"'), false);
  assert.equal(isFinished(''), false);
});

const readings: readonly (readonly [string, unknown, unknown])[] = [
  ['chat', USAGE, { inputTokens: 11, outputTokens: 7, cachedInputTokens: 8 }],
  ['embeddings', { prompt_tokens: 4, total_tokens: 4 }, { inputTokens: 4, outputTokens: 0, cachedInputTokens: 0 }],
  [
    'responses',
    { input_tokens: 5, input_tokens_details: { cached_tokens: 2 }, output_tokens: 3 },
    { inputTokens: 5, outputTokens: 3, cachedInputTokens: 2 },
  ],
  [
    'no details',
    { prompt_tokens: 4, completion_tokens: 1, prompt_tokens_details: null },
    { inputTokens: 4, outputTokens: 1, cachedInputTokens: 0 },
  ],
  [
    'nonsense numbers',
    { prompt_tokens: -4, completion_tokens: '9', prompt_tokens_details: { cached_tokens: null } },
    { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 },
  ],
  ['an object without counts', { type: 'string' }, undefined],
  ['null', null, undefined],
  ['text', 'many', undefined],
];

for (const [name, usage, expected] of readings) {
  test(`OpenAI usage is read: ${name}`, () => assert.deepEqual(usageFromOpenAi(usage), expected));
}

test('Anthropic’s input leaves out what the cache gave and took, so that is added', () => {
  const usage = {
    input_tokens: 4,
    cache_creation_input_tokens: 100,
    cache_read_input_tokens: 2_000,
    output_tokens: 15,
  };
  assert.deepEqual(usageFromAnthropic(usage), { inputTokens: 2_104, outputTokens: 15, cachedInputTokens: 2_000 });
  const plain = { input_tokens: 4, cache_creation_input_tokens: null, output_tokens: 15 };
  assert.deepEqual(usageFromAnthropic(plain), { inputTokens: 4, outputTokens: 15, cachedInputTokens: 0 });
  for (const none of [undefined, null, 3, {}, { type: 'string' }]) assert.equal(usageFromAnthropic(none), undefined);
});

test('SGLang’s meta_info is read', () => {
  const meta = { id: 'a', finish_reason: null, prompt_tokens: 7, completion_tokens: 3, cached_tokens: 6 };
  assert.deepEqual(usageFromMetaInfo(meta), { inputTokens: 7, outputTokens: 3, cachedInputTokens: 6 });
  for (const none of [undefined, null, 'x', { id: 'a' }]) assert.equal(usageFromMetaInfo(none), undefined);
});

function without(fields: Record<string, unknown>, taken: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in taken)));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailureKind } from './codec.ts';
import { parseNode } from './json-node.ts';
import { errorOf, failureOf, readOpenAiFailure } from './openai-failure.ts';

const read = (status: number, body: unknown) =>
  readOpenAiFailure(status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

const kinds: readonly (readonly [name: string, status: number, body: unknown, kind: FailureKind])[] = [
  ['OpenAI, no quota left', 429, openAi('You exceeded your current quota.', 'insufficient_quota'), 'quota'],
  ['OpenAI, billing limit', 400, openAi('Billing hard limit reached', 'billing_hard_limit_reached'), 'quota'],
  ['OpenAI, rate', 429, openAi('Rate limit reached for gpt-4o', 'rate_limit_exceeded'), 'rate_limited'],
  [
    'OpenAI, a request above the tokens of a minute',
    429,
    openAi('Request too large for gpt-4o on tokens per min (TPM): Limit 30000', 'rate_limit_exceeded'),
    'rate_limited',
  ],
  ['OpenAI, context', 400, openAi('Too many.', 'context_length_exceeded'), 'context'],
  ['OpenAI, Responses, context', 400, openAi('Your input exceeds the context window of this model.'), 'context'],
  ['OpenAI, policy', 400, openAi('Your request was rejected.', 'content_policy_violation'), 'refused'],
  ['OpenAI, flagged prompt', 400, openAi('Your prompt was flagged.', 'invalid_prompt'), 'refused'],
  ['OpenAI, slow down', 503, openAi('Slow down.', 'slow_down'), 'overloaded'],
  [
    'OpenAI, a member that is too long',
    400,
    openAi("Invalid 'user': string too long.", 'string_above_max_length'),
    'other',
  ],
  ['OpenAI, unknown model', 404, openAi('The model `x` does not exist', 'model_not_found'), 'other'],
  ['OpenAI, its own fault', 500, openAi('The server had an error.'), 'other'],
  [
    'Azure, content filter',
    400,
    {
      error: {
        message: 'The response was filtered.',
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
      },
    },
    'refused',
  ],
  ['Groq, context', 400, openAi('Please reduce the length of the messages or completion.'), 'context'],
  ['Groq, flex tier', 498, openAi('Flex tier capacity exceeded'), 'overloaded'],
  ['DeepSeek, no balance', 402, openAi('Insufficient Balance', 'invalid_request_error'), 'quota'],
  ['OpenRouter, no credits', 402, { error: { code: 402, message: 'Insufficient credits' } }, 'quota'],
  ['OpenRouter, flagged', 403, { error: { code: 403, message: 'Your input was flagged by moderation' } }, 'refused'],
  ['xAI, context', 400, { code: 'invalid', error: "This model's maximum prompt length is 131072" }, 'context'],
  ['xAI, no credits', 403, { code: 'forbidden', error: "Your team doesn't have any credits yet." }, 'quota'],
  [
    'Mistral, prompt',
    400,
    { object: 'error', message: 'Prompt contains 9 tokens, too large for model with 8 maximum context length' },
    'context',
  ],
  [
    'Mistral, capacity',
    429,
    { object: 'error', message: 'Capacity', code: 'service_tier_capacity_exceeded' },
    'overloaded',
  ],
  ['Mistral, rate', 429, { message: 'Requests rate limit exceeded' }, 'rate_limited'],
  [
    'vLLM, context',
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens.",
      type: 'BadRequestError',
      code: 400,
    },
    'context',
  ],
  [
    'SGLang, context',
    400,
    {
      object: 'error',
      message: "The input (9 tokens) is longer than the model's context length (8 tokens).",
      code: 400,
    },
    'context',
  ],
  ['SGLang, queue', 503, { object: 'error', message: 'The request queue is full.', code: 503 }, 'overloaded'],
  [
    'llama.cpp, context',
    400,
    { error: { code: 400, message: 'too many', type: 'exceed_context_size_error' } },
    'context',
  ],
  ['Ollama', 404, { error: 'model not found' }, 'other'],
  ['Together, context', 422, openAi('`inputs` tokens + `max_new_tokens` must be <= 8193'), 'context'],
  [
    'FastAPI, a list of problems',
    422,
    { detail: [{ loc: ['body', 'model'], msg: 'Field required', type: 'missing' }] },
    'other',
  ],
  ['a proxy, overloaded', 529, { detail: 'busy' }, 'overloaded'],
  ['a message that speaks of contexts elsewhere', 401, openAi('The context length of keys is wrong'), 'other'],
];

for (const [name, status, body, kind] of kinds)
  test(`${name} (${status}) means ${kind}`, () => assert.equal(read(status, body)?.kind, kind));

function openAi(message: string, code: string | null = null): unknown {
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}

test('message, type, code and parameter are read from where servers write them', () => {
  const facts = (body: unknown) => {
    const { message, type, code, param } = read(400, body) ?? {};
    return [message, type, code, param];
  };
  assert.deepEqual(facts({ error: { message: 'm', type: 't', param: 'p', code: 'c' } }), ['m', 't', 'c', 'p']);
  assert.deepEqual(facts({ error: { message: 'm', code: 400 } }), ['m', undefined, '400', undefined]);
  assert.deepEqual(facts({ code: 'c', error: 'm' }), ['m', undefined, 'c', undefined]);
  assert.deepEqual(facts({ detail: [{ loc: ['body', 'x'], msg: 'm' }, { msg: 'n' }] }).at(0), 'body.x: m; n');
  assert.deepEqual(facts({ message: { detail: [{ msg: 'm' }] } }).at(0), 'm');
});

test('when to try again is read from the words', () => {
  const after = (text: string) => read(429, openAi(`Please try again in ${text}. Visit us.`))?.retryAfterMs;
  assert.deepEqual(['20ms', '1.242s', '6m0s', '1h2m3s', 'a while'].map(after), [
    20,
    1_242,
    360_000,
    3_723_000,
    undefined,
  ]);
});

test('a body that is no error of this API is none', () => {
  for (const body of ['', '<html>', '[]', '{}', '"text"', '{"error":{}}', '{"error":null,"detail":7}'])
    assert.equal(read(500, body), undefined, body);
});

test('a message is cut where nobody reads on', () => {
  assert.equal(read(400, openAi('x'.repeat(100_000)))?.message.length, 4_000);
});

test('no body of a worker makes the reading throw', () => {
  const names = fc.constantFrom('error', 'message', 'code', 'type', 'detail', 'msg', 'loc', 'param');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(fc.jsonValue(), fc.dictionary(names, tie('value')), fc.array(tie('value'), { maxLength: 3 })),
  }));
  fc.assert(fc.property(fc.dictionary(names, value), fc.nat(600), (body, status) => void read(status, body)));
});

test('in a stream, a limit is one to the client, what the client sent stays its own fault, the rest is of the worker', () => {
  const code = (body: unknown) => {
    const failure = failureOf(0, parseNode(JSON.stringify(body)));
    return failure && errorOf(failure).code;
  };
  assert.equal(code(openAi('m', 'rate_limit_exceeded')), 'rate_limited');
  assert.equal(code({ error: { code: 429, message: 'm' } }), 'rate_limited');
  assert.equal(code(openAi('m', 'context_length_exceeded')), 'invalid_request');
  assert.equal(code(openAi('m', 'server_error')), 'upstream_error');
  const failure = failureOf(0, parseNode(JSON.stringify(openAi('try again in 1.5s', 'rate_limit_exceeded'))));
  assert.equal(failure && errorOf(failure).retryAfterSeconds, 2);
});

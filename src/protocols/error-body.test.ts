/** What errors of many servers mean, in the forms in which they answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorKind } from './error-body.ts';
import { readErrorBody, readErrorObject } from './error-body.ts';

const openai = (message: string, code: string | null, type: string | null = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
});
const anthropic = (message: string, type = 'invalid_request_error') => ({ type: 'error', error: { type, message } });
const google = (code: number, status: string, message: string, details: readonly unknown[] = []) => ({
  error: { code, message, status, details },
});
const flat = (message: string, code = 400, type = 'BadRequestError') => ({
  object: 'error',
  message,
  type,
  param: null,
  code,
});
const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
const quotaFailure = (quotaId: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaMetric: 'requests', quotaId }],
});
const PLAN = 'You exceeded your current quota, please check your plan and billing details.';

const cases: readonly (readonly [name: string, kind: ErrorKind, status: number, body: object])[] = [
  ['OpenAI: no quota left', 'quota', 429, openai(PLAN, 'insufficient_quota', 'insufficient_quota')],
  ['OpenAI: no credit', 'quota', 429, openai('Add credits.', 'credit_balance_exhausted', 'insufficient_quota')],
  ['OpenAI: too fast', 'rate_limited', 429, openai('Rate limit reached.', 'rate_limit_exceeded', 'requests')],
  [
    'OpenAI: more tokens at once than a minute has',
    'context',
    429,
    openai('Request too large for gpt-4o in organization org-x on tokens per min (TPM): …', 'rate_limit_exceeded'),
  ],
  [
    'Groq: the same as a 413',
    'context',
    413,
    openai('Request too large for model `x` on tokens per minute (TPM): Limit 6000', 'rate_limit_exceeded', 'tokens'),
  ],
  [
    'OpenAI: too long',
    'context',
    400,
    openai("This model's maximum context length is 128000 tokens.", 'context_length_exceeded'),
  ],
  ['Responses: too long', 'context', 400, openai('Your input exceeds the context window of this model.', null)],
  ['OpenAI: no such model', 'unknown_model', 404, openai('The model `x` does not exist.', 'model_not_found')],
  ['OpenAI: a model not for this project', 'unknown_model', 403, openai('No access to model.', 'model_not_found')],
  ['OpenAI: no such URL', 'other', 404, openai('Invalid URL (POST /v1/x)', null)],
  ['OpenAI: a wrong field', 'other', 400, openai('Unknown parameter: top_k', 'unknown_parameter')],
  ['OpenAI: a wrong key', 'other', 401, openai('Incorrect API key provided', 'invalid_api_key')],
  ['Azure: filtered', 'refused', 400, openai('The prompt was filtered: context window', 'content_filter', null)],
  ['Anthropic: overloaded', 'overloaded', 529, anthropic('Overloaded', 'overloaded_error')],
  ['Anthropic: no credit', 'quota', 400, anthropic('Your credit balance is too low to access the Anthropic API.')],
  ['Anthropic: billing', 'quota', 402, anthropic('There is an issue with your billing.', 'billing_error')],
  [
    'Anthropic: its own limit of spending',
    'quota',
    400,
    anthropic('You have reached your specified API usage limits. You will regain access on 2030-01-01 at 00:00 UTC.'),
  ],
  ['Anthropic: too long', 'context', 400, anthropic('prompt is too long: 208310 tokens > 200000 maximum')],
  [
    'Anthropic: too long with its answer',
    'context',
    400,
    anthropic('input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000'),
  ],
  ['Anthropic: too fast', 'rate_limited', 429, anthropic('Slow down', 'rate_limit_error')],
  ['Anthropic: no such model', 'unknown_model', 404, anthropic('model: claude-x', 'not_found_error')],
  ['Anthropic: too many bytes', 'other', 413, anthropic('Request exceeds the maximum size', 'request_too_large')],
  ['Gemini: a minute', 'rate_limited', 429, google(429, 'RESOURCE_EXHAUSTED', PLAN, [retryInfo('34s')])],
  [
    'Gemini: a day',
    'quota',
    429,
    google(429, 'RESOURCE_EXHAUSTED', PLAN, [quotaFailure('GenerateRequestsPerDayPerProject'), retryInfo('22s')]),
  ],
  ['Gemini: no word of when', 'quota', 429, google(429, 'RESOURCE_EXHAUSTED', PLAN)],
  ['Gemini: busy', 'rate_limited', 429, google(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Try again later.')],
  ['Gemini: overloaded', 'overloaded', 503, google(503, 'UNAVAILABLE', 'The model is overloaded.')],
  [
    'Gemini: too long',
    'context',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200293) exceeds the maximum number of tokens allowed (1).',
    ),
  ],
  ['Gemini: no such model', 'unknown_model', 404, google(404, 'NOT_FOUND', 'models/x is not found for v1beta.')],
  ['DeepSeek: no balance', 'quota', 402, openai('Insufficient Balance', 'invalid_request_error', 'unknown_error')],
  ['xAI: no credit', 'quota', 403, { code: 'forbidden', error: 'Your team has used all available credits.' }],
  [
    'xAI: too long',
    'context',
    400,
    { code: 'x', error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens." },
  ],
  ['vLLM: too long', 'context', 400, flat("This model's maximum context length is 4096 tokens.")],
  ['SGLang: too long', 'context', 400, flat("The input (61709 tokens) is longer than the model's context length.")],
  [
    'llama.cpp: too long',
    'context',
    400,
    { error: { code: 400, message: 'request (4390 tokens) is too much', type: 'exceed_context_size_error' } },
  ],
  ['vLLM: no such model', 'unknown_model', 404, flat('The model `x` does not exist.', 404, 'NotFoundError')],
  ['FastAPI: no such path', 'other', 404, { detail: 'Not Found' }],
  ['nothing that is known', 'other', 500, { detail: 'boom' }],
];

for (const [name, kind, status, body] of cases) {
  test(`${name}: ${kind}`, () => {
    assert.equal(readErrorBody(status, Buffer.from(JSON.stringify(body))).kind, kind);
    assert.equal(readErrorBody(status, Buffer.from(JSON.stringify([body]))).kind, kind);
  });
}

test('the time that Gemini names in its body is read, whatever stands beside it', () => {
  const delayOf = (...details: unknown[]) => readErrorObject(429, google(429, 'X', 'm', details)).retryAfterMs;
  assert.equal(delayOf(quotaFailure('PerMinute'), null, 'x', retryInfo('34.0741s')), 34_075);
  for (const text of ['', 's', '-1s', '1e9s', '5m', '99999999999s']) assert.equal(delayOf(retryInfo(text)), undefined);
});

test('an error inside of a stream tells its status as a code, or by its name', () => {
  const kindOf = (json: Record<string, unknown>) => readErrorObject(200, json).kind;
  assert.equal(kindOf({ error: { message: 'busy', code: 429 } }), 'rate_limited');
  assert.equal(kindOf({ error: { message: 'busy', code: '529' } }), 'overloaded');
  assert.equal(kindOf({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }), 'overloaded');
  assert.equal(kindOf({ type: 'error', code: 'insufficient_quota', message: PLAN }), 'quota');
  const failed = { type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'm' } } };
  assert.equal(kindOf(failed), 'rate_limited');
  assert.equal(kindOf({ error: 'out of memory' }), 'other');
});

test('what is no JSON, or too long to be read, is told by its status', () => {
  const kinds = [402, 429, 503, 529, 404, 500].map((status) => readErrorBody(status, Buffer.from('<html>')).kind);
  assert.deepEqual(kinds, ['quota', 'rate_limited', 'overloaded', 'overloaded', 'other', 'other']);
  const long = JSON.stringify(openai('x'.repeat(70_000), 'insufficient_quota'));
  assert.equal(readErrorBody(429, Buffer.from(long)).kind, 'rate_limited');
});

test('message, type, code and param are kept for those who translate them', () => {
  const { message, type, code, param } = readErrorObject(400, {
    error: { message: 'too long', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' },
  });
  assert.deepEqual(
    [message, type, code, param],
    ['too long', 'invalid_request_error', 'context_length_exceeded', 'messages'],
  );
});

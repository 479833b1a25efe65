import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, readFailure } from './failure.ts';

function failureOf(status: number, type: string, message: string) {
  return readFailure(
    status,
    Buffer.from(JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_1' })),
  );
}

const table = [
  [429, 'rate_limit_error', 'This request would exceed your rate limit', 'rate_limited'],
  [529, 'overloaded_error', 'Overloaded', 'overloaded'],
  [503, 'api_error', 'Unavailable', 'overloaded'],
  [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'quota'],
  [402, 'billing_error', 'Payment required', 'quota'],
  [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 'context'],
  [400, 'invalid_request_error', 'input length and `max_tokens` exceed context limit: 1 + 2 > 2', 'context'],
  [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'refused'],
  [401, 'authentication_error', 'invalid x-api-key', 'other'],
  [404, 'not_found_error', 'model: claude-x', 'other'],
  [500, 'api_error', 'Internal server error', 'other'],
] as const;

for (const [status, type, message, kind] of table) {
  test(`${status} ${type}, "${message.slice(0, 40)}": ${kind}`, () => {
    const failure = failureOf(status, type, message);
    assert.deepEqual([failure?.kind, failure?.type, failure?.message], [kind, type, message]);
  });
}

test('the field that a message begins with is the field at fault', () => {
  assert.equal(
    failureOf(400, 'invalid_request_error', 'messages.1.content.0: Invalid `signature`')?.param,
    'messages.1.content.0',
  );
  assert.equal(failureOf(400, 'invalid_request_error', 'Something: else is wrong')?.param, undefined);
});

test('a body that is not as the errors of this API are is none of them', () => {
  for (const body of ['<html>', '{}', '{"error":"text"}', '{"error":{}}', '', 'null'])
    assert.equal(readFailure(500, Buffer.from(body)), undefined, body);
});

test('an error event becomes the error that says the same', () => {
  const codes = [
    'overloaded_error',
    'rate_limit_error',
    'timeout_error',
    'invalid_request_error',
    'constructor',
    '',
  ].map((type) => errorOf({ type: 'error', error: { type, message: 'm' } }).code);
  assert.deepEqual(codes, [
    'upstream_error',
    'rate_limited',
    'upstream_timeout',
    'invalid_request',
    'upstream_error',
    'upstream_error',
  ]);
  assert.equal(errorOf({}).message, 'The worker gave no message.');
});

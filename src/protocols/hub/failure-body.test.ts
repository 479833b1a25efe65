/** A worker's error in each dialect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anthropicDialect, geminiDialect, openaiDialect } from '../dialect.ts';
import type { Dialect } from '../dialect.ts';
import type { Failure } from './codec.ts';
import { encodeFailure, statusIn } from './failure-body.ts';

const failure: Failure = {
  kind: 'other',
  message: 'words',
  type: 'own_type',
  code: undefined,
  param: 'max_tokens',
  retryAfterMs: undefined,
};

function body(dialect: Dialect, status: number): unknown {
  return JSON.parse(encodeFailure(dialect, { status, failure, requestId: 'r' }).toString());
}

for (const [status, openai, anthropic, google] of [
  [400, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
  [401, 'authentication_error', 'authentication_error', 'UNAUTHENTICATED'],
  [402, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
  [403, 'permission_error', 'permission_error', 'PERMISSION_DENIED'],
  [404, 'not_found_error', 'not_found_error', 'NOT_FOUND'],
  [413, 'invalid_request_error', 'request_too_large', 'INVALID_ARGUMENT'],
  [422, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
  [429, 'rate_limit_error', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
  [500, 'api_error', 'api_error', 'INTERNAL'],
  [503, 'overloaded_error', 'overloaded_error', 'UNAVAILABLE'],
  [504, 'timeout_error', 'timeout_error', 'DEADLINE_EXCEEDED'],
  [529, 'overloaded_error', 'overloaded_error', 'UNAVAILABLE'],
] as const) {
  test(`a ${status} has its type in every dialect`, () => {
    assert.deepEqual(body(openaiDialect, status), {
      error: { message: 'words', type: openai, param: 'max_tokens', code: 'own_type' },
    });
    assert.deepEqual(body(anthropicDialect, status), {
      type: 'error',
      error: { type: anthropic, message: 'words' },
      request_id: 'r',
    });
    assert.deepEqual(body(geminiDialect, status), {
      error: { code: status === 529 ? 503 : status, message: 'words', status: google },
    });
  });
}

test('overload is 529 to clients of Anthropic’s API and 503 to all others', () => {
  assert.deepEqual([statusIn(anthropicDialect, 503), statusIn(anthropicDialect, 529)], [529, 529]);
  assert.deepEqual([statusIn(openaiDialect, 529), statusIn(geminiDialect, 529)], [503, 503]);
  assert.equal(statusIn(anthropicDialect, 429), 429);
});

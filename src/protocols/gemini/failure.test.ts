/** Errors of Gemini, in the forms that it has, and what each means for what is done next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import { geminiDialect } from '../dialect.ts';
import type { Failure } from '../hub/codec.ts';
import { readFailure } from './failure.ts';

function failure(status: number, error: object | undefined, wrap: (body: object) => unknown = (body) => body) {
  return readFailure(status, Buffer.from(JSON.stringify(wrap({ error }))));
}

const TYPE = 'type.googleapis.com/google.rpc';

const rows: readonly (readonly [name: string, status: number, error: object, expected: Partial<Failure>])[] = [
  [
    'a limit of the minute, with the time to wait',
    429,
    {
      code: 429,
      message: 'You exceeded your current quota.',
      status: 'RESOURCE_EXHAUSTED',
      details: [
        {
          '@type': `${TYPE}.QuotaFailure`,
          violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier', quotaValue: '5' }],
        },
        { '@type': `${TYPE}.RetryInfo`, retryDelay: '34.074824224s' },
      ],
    },
    { kind: 'rate_limited', type: 'RESOURCE_EXHAUSTED', retryAfterMs: 34_075 },
  ],
  [
    'a limit of the day',
    429,
    {
      message: 'You exceeded your current quota.',
      status: 'RESOURCE_EXHAUSTED',
      details: [
        {
          '@type': `${TYPE}.QuotaFailure`,
          violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
        },
        { '@type': `${TYPE}.RetryInfo`, retryDelay: '35640s' },
      ],
    },
    { kind: 'quota', retryAfterMs: 35_640_000 },
  ],
  [
    'a model that the account has nothing of',
    429,
    { message: '* Quota exceeded for metric: requests, limit: 0, model: gemini-3.1-pro', status: 'RESOURCE_EXHAUSTED' },
    { kind: 'quota', retryAfterMs: undefined },
  ],
  ['a 429 with nothing more', 429, { code: 429, message: 'Resource has been exhausted.' }, { kind: 'rate_limited' }],
  [
    'an overload',
    503,
    { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' },
    { kind: 'overloaded', type: 'UNAVAILABLE' },
  ],
  ['an overload that calls itself a fault', 500, { message: 'The model is overloaded.' }, { kind: 'overloaded' }],
  ['a fault', 500, { message: 'An internal error has occurred.', status: 'INTERNAL' }, { kind: 'other' }],
  [
    'a prompt that is too long',
    400,
    {
      message: 'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).',
      status: 'INVALID_ARGUMENT',
    },
    { kind: 'context' },
  ],
  [
    'a prompt that was refused',
    400,
    { message: 'The request was blocked due to prohibited content.', status: 'INVALID_ARGUMENT' },
    { kind: 'refused' },
  ],
  [
    'a field that is wrong, with its path',
    400,
    {
      message: 'Invalid value.',
      status: 'INVALID_ARGUMENT',
      details: [{ '@type': `${TYPE}.BadRequest`, fieldViolations: [{ field: 'contents[0].parts', description: 'x' }] }],
    },
    { kind: 'other', param: 'contents[0].parts' },
  ],
  [
    'a key that is wrong, with its reason',
    400,
    {
      message: 'API key not valid. Please pass a valid API key.',
      status: 'INVALID_ARGUMENT',
      details: [{ '@type': `${TYPE}.ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com' }],
    },
    { kind: 'other', code: 'API_KEY_INVALID' },
  ],
  [
    'an account without billing',
    403,
    {
      message: 'x',
      status: 'PERMISSION_DENIED',
      details: [{ '@type': `${TYPE}.ErrorInfo`, reason: 'BILLING_DISABLED' }],
    },
    { kind: 'quota' },
  ],
  ['a model that is not there', 404, { message: 'models/x is not found', status: 'NOT_FOUND' }, { kind: 'other' }],
];

for (const [name, status, error, expected] of rows) {
  test(`${name} is understood, by itself and in a list`, () => {
    for (const wrap of [(body: object) => body, (body: object) => [body]]) {
      const read = failure(status, error, wrap);
      assert.ok(read);
      for (const [field, value] of Object.entries(expected))
        assert.deepEqual(read[field as keyof Failure], value, field);
    }
  });
}

test('a body that is no error of this API is none', () => {
  for (const text of ['', '<html>', '{}', '[]', '{"error":"text"}', '{"error":null}', '3', '[[1]]'])
    assert.equal(readFailure(502, Buffer.from(text)), undefined, text);
});

test('an error for a client is a Status of Google APIs', () => {
  const error = new GatewayError('rate_limited', 'Too many.', { retryAfterSeconds: 7 });
  assert.deepEqual(JSON.parse(geminiDialect.encodeError(error, 'r1').toString()), {
    error: {
      code: 429,
      message: 'Too many.',
      status: 'RESOURCE_EXHAUSTED',
      details: [{ '@type': `${TYPE}.RetryInfo`, retryDelay: '7s' }],
    },
  });
  const other = new GatewayError('model_not_found', 'None.');
  assert.deepEqual(JSON.parse(geminiDialect.encodeError(other, 'r1').toString()), {
    error: { code: 404, message: 'None.', status: 'NOT_FOUND' },
  });
});

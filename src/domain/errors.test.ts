/** The one error class and its table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError, errorTable } from './errors.ts';
import type { ErrorCode } from './errors.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

test('every code has a status of an error, a meaning that is a sentence, and a name in snake_case', () => {
  for (const code of codes) {
    const row = errorTable[code];
    assert.ok(row.status >= 400 && row.status <= 599, code);
    assert.match(row.meaning, /^[A-Z].*\.$/, code);
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
  }
});

test('a fault of the client is a 4xx, one of the gateway a 5xx', () => {
  for (const code of codes) {
    const { origin, status } = errorTable[code];
    if (origin === 'client') assert.ok(status < 500, code);
    if (origin === 'gateway') assert.ok(status >= 500, code);
  }
});

test('an error takes status, type and origin from its code', () => {
  for (const code of codes) {
    const error = new GatewayError(code, 'text', { param: 'p', retryAfterSeconds: 3 });
    const { status, type, origin } = errorTable[code];
    assert.deepEqual(
      { code: error.code, status: error.status, type: error.type, origin: error.origin },
      { code, status, type, origin },
    );
    assert.equal(error.param, 'p');
    assert.equal(error.retryAfterSeconds, 3);
    assert.ok(error instanceof Error);
  }
});

test('an unknown fault becomes an internal error that keeps its text to itself', () => {
  const cause = new Error('secret sk-1234');
  const error = GatewayError.from(cause);
  assert.equal(error.code, 'internal_error');
  assert.equal(error.cause, cause);
  assert.ok(!error.message.includes('secret'));
});

test('anything thrown can be wrapped, and a gateway error is not wrapped twice', () => {
  for (const thrown of [undefined, null, 'text', 7, {}]) assert.equal(GatewayError.from(thrown).code, 'internal_error');
  const error = new GatewayError('upstream_timeout', 'slow');
  assert.equal(GatewayError.from(error), error);
});

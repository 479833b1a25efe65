import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { encodeTimeout, unsendable } from './request-headers.ts';

test('writes a timeout in at most eight digits, never zero, never shorter than asked for', () => {
  assert.equal(encodeTimeout(1_500), '1500m');
  assert.equal(encodeTimeout(0.2), '1m');
  assert.equal(encodeTimeout(0), '1m');
  assert.equal(encodeTimeout(10.1), '11m');
  assert.equal(encodeTimeout(99_999_999), '99999999m');
  assert.equal(encodeTimeout(100_000_001), '100001S');
  assert.equal(encodeTimeout(Number.MAX_SAFE_INTEGER), '99999999S');
});

test('names the header whose value is not printable ASCII', () => {
  assert.equal(unsendable([['x-request-id', 'a b~']]), undefined);
  for (const value of ['a\nb', 'é', '\u0000', 'tab\t']) {
    assert.equal(
      unsendable([
        ['traceparent', 'fine'],
        ['tracestate', value],
      ]),
      'tracestate',
    );
  }
});

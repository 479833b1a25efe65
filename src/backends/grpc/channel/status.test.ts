import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { decodeMessage, parseStatus, resetName, statusOfHttp, statusOfReset } from './status.ts';

test('reads the statuses 0 to 16, and takes anything else for UNKNOWN', () => {
  for (let status = 0; status <= 16; status += 1) assert.equal(parseStatus(String(status)), status);
  for (const text of ['17', '99', '-1', 'OK', '', '1.5', '1e1', '00000']) assert.equal(parseStatus(text), 2, text);
  assert.equal(parseStatus(undefined), undefined);
  assert.equal(parseStatus(['5', '6']), 5);
});

test('decodes percent-encoded words as UTF-8 and leaves broken escapes as they are', () => {
  assert.equal(decodeMessage(undefined), '');
  assert.equal(decodeMessage('plain words'), 'plain words');
  assert.equal(decodeMessage('50%25 of %E2%82%AC, %f0%9f%90%91'), '50% of €, 🐑');
  assert.equal(decodeMessage('%zz, 100%, %4'), '%zz, 100%, %4');
  assert.equal(decodeMessage('cut %E2%82'), 'cut \ufffd');
});

test('maps HTTP statuses as the specification lists them', () => {
  const pairs = [
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
    [200, 2],
    [418, 2],
    [500, 2],
  ] as const;
  for (const [http, status] of pairs) assert.equal(statusOfHttp(http), status, String(http));
});

test('maps the codes of RST_STREAM as the specification lists them', () => {
  const expected = [13, 13, 13, 13, 13, 2, 13, 14, 1, 13, 13, 8, 7, 2];
  assert.deepEqual(
    expected.map((_, code) => statusOfReset(code)),
    expected,
  );
  assert.equal(statusOfReset(99), 2);
  assert.equal(resetName(7), 'REFUSED_STREAM');
  assert.equal(resetName(99), 'error 99');
});

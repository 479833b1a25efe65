/** The scan below `peek`: its cost and its parts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/text.ts';
import { decodeString, findMembers, JsonScanError, skipValue } from './json-scan.ts';

/** A buffer that counts the bytes which native searches from it look at. */
function counted(text: string): { readonly bytes: Buffer; readonly searched: () => number } {
  const bytes = Buffer.from(text);
  let searched = 0;
  const indexOf = Buffer.prototype.indexOf as (this: Buffer, value: number, from?: number) => number;
  bytes.indexOf = (value: unknown, from: unknown) => {
    const at = indexOf.call(bytes, value as number, from as number);
    searched += (at < 0 ? bytes.length : at) - Number(from ?? 0);
    return at;
  };
  return { bytes, searched: () => searched };
}

test('the cost is about one pass, also for thousands of keys in a body without a backslash', () => {
  const members = Array.from({ length: 5_000 }, (_, i) => `"parameter_${i}":${i}`).join(',');
  const { bytes, searched } = counted(`{${members},"prompt":"${'x'.repeat(100_000)}","model":"m"}`);
  assert.equal(findMembers(bytes, ['model', 'stream'])[0]?.length, 1);
  assert.ok(searched() < 3 * bytes.length, `searched ${searched()} bytes of ${bytes.length}`);
});

test('of many names the n-th list belongs to the n-th name', () => {
  const body = Buffer.from('{"b":1,"a":"x","b":[2],"c":{"a":3}}');
  const texts = findMembers(body, ['a', 'b', 'd']).map((spans) =>
    spans.map(({ start, end }) => body.toString('utf8', start, end)),
  );
  assert.deepEqual(texts, [['"x"'], ['1', '[2]'], []]);
});

test('a key that only looks like the name, or only begins like it, is not the name', () => {
  const body = Buffer.from('{"mode":1,"models":2,"Model":3,"m\\u006fdel ":4,"\\\\model":5,"mo\\ndel":6}');
  assert.deepEqual(findMembers(body, ['model']), [[]]);
});

test('a key with an escape that is none hides nothing: the body is refused', () => {
  assert.throws(() => findMembers(Buffer.from('{"mod\\qel":"m"}'), ['model']), JsonScanError);
});

test('a value of any kind is skipped to its end and not further', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(',', '}', ']', ' ', '\n'), (value, next) => {
      const text = JSON.stringify(value);
      const bytes = Buffer.from(`${text}${next}rest`);
      assert.equal(skipValue(bytes, 0), Buffer.byteLength(text));
    }),
  );
});

test('a string token is decoded as JSON decodes it', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      const bytes = Buffer.from(JSON.stringify(text));
      assert.equal(decodeString(bytes, { start: 0, end: bytes.length }), text);
    }),
  );
});

test('a string ends at its own quote, however many escaped ones and backslashes stand before it, near or far', () => {
  const piece = fc.constantFrom(
    '\\',
    '"',
    '\\"',
    'x',
    'x'.repeat(23),
    'y'.repeat(60),
    'z'.repeat(300),
    '{"a":1,"b":"c"}',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const token = JSON.stringify(pieces.join(''));
      const twice = JSON.stringify(token);
      const bytes = Buffer.from(`${token},${twice}"`);
      assert.equal(skipValue(bytes, 0), token.length);
      assert.equal(skipValue(bytes, token.length + 1), token.length + 1 + twice.length);
    }),
    { numRuns: 500 },
  );
});

test('an error says where it was noticed', () => {
  assert.throws(
    () => findMembers(Buffer.from('{"a": "b'), []),
    (thrown: JsonScanError) => thrown.offset === 6 && thrown.message === 'unterminated string at byte 6',
  );
});

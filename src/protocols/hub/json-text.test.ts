import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObjectText, jsonText, raw, rawOr } from './json-text.ts';

test('raw text goes out as it is, and what is undefined is left out', () => {
  const text = jsonText({
    a: 1,
    schema: raw('{ "10":1.0, "2":[ ] }'),
    none: undefined,
    nothing: rawOr(undefined),
    n: null,
  });
  assert.equal(text, '{"a":1,"schema":{ "10":1.0, "2":[ ] },"n":null}');
});

test('strings are escaped as JSON asks, lone surrogates too', () => {
  assert.equal(jsonText(['"', '\n', '\ud800', '🙂']), '["\\"","\\n","\\ud800","🙂"]');
});

test('only the text of an object is one', () => {
  assert.deepEqual(['{}', ' {"a":1}', '[]', '"{}"', '', '{"a":', '{} x'].map(isObjectText), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObjectText } from '../hub/json-text.ts';
import { WholeObject } from './whole-object.ts';

const TEXTS = [
  '{}',
  ' {"a": [1, {"b": "}\\"{"}]} \n',
  '{"a":"\\\\"}',
  '{"a":1}{"b":2}',
  '{"a":1} x',
  '{a}',
  '[]',
  '"{}"',
  '{"a":[}]',
  '',
  ' ',
  '}{',
  '{"a":1}}',
];

for (const text of TEXTS) {
  test(`says of every beginning of ${JSON.stringify(text)} what a parse says`, () => {
    const whole = new WholeObject();
    for (let at = 0; at < text.length; at += 1) {
      whole.push(text.slice(at, at + 1));
      const sofar = text.slice(0, at + 1);
      assert.equal(whole.is(sofar), isObjectText(sofar), sofar);
    }
    const once = new WholeObject();
    once.push(text);
    assert.equal(once.is(text), isObjectText(text));
  });
}

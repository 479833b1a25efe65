/** What is no answer although its status is good. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { invalidAnswer, looksLikeEvents } from './answer-check.ts';

function check(body: string, contentType: string | undefined = 'application/json', status = 200): string | undefined {
  return invalidAnswer(status, contentType, Buffer.from(body));
}

test('whole JSON of any kind is an answer, with white space around it too', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n', '\r\n\t'), (value, space) => {
      const text = `${space}${JSON.stringify(value, null, 2)}${space}`;
      for (const type of [
        'application/json',
        'application/json; charset=utf-8',
        'application/problem+json',
        undefined,
      ]) {
        assert.equal(invalidAnswer(200, type, Buffer.from(text)), undefined);
      }
    }),
  );
});

test('an object or a list that is cut anywhere before its end is no answer, unless the cut looks like an end', () => {
  for (const text of ['{"choices":[{"text":"x"}],"usage":null}', '[{"embedding":[1,2]},{"embedding":[3]}]']) {
    const last = text.at(-1);
    for (let at = 1; at < text.length; at += 1) {
      const cut = text.slice(0, at);
      if (cut.at(-1) === last) continue;
      assert.equal(check(cut), 'answered 200 with JSON that is cut off.', cut);
    }
  }
});

test('nothing, and nothing but white space, is no answer', () => {
  for (const body of ['', ' ', '\r\n\r\n']) assert.equal(check(body), 'answered 200 with an empty body.');
  assert.equal(check('', 'text/plain', 204), 'answered 204 with an empty body.');
});

test('a page for people is no answer', () => {
  assert.equal(check('<html></html>', 'text/html'), 'answered 200 with an HTML page.');
  assert.equal(check('<html></html>', 'text/html; charset=utf-8'), 'answered 200 with an HTML page.');
  for (const page of ['<html></html>', ' \r\n\t<HTML lang="en">', '<!DOCTYPE html><p>busy</p>'])
    assert.equal(check(page), 'answered 200 with an HTML page.', page);
  assert.equal(check('<note>plain</note>', 'text/xml'), undefined);
});

test('what says that it is something else than JSON is not read as JSON', () => {
  assert.equal(check('{{ template', 'text/plain'), undefined);
  assert.equal(check('[1', 'application/octet-stream'), undefined);
});

test('an error of the worker passes as it is, whatever it looks like', () => {
  for (const status of [100, 199, 300, 400, 404, 500, 503]) {
    for (const body of ['', '<html>', '{"cut']) assert.equal(check(body, 'text/html', status), undefined);
  }
});

test('an event stream under a wrong name is known by its first bytes', () => {
  for (const text of [
    'data: {}',
    'data:x',
    'event: message',
    ': ping',
    ':\n',
    'id: 1',
    'retry: 1',
    '\ndata: 1',
    '\r\ndata: 1',
  ]) {
    assert.equal(looksLikeEvents(Buffer.from(text)), true, text);
  }
  for (const text of ['{"data":1}', '[', 'dat', 'Data: 1', '<data:', 'ideas', 'hello: x', '']) {
    assert.equal(looksLikeEvents(Buffer.from(text)), false, text);
  }
});

/** A key in a query becomes a header and is seen nowhere else. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { adoptQueryKey } from './query-key.ts';

function adopted(url: string, headers: Record<string, string> = {}): [string, string | undefined] {
  const request = { url, headers: { ...headers } };
  adoptQueryKey(request as unknown as IncomingMessage);
  return [request.url, (request.headers as Record<string, string>)['x-goog-api-key']];
}

const PATH = '/v1beta/models/m:generateContent';

test('the key leaves the URL, and what else is asked stays as it was', () => {
  assert.deepEqual(adopted(`${PATH}?key=AIza-1`), [PATH, 'AIza-1']);
  assert.deepEqual(adopted(`${PATH}?alt=sse&key=AIza%2D1&x=%20`), [`${PATH}?alt=sse&x=%20`, 'AIza-1']);
  assert.deepEqual(adopted(`${PATH}?%6bey=AIza-1&k=2`), [`${PATH}?k=2`, 'AIza-1']);
  assert.deepEqual(adopted('/v1beta/models?key=AIza-1'), ['/v1beta/models', 'AIza-1']);
  assert.deepEqual(adopted('/v1/models/m:countTokens?key=a&key=b'), ['/v1/models/m:countTokens', 'a']);
});

test('a header wins over the query, which is not kept all the same', () => {
  assert.deepEqual(adopted(`${PATH}?key=other`, { 'x-goog-api-key': 'own' }), [PATH, 'own']);
});

test('other requests and other parameters stay as they are', () => {
  for (const url of [PATH, `${PATH}?alt=sse`, `${PATH}?monkey=1`, '/v1/chat/completions?key=1', '/workers?key=1']) {
    assert.deepEqual(adopted(url), [url, undefined]);
  }
  assert.deepEqual(adopted(`${PATH}?key=`), [PATH, undefined]);
});

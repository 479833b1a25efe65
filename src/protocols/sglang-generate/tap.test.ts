/** SGLang's own API: how it says in a stream that a request was bad, or that the engine was at fault. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../../test/support/tap-case.ts';
import type { StreamTap } from '../protocol.ts';
import { sglangGenerate } from './index.ts';

function frame(text: string, reason: unknown = null): Buffer {
  const meta = { id: 'a', finish_reason: reason, prompt_tokens: 7, completion_tokens: 3, cached_tokens: 6 };
  return frameOf({ text, meta_info: meta });
}

function begun(): StreamTap {
  const tap = sglangGenerate.createTap();
  assert.equal(tap.frame(frame('a')), 'content');
  return tap;
}

for (const code of [500, 503, 429, 408]) {
  test(`an answer that the engine aborts with ${code} is a failure of the worker, before content and after it`, () => {
    for (const tap of [sglangGenerate.createTap(), begun()]) {
      assert.equal(tap.frame(frame('', { type: 'abort', message: 'no', status_code: code, err_type: null })), 'error');
      assert.equal(tap.failure, 'no');
      assert.equal(tap.isComplete, false);
    }
  });
}

const ends: readonly (readonly [string, unknown])[] = [
  ['stopped', { type: 'stop', matched: 1 }],
  ['at its length', { type: 'length', length: 9 }],
  ['stopped, as text', 'stop'],
  ['aborted by its user', { type: 'abort', message: 'Aborted', status_code: null, err_type: null }],
  ['refused as a bad request', { type: 'abort', message: 'too long', status_code: 400, err_type: 'BadRequestError' }],
];

for (const [name, reason] of ends) {
  test(`an answer is complete when it is ${name}`, () => {
    const tap = begun();
    assert.equal(tap.frame(frame('a', reason)), 'content');
    assert.equal(tap.isComplete, true);
    assert.deepEqual(tap.usage, { inputTokens: 7, outputTokens: 3, cachedInputTokens: 6 });
  });
}

test('an error without a code is about the request, which no other worker would take either', () => {
  for (const tap of [sglangGenerate.createTap(), begun()]) {
    assert.equal(tap.frame(frameOf({ error: { message: 'The input is longer than the context.' } })), 'content');
    assert.equal(tap.isComplete, true);
    assert.equal(tap.failure, 'The input is longer than the context.');
  }
});

test('a 429, as an abort or as an error, is a rate limit', () => {
  for (const code of [429, 503]) {
    for (const value of [
      frame('', { type: 'abort', message: 'no', status_code: code }),
      frameOf({ error: { code } }),
    ]) {
      const tap = sglangGenerate.createTap();
      assert.deepEqual([tap.frame(value), tap.isRateLimited], ['error', code === 429]);
    }
  }
});

test('an error with a code says by it whose fault it is', () => {
  const kinds = [400, 422, 429, 500, 503].map((code) =>
    sglangGenerate.createTap().frame(frameOf({ error: { message: 'no', code } })),
  );
  assert.deepEqual(kinds, ['content', 'content', 'error', 'error', 'error']);
});

test('text that speaks of a finish finishes nothing', () => {
  const tap = begun();
  assert.equal(tap.frame(frame('"finish_reason":{"type":"stop"}')), 'content');
  assert.equal(tap.frame(frame('finish_reason')), 'content');
  assert.equal(tap.isComplete, false);
});

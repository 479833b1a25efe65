/** Responses streams: a last event that repeats the whole answer, and failures in the API's own two forms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunksAt } from '../../../test/support/cuts.ts';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { frameOf } from '../../../test/support/tap-case.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { StreamTap } from '../protocol.ts';
import { SseFramer } from '../sse.ts';
import { openaiResponses } from './index.ts';

const USAGE = { input_tokens: 5, input_tokens_details: { cached_tokens: 4 }, output_tokens: 7, total_tokens: 12 };

function event(type: string, fields: object = {}): Buffer {
  return frameOf({ type, ...fields }, type);
}

function delta(text: string): Buffer {
  return event('response.output_text.delta', { item_id: 'i', delta: text });
}

function begun(): StreamTap {
  const tap = openaiResponses.createTap();
  assert.equal(tap.frame(event('response.created', { response: { id: 'resp_1' } })), 'prelude');
  assert.equal(tap.frame(delta('a')), 'content');
  return tap;
}

function completed(text: string): Buffer {
  return event('response.completed', { response: { id: 'resp_1', output: [{ text }], usage: USAGE } });
}

test('an answer whose text ends like the name of an event is complete all the same', () => {
  for (const text of ['response.output_text.delta', 'x.delta', '.delta']) {
    const tap = begun();
    assert.equal(tap.frame(completed(text)), 'end');
    assert.equal(tap.isComplete, true);
    assert.deepEqual(tap.usage, { inputTokens: 5, outputTokens: 7, cachedInputTokens: 4 });
  }
});

test('an error whose message ends like the name of an event is an error all the same', () => {
  assert.equal(
    begun().frame(event('error', { code: 'server_error', message: 'bad response.output_text.delta' })),
    'error',
  );
});

test('a delta of just the word response is content', () => {
  assert.equal(begun().frame(delta('response')), 'content');
});

test('a last event too long to be read at once completes the stream with its last piece, wherever it is cut', () => {
  const bytes = completed('x'.repeat(2_000));
  for (let size = 50; size < 400; size += 1) {
    const tap = begun();
    const framer = new SseFramer(256);
    const points = Array.from({ length: Math.floor((bytes.length - 1) / size) }, (_, i) => (i + 1) * size);
    for (const chunk of chunksAt(bytes, points)) {
      assert.equal(tap.isComplete, false);
      framer.push(chunk, (frame) => tap.frame(frame));
    }
    assert.equal(framer.takeRest().length, 0);
    assert.equal(tap.isComplete, true, `chunks of ${size}`);
  }
});

test('the usage at the end of a last event in pieces is read', () => {
  const bytes = completed('x'.repeat(2_000));
  const tap = begun();
  tap.frame(bytes.subarray(0, 1_500));
  tap.frame(bytes.subarray(1_500));
  assert.deepEqual(tap.usage, { inputTokens: 5, outputTokens: 7, cachedInputTokens: 4 });
});

test('a last event that breaks off in the middle of its pieces leaves the stream incomplete', () => {
  const bytes = completed('x'.repeat(2_000));
  const tap = begun();
  tap.frame(bytes.subarray(0, 800));
  tap.frame(bytes.subarray(800, 1_600));
  assert.equal(tap.isComplete, false);
});

for (const type of ['response.completed', 'response.incomplete', 'response.cancelled']) {
  test(`${type} ends the stream`, () => {
    const tap = begun();
    assert.equal(tap.frame(event(type, { response: { usage: USAGE } })), 'end');
    assert.equal(tap.isComplete, true);
  });
}

test('a response that failed is a failure of the worker, before content and after it', () => {
  for (const tap of [openaiResponses.createTap(), begun()]) {
    const error = { code: 'server_error', message: 'boom' };
    assert.equal(tap.frame(event('response.failed', { response: { id: 'resp_1', error } })), 'error');
    assert.equal(tap.failure, 'boom');
  }
});

test('a rate limit is told, as a response that failed and as an error event', () => {
  const error = { code: 'rate_limit_exceeded', message: 'boom' };
  for (const bytes of [event('response.failed', { response: { id: 'resp_1', error } }), event('error', error)]) {
    const tap = openaiResponses.createTap();
    assert.deepEqual([tap.frame(bytes), tap.isRateLimited], ['error', true]);
  }
});

const errors: readonly (readonly [string, object, string])[] = [
  ['OpenAI', { code: 'server_error', message: 'boom', param: null }, 'error'],
  ['an object within', { error: { type: 'server_error', code: 500, message: 'boom' } }, 'error'],
  ['overloaded', { code: 503, message: 'boom' }, 'error'],
  ['a bad request by its code', { code: 400, message: 'boom' }, 'content'],
  [
    'a bad request by its type',
    { error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'boom' } },
    'content',
  ],
];

for (const [name, fields, kind] of errors) {
  test(`an error event is ${kind === 'error' ? 'a failure of the worker' : 'an answer to the client'}: ${name}`, () => {
    for (const tap of [openaiResponses.createTap(), begun()]) {
      assert.equal(tap.frame(event('error', fields)), kind);
      assert.equal(tap.failure, 'boom');
      assert.equal(tap.isComplete, kind === 'content');
    }
  });
}

test('an error event in plain words is an error too', () => {
  assert.equal(openaiResponses.createTap().frame(Buffer.from('event: error\ndata: overloaded\n\n')), 'error');
});

test('a broken stream ends as the API ends one: error, then response.failed, numbered on', () => {
  const tap = begun();
  tap.frame(Buffer.from(': keep-alive\n\n'));
  tap.frame(delta('b'));
  const events = eventsOf(tap.encodeError(new GatewayError('upstream_broken', 'Worker w1 broke off.')).toString());
  assert.deepEqual(
    events.map(({ event: name }) => name),
    ['error', 'response.failed'],
  );
  assert.deepEqual(
    events.map(({ data }) => JSON.parse(data) as unknown),
    [
      { type: 'error', code: 'upstream_broken', message: 'Worker w1 broke off.', param: null, sequence_number: 3 },
      {
        type: 'response.failed',
        sequence_number: 4,
        response: {
          id: 'resp_1',
          object: 'response',
          status: 'failed',
          error: { code: 'upstream_broken', message: 'Worker w1 broke off.' },
          output: [],
        },
      },
    ],
  );
});

/** Anthropic streams: cumulative usage, and errors in their own form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { frameOf } from '../../../test/support/tap-case.ts';
import { GatewayError } from '../../domain/errors.ts';
import { anthropicMessages } from './index.ts';

function event(type: string, fields: object = {}): Buffer {
  return frameOf({ type, ...fields }, type);
}

function usageAfter(...blocks: readonly unknown[]) {
  const tap = anthropicMessages.createTap();
  const [first, ...later] = blocks;
  tap.frame(event('message_start', { message: { usage: first } }));
  for (const usage of later) tap.frame(event('message_delta', { delta: {}, usage }));
  return tap.usage;
}

test('cached input that only the start names survives an end that repeats the other counts', () => {
  const start = { input_tokens: 12, cache_read_input_tokens: 3_000, cache_creation_input_tokens: 50, output_tokens: 1 };
  const expected = { inputTokens: 3_062, outputTokens: 42, cachedInputTokens: 3_000 };
  assert.deepEqual(usageAfter(start, { input_tokens: 12, output_tokens: 42 }), expected);
  const nulls = {
    input_tokens: null,
    cache_read_input_tokens: null,
    cache_creation_input_tokens: null,
    output_tokens: 42,
  };
  assert.deepEqual(usageAfter(start, nulls), expected);
  const zeros = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 42 };
  assert.deepEqual(usageAfter(start, zeros), expected);
});

test('counts are cumulative: the last of each kind counts, none is added up', () => {
  const steps = [{ input_tokens: 25, output_tokens: 1 }, { output_tokens: 15 }, { output_tokens: 30 }];
  assert.deepEqual(usageAfter(...steps), { inputTokens: 25, outputTokens: 30, cachedInputTokens: 0 });
});

test('input that is known only at the end is taken from there', () => {
  assert.deepEqual(usageAfter({ input_tokens: 0, output_tokens: 0 }, { input_tokens: 472, output_tokens: 89 }), {
    inputTokens: 472,
    outputTokens: 89,
    cachedInputTokens: 0,
  });
});

test('a stream without usage has none', () => {
  assert.equal(usageAfter(undefined, undefined), undefined);
  assert.equal(usageAfter(null, 'many'), undefined);
});

const workerFaults = ['overloaded_error', 'api_error', 'rate_limit_error', 'timeout_error', 'internal_error'];

for (const type of workerFaults) {
  test(`an error event of type ${type} is a failure of the worker`, () => {
    const tap = anthropicMessages.createTap();
    assert.equal(tap.frame(event('error', { error: { type, message: 'no' } })), 'error');
    assert.equal(tap.failure, 'no');
    assert.equal(tap.isRateLimited, type === 'rate_limit_error');
    assert.equal(tap.isComplete, false);
  });
}

for (const type of ['invalid_request_error', 'request_too_large', 'authentication_error', 'not_found_error']) {
  test(`an error event of type ${type} is an answer to the client`, () => {
    const tap = anthropicMessages.createTap();
    assert.equal(tap.frame(event('error', { error: { type, message: 'no' } })), 'content');
    assert.equal(tap.isComplete, true);
  });
}

test('an error event in plain words is an error too', () => {
  assert.equal(anthropicMessages.createTap().frame(Buffer.from('event: error\ndata: overloaded\n\n')), 'error');
});

test('the start of a tool call is content, that of a text or a thought is not yet', () => {
  const kinds = ['text', 'thinking', 'tool_use', 'redacted_thinking'].map((type) =>
    anthropicMessages.createTap().frame(event('content_block_start', { index: 0, content_block: { type } })),
  );
  assert.deepEqual(kinds, ['prelude', 'prelude', 'content', 'content']);
});

test('an event of a kind that is not known yet is content: the client has to see it', () => {
  assert.equal(anthropicMessages.createTap().frame(event('content_block_summary', { text: 'x' })), 'content');
});

test('the type in the data counts, and the name of the event where there is none', () => {
  assert.equal(anthropicMessages.createTap().frame(frameOf({ type: 'ping' })), 'heartbeat');
  assert.equal(anthropicMessages.createTap().frame(frameOf({}, 'ping')), 'heartbeat');
  assert.equal(anthropicMessages.createTap().frame(frameOf({ type: 'message_stop' }, 'message')), 'end');
});

test('a broken stream ends with an error event of the API', () => {
  const error = new GatewayError('upstream_timeout', 'Worker w1 fell silent.');
  const [only, ...others] = eventsOf(anthropicMessages.createTap().encodeError(error).toString());
  assert.deepEqual(others, []);
  assert.equal(only?.event, 'error');
  assert.deepEqual(JSON.parse(only?.data ?? ''), {
    type: 'error',
    error: { type: 'timeout_error', message: 'Worker w1 fell silent.' },
  });
});

/** In-band errors in the forms that engines and clouds use, and the oddities of streams of choices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsOf } from '../../test/support/event-stream.ts';
import { frameOf } from '../../test/support/tap-case.ts';
import { GatewayError } from '../domain/errors.ts';
import { inBandFailure, isClientFault } from './choices-tap.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';
import type { StreamTap } from './protocol.ts';

function chunk(delta: unknown, finish: unknown = null, more: object = {}): Buffer {
  return frameOf({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }], ...more });
}

const CONTENT = chunk({ content: 'Hello' });

/** A tap whose stream has begun to give content. */
function begun(): StreamTap {
  const tap = openaiChat.createTap();
  assert.equal(tap.frame(CONTENT), 'content');
  return tap;
}

type Form = readonly [name: string, value: unknown, event?: string];

const workerFaults: readonly Form[] = [
  ['OpenAI', { error: { message: 'boom', type: 'server_error', param: null, code: null } }],
  ['OpenAI, rate limit', { error: { message: 'boom', type: 'tokens', param: null, code: 'rate_limit_exceeded' } }],
  ['vLLM', { error: { message: 'boom', type: 'InternalServerError', param: null, code: 500 } }],
  ['vLLM before 0.10', { object: 'error', message: 'boom', type: 'InternalServerError', param: null, code: 500 }],
  ['SGLang, aborted', { error: { object: 'error', message: 'boom', type: 'SERVICE_UNAVAILABLE', code: 503 } }],
  ['a status as text', { error: { message: 'boom', code: '502' } }],
  ['too many requests', { error: { message: 'boom', code: 429 } }],
  ['timeout', { error: { message: 'boom', code: 408 } }],
  ['plain text', { error: 'boom' }],
  ['a named event', { message: 'boom' }, 'error'],
  ['the type in the body', { type: 'error', message: 'boom' }],
];

for (const [name, value, event] of workerFaults) {
  test(`an in-band error of a worker is told and does not complete the stream: ${name}`, () => {
    for (const tap of [openaiChat.createTap(), begun()]) {
      assert.equal(tap.frame(frameOf(value, event)), 'error');
      assert.equal(tap.failure, 'boom');
      assert.equal(tap.isComplete, false);
    }
  });
}

const clientFaults: readonly Form[] = [
  ['vLLM', { error: { message: 'too long', type: 'BadRequestError', param: null, code: 400 } }],
  ['vLLM before 0.10', { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 }],
  ['SGLang', { error: { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 } }],
  ['OpenAI', { error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' } }],
  ['not found', { error: { message: 'too long', code: 404 } }],
  ['unprocessable, as text', { error: { message: 'too long', code: '422' } }],
];

for (const [name, value, event] of clientFaults) {
  test(`an in-band error about the request is an answer, which says nothing against the worker: ${name}`, () => {
    for (const tap of [openaiChat.createTap(), begun()]) {
      assert.equal(tap.frame(frameOf(value, event)), 'content');
      assert.equal(tap.failure, 'too long');
      assert.equal(tap.isComplete, true);
    }
  });
}

test('a chunk that finishes with an error inside is an error, not an answer', () => {
  const tap = begun();
  const value = {
    error: { code: 502, message: 'Provider disconnected' },
    choices: [{ delta: { content: '' }, finish_reason: 'error' }],
  };
  assert.equal(tap.frame(frameOf(value)), 'error');
  assert.equal(tap.failure, 'Provider disconnected');
  assert.equal(tap.isComplete, false);
});

test('an in-band rate limit is told by its code or its type, in the words of each API, and no overload is one', () => {
  for (const error of [
    { code: 429 },
    { code: '429' },
    { code: 'rate_limit_exceeded', type: 'invalid_request_error' },
    { code: 'rate_limit_exceeded', type: 'tokens' },
    { code: 'insufficient_quota', type: 'insufficient_quota' },
    { type: 'rate_limit_error' },
    { code: null, type: 'RateLimitError' },
  ]) {
    for (const value of [{ error: { message: 'no', ...error } }, { object: 'error', message: 'no', ...error }]) {
      const tap = openaiChat.createTap();
      assert.deepEqual([tap.frame(frameOf(value)), tap.isRateLimited], ['error', true], JSON.stringify(value));
    }
  }
  for (const error of [{ code: 529 }, { type: 'overloaded_error' }, { code: 503 }, { code: 'server_error' }, {}]) {
    const tap = openaiChat.createTap();
    assert.deepEqual([tap.frame(frameOf({ error })), tap.isRateLimited], ['error', false], JSON.stringify(error));
  }
});

test('an error without a message still is one', () => {
  assert.equal(inBandFailure({ error: {} }, ''), 'the worker gave no message');
  assert.equal(inBandFailure({}, 'error'), 'the worker gave no message');
});

test('what only speaks of errors is none', () => {
  for (const value of [{ error: null, choices: [] }, { choices: [{ delta: { content: '{"error":"x"}' } }] }, {}]) {
    assert.equal(inBandFailure(value, ''), undefined);
  }
  assert.equal(begun().frame(chunk({ content: '"error": {"message": "no"}' })), 'content');
});

test('a status says whose fault it is before the type does, and without either it is the worker’s', () => {
  assert.equal(isClientFault({ error: { code: 429, type: 'invalid_request_error' } }), false);
  assert.equal(isClientFault({ error: { code: 400, type: 'api_error' } }), true);
  assert.equal(isClientFault({ error: { code: '', message: 'x' } }), false);
  assert.equal(isClientFault({ error: 'text' }), false);
});

const contents: readonly object[] = [
  { content: 'a' },
  { role: 'assistant', content: ' ' },
  { reasoning_content: 'a' },
  { reasoning: 'a' },
  { refusal: 'no' },
  { tool_calls: [{ index: 0 }] },
  { function_call: { name: 'f' } },
  { audio: { id: 'a' } },
];

for (const delta of contents) {
  test(`the delta ${JSON.stringify(delta)} is content`, () => {
    assert.equal(openaiChat.createTap().frame(chunk(delta)), 'content');
  });
}

const openings: readonly object[] = [
  {},
  { role: 'assistant' },
  { role: 'assistant', content: '' },
  { role: 'assistant', content: null, reasoning_content: null, tool_calls: null },
  { role: 'assistant', tool_calls: [] },
];

for (const delta of openings) {
  test(`the delta ${JSON.stringify(delta)} opens the stream and is no content yet`, () => {
    const tap = openaiChat.createTap();
    assert.equal(tap.frame(chunk(delta)), 'prelude');
    assert.equal(tap.isComplete, false);
  });
}

test('an answer that finishes without content is complete, and is content', () => {
  const tap = openaiChat.createTap();
  assert.equal(tap.frame(chunk({}, 'length')), 'content');
  assert.equal(tap.isComplete, true);
});

test('an empty finish reason finishes nothing', () => {
  const fresh = openaiChat.createTap();
  assert.equal(fresh.frame(chunk({ role: 'assistant', content: '' }, '')), 'prelude');
  assert.equal(fresh.isComplete, false);
  const tap = begun();
  assert.equal(tap.frame(chunk({ content: 'more' }, '')), 'content');
  assert.equal(tap.isComplete, false);
});

test('a text that is just the name of a key hides neither the finish nor the usage', () => {
  const tap = begun();
  const choices = [{ finish_reason: 'stop', delta: { content: 'finish_reason' } }];
  tap.frame(frameOf({ usage: { prompt_tokens: 3, completion_tokens: 2 }, choices, note: 'usage' }));
  assert.equal(tap.isComplete, true);
  assert.deepEqual(tap.usage, { inputTokens: 3, outputTokens: 2, cachedInputTokens: 0 });
});

test('of usage that comes with every chunk the last one counts, and null changes nothing', () => {
  const tap = openaiChat.createTap();
  for (const tokens of [1, 2, 3])
    tap.frame(chunk({ content: 'a' }, null, { usage: { prompt_tokens: 9, completion_tokens: tokens } }));
  tap.frame(chunk({}, 'stop', { usage: null }));
  assert.deepEqual(tap.usage, { inputTokens: 9, outputTokens: 3, cachedInputTokens: 0 });
});

test('the terminator is known in every spelling, and only there', () => {
  for (const text of [
    'data: [DONE]\n\n',
    'data:[DONE]\r\n\r\n',
    '\ndata: [DONE] \n\n',
    'data: [DONE]',
    'id: 1\ndata: [DONE]\n\n',
  ]) {
    const tap = begun();
    assert.equal(tap.frame(Buffer.from(text)), 'end', JSON.stringify(text));
    assert.equal(tap.isComplete, true);
  }
  for (const text of ['data: [DON', 'data: "[DONE]"\n\n', ': data: [DONE]\n\n', 'event: [DONE]\n\n']) {
    const tap = begun();
    assert.notEqual(tap.frame(Buffer.from(text)), 'end', JSON.stringify(text));
    assert.equal(tap.isComplete, false);
  }
});

test('a frame that is no JSON is content: the client has to see it', () => {
  assert.equal(openaiChat.createTap().frame(Buffer.from('data: hello\n\n')), 'content');
});

test('choices that are none are passed over', () => {
  for (const choices of [[null], ['text', 7], [[]], 'text', null, {}]) {
    const tap = openaiChat.createTap();
    assert.equal(tap.frame(frameOf({ choices })), 'prelude', JSON.stringify(choices));
    assert.equal(tap.isComplete, false);
  }
});

test('text completions look for text, not for deltas', () => {
  const tap = openaiCompletions.createTap();
  assert.equal(tap.frame(frameOf({ choices: [{ text: '', finish_reason: null }] })), 'prelude');
  assert.equal(tap.frame(frameOf({ choices: [{ delta: { content: 'a' }, finish_reason: null }] })), 'prelude');
  assert.equal(tap.frame(frameOf({ choices: [{ text: ' a', finish_reason: null }] })), 'content');
});

test('a broken stream ends with an error object that no client takes for an answer', () => {
  const text = begun().encodeError(new GatewayError('upstream_broken', 'Worker w1 broke off.')).toString();
  assert.ok(text.endsWith('\n\n'));
  const [only, ...others] = eventsOf(text);
  assert.deepEqual(others, []);
  assert.equal(only?.event, '');
  assert.deepEqual(JSON.parse(only?.data ?? ''), {
    error: { message: 'Worker w1 broke off.', type: 'api_error', param: null, code: 'upstream_broken' },
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cutsOf } from '../../../test/support/cuts.ts';
import { decodeFacts, decodeStream, encodeWhole } from '../../../test/support/messages-codec.ts';
import { frameOf } from '../../../test/support/tap-case.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { anthropicMessagesCodec } from './codec.ts';

const FIXTURES = new URL('fixtures/', import.meta.url);

function plain(events: readonly GenerationEvent[]): unknown {
  const shown = events.map((event) =>
    event.type === 'error' ? { type: 'error', error: { code: event.error.code, message: event.error.message } } : event,
  );
  return JSON.parse(JSON.stringify(shown));
}

function framed(...events: readonly (readonly [type: string, members?: object])[]): GenerationEvent[] {
  return decodeStream(events.map(([type, members]) => frameOf({ type, ...members }, type)));
}

function typesOf(events: readonly GenerationEvent[]): string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'heartbeat');
}

for (const name of readdirSync(FIXTURES)) {
  const bytes = readFileSync(new URL(`${name}/upstream.sse`, FIXTURES));
  const events: unknown = JSON.parse(readFileSync(new URL(`${name}/events.json`, FIXTURES), 'utf8'));

  test(`${name}: the stream says what its events say, however it is cut`, () => {
    for (const cut of cutsOf(bytes, 5)) assert.deepEqual(plain(decodeStream(cut.chunks)), events, cut.name);
  });

  test(`${name}: broken off anywhere, it is never said to be complete`, () => {
    const last = bytes.lastIndexOf('event: message_stop');
    const complete = last < 0 ? bytes.length + 1 : bytes.length - 2;
    for (let at = 0; at < Math.min(bytes.length, complete); at += 7)
      assert.ok(!typesOf(decodeStream([bytes.subarray(0, at)])).includes('end'), `broken off at ${at}`);
  });
}

test('a whole answer says what the stream of it says', () => {
  for (const name of readdirSync(FIXTURES)) {
    const events = decodeStream([readFileSync(new URL(`${name}/upstream.sse`, FIXTURES))]);
    if (events.at(-1)?.type !== 'end') continue;
    const whole = anthropicMessagesCodec.decodeAnswer(encodeWhole(events).bytes, decodeFacts());
    assert.deepEqual(gist(whole), gist(events), name);
  }
});

/** What is said, whatever the pieces; a refusal's explanation is text of the client's message. */
function gist(events: readonly GenerationEvent[]): unknown {
  const said: unknown[] = [];
  let run = { type: '', text: '' };
  for (const event of events) {
    const [type, text] = pieceOf(event);
    if (type === undefined) continue;
    if (type === run.type && text !== undefined) run.text += text;
    else said.push((run = { type, text: text ?? JSON.stringify({ ...event, model: '', usage: undefined }) }));
  }
  const usage = events.findLast((event) => event.type === 'usage');
  return [said, usage];
}

function pieceOf(event: GenerationEvent): [string | undefined, string | undefined] {
  switch (event.type) {
    case 'text-delta':
    case 'refusal-delta':
      return ['text', event.text];
    case 'reasoning-delta':
      return ['reasoning', event.text];
    case 'tool-call-delta':
      return ['arguments', event.argumentsDelta];
    case 'heartbeat':
    case 'usage':
    case 'start':
    case 'text-end':
      return [undefined, undefined];
    default:
      return [event.type, undefined];
  }
}

test('text that is not JSON is an error, and nothing follows it', () => {
  const frames = [
    frameOf({ type: 'message_start', message: {} }),
    Buffer.from('data: <html>\n\n'),
    frameOf({ type: 'message_stop' }),
  ];
  const events = decodeStream(frames);
  assert.deepEqual(typesOf(events), ['start', 'error']);
  assert.equal(events.at(-1)?.type === 'error' && events.at(-1)?.type, 'error');
});

test('an error event in plain words is an error of the worker', () => {
  assert.partialDeepStrictEqual(plain(decodeStream([Buffer.from('event: error\ndata: overloaded\n\n')])), [
    { type: 'start' },
    { type: 'error', error: { code: 'upstream_error', message: 'overloaded' } },
  ]);
});

test('a server that forgets the starts is understood', () => {
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi.' } };
  assert.deepEqual(typesOf(framed(['content_block_delta', delta], ['message_stop'])), [
    'start',
    'text-delta',
    'text-end',
    'finish',
    'end',
  ]);
});

test('a delta of a block that is not open, and one of a kind not known, change nothing', () => {
  const events = framed(
    ['message_start', { message: {} }],
    ['content_block_delta', { index: 5, delta: { type: 'input_json_delta', partial_json: '{' } }],
    ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
    ['content_block_delta', { index: 0, delta: { type: 'novel_delta' } }],
    ['content_block_delta', { index: 0 }],
    ['content_block_stop', { index: 0 }],
    ['content_block_stop', { index: 9 }],
    ['message_stop'],
  );
  assert.deepEqual(typesOf(events), ['start', 'text-end', 'finish', 'end']);
});

test('a call is given all its arguments by the start of some servers, and an id if it has none', () => {
  const block = { type: 'tool_use', name: 'f', input: { a: 1 } };
  const events = framed(
    ['message_start', { message: { id: 'm' } }],
    ['content_block_start', { index: 0, content_block: block }],
    ['content_block_stop', { index: 0 }],
    ['message_stop'],
  );
  assert.partialDeepStrictEqual(events, [
    { type: 'start' },
    { type: 'tool-call-start', callId: 'toolu_1', name: 'f' },
    { type: 'tool-call-delta', argumentsDelta: '{"a":1}' },
    { type: 'tool-call-end' },
  ]);
});

test('the end is said once, and what comes after it is nothing', () => {
  const events = framed(
    ['message_start', { message: {} }],
    ['message_stop'],
    ['message_stop'],
    ['message_start', { message: {} }],
  );
  assert.deepEqual(typesOf(events), ['start', 'finish', 'end']);
});

test('a stop reason that is not known is a normal end with that word', () => {
  const events = framed(
    ['message_start', { message: {} }],
    ['message_delta', { delta: { stop_reason: 'novel' } }],
    ['message_stop'],
  );
  assert.partialDeepStrictEqual(events[1], { type: 'finish', reason: 'stop', detail: 'novel' });
});

test('every stop reason has its own', () => {
  const reasons = [
    'end_turn',
    'stop_sequence',
    'max_tokens',
    'tool_use',
    'pause_turn',
    'refusal',
    'model_context_window_exceeded',
  ];
  const read = reasons.map((stop_reason) => {
    const [, finish] = framed(
      ['message_start', { message: {} }],
      ['message_delta', { delta: { stop_reason, stop_sequence: 'END' } }],
    );
    return finish?.type === 'finish' ? finish.reason : undefined;
  });
  assert.deepEqual(read, ['stop', 'stop_sequence', 'length', 'tool_calls', 'pause', 'refusal', 'context_exceeded']);
});

test('more blocks open at once than any answer has is no answer', () => {
  const starts = Array.from(
    { length: 70 },
    (_, index) => ['content_block_start', { index, content_block: { type: 'text', text: '' } }] as const,
  );
  const last = framed(['message_start', { message: {} }], ...starts).at(-1);
  assert.ok(last?.type === 'error' && last.error.code === 'upstream_invalid_answer');
});

test('a body that is no message is no answer, and an error with status 200 is that error', () => {
  const codeOf = (body: string): string => {
    try {
      anthropicMessagesCodec.decodeAnswer(Buffer.from(body), decodeFacts());
    } catch (thrown) {
      if (thrown instanceof GatewayError) return thrown.code;
      throw thrown;
    }
    return 'accepted';
  };
  for (const body of ['', '<html>', '[]', '{}', '{"type":"message","content":"x"}'])
    assert.equal(codeOf(body), 'upstream_invalid_answer');
  assert.equal(codeOf('{"type":"error","error":{"type":"overloaded_error","message":"m"}}'), 'upstream_error');
  assert.equal(codeOf('{"type":"error","error":{"type":"rate_limit_error","message":"m"}}'), 'rate_limited');
});

/** Streams of Gemini, read: every fixture says what it should, however its bytes are cut. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cutsOf } from '../../../test/support/cuts.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { geminiCodec } from './codec.ts';

const ROOT = new URL('fixtures/', import.meta.url);

function counter(): (prefix: string) => string {
  let count = 0;
  return (prefix) => {
    count += 1;
    return `${prefix}${count}`;
  };
}

function decode(chunks: Iterable<Buffer>): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const decoder = geminiCodec.createDecoder({ newId: counter() });
  for (const chunk of chunks) decoder.push(chunk, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

/** As the fixtures have them: an error by its code and message. */
function plain(events: readonly GenerationEvent[]): unknown {
  const told = events.map((event) =>
    event.type === 'error' ? { type: 'error', code: event.error.code, message: event.error.message } : event,
  );
  return JSON.parse(JSON.stringify(told));
}

function stream(...responses: readonly unknown[]): Buffer {
  return Buffer.from(responses.map((each) => `data: ${JSON.stringify(each)}\r\n\r\n`).join(''));
}

for (const name of readdirSync(ROOT)) {
  const bytes = readFileSync(new URL(`${name}/upstream.sse`, ROOT));
  const expected: unknown = JSON.parse(readFileSync(new URL(`${name}/events.json`, ROOT), 'utf8'));

  test(`${name}: the events are the same however the stream is cut`, () => {
    for (const cut of cutsOf(bytes, 11)) assert.deepEqual(plain(decode(cut.chunks)), expected, cut.name);
  });

  test(`${name}: broken off anywhere before its end, the stream is never told as complete`, () => {
    const whole = decode([bytes]);
    const last = bytes.lastIndexOf('data:');
    for (let at = 0; at < last; at += 1)
      assert.ok(!decode([bytes.subarray(0, at)]).some(({ type }) => type === 'end'), `at ${at} of ${whole.length}`);
  });

  if (name === 'overloaded-after-content') continue;

  test(`${name}: a whole answer of the same content has the same content`, () => {
    const responses = bytes
      .toString()
      .split(/\r?\n\r?\n/)
      .flatMap((frame) => (frame.startsWith('data: ') ? [frame.slice(6)] : []));
    const events = geminiCodec.decodeAnswer(Buffer.from(`[${responses.join(',\r\n')}]`), { newId: counter() });
    assert.deepEqual(
      plain(events),
      (expected as GenerationEvent[]).filter(({ type }) => type !== 'heartbeat'),
    );
  });
}

test('a chunk that is not JSON is an error, and nothing is told after it', () => {
  const events = decode([Buffer.from('data: {"candidates":[\n\n'), stream({ candidates: [{ finishReason: 'STOP' }] })]);
  assert.deepEqual(plain(events), [
    { type: 'error', code: 'upstream_invalid_answer', message: 'A chunk of the stream is not JSON.' },
  ]);
});

test('a quota that ends in the middle of a stream is told as a rate limit', () => {
  const events = decode([stream({ error: { code: 429, message: 'Slow down.', status: 'RESOURCE_EXHAUSTED' } })]);
  assert.deepEqual(plain(events), [{ type: 'error', code: 'rate_limited', message: 'Slow down.' }]);
});

test('a finish in every chunk, as old models say it, is told once, at the end', () => {
  const chunk = (text: string) => ({
    candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  });
  const types = decode([stream(chunk('a'), chunk('b'))]).map(({ type }) => type);
  assert.deepEqual(types, ['start', 'text-delta', 'text-delta', 'text-end', 'finish', 'end']);
});

test('one candidate without a reason keeps the stream from being complete', () => {
  const candidates = [
    { content: { parts: [{ text: 'a' }] }, finishReason: 'STOP', index: 0 },
    { content: { parts: [{ text: 'b' }] }, index: 1 },
  ];
  assert.ok(!decode([stream({ candidates })]).some(({ type }) => type === 'end' || type === 'finish'));
});

const reasons: readonly (readonly [word: string, reason: string, detail: string | undefined])[] = [
  ['STOP', 'stop', undefined],
  ['MAX_TOKENS', 'length', undefined],
  ['SAFETY', 'content_filter', 'SAFETY'],
  ['RECITATION', 'content_filter', 'RECITATION'],
  ['LANGUAGE', 'content_filter', 'LANGUAGE'],
  ['BLOCKLIST', 'content_filter', 'BLOCKLIST'],
  ['PROHIBITED_CONTENT', 'content_filter', 'PROHIBITED_CONTENT'],
  ['SPII', 'content_filter', 'SPII'],
  ['IMAGE_SAFETY', 'content_filter', 'IMAGE_SAFETY'],
  ['MALFORMED_FUNCTION_CALL', 'stop', 'MALFORMED_FUNCTION_CALL'],
  ['UNEXPECTED_TOOL_CALL', 'stop', 'UNEXPECTED_TOOL_CALL'],
  ['OTHER', 'stop', 'OTHER'],
  ['A_WORD_OF_TOMORROW', 'stop', 'A_WORD_OF_TOMORROW'],
];

for (const [word, reason, detail] of reasons) {
  test(`a candidate that ended with ${word} finished with ${reason}`, () => {
    const finish = decode([stream({ candidates: [{ finishReason: word }] })]).find(({ type }) => type === 'finish');
    assert.deepEqual(finish, { type: 'finish', choice: 0, reason, detail, stopSequence: undefined });
  });
}

test('STOP after a call is tool_calls, and a cut one after a call is still length', () => {
  const parts = [{ functionCall: { name: 'look' } }];
  const reasonOf = (finishReason: string) =>
    decode([stream({ candidates: [{ content: { parts }, finishReason }] })]).find(({ type }) => type === 'finish');
  assert.equal(plainReason(reasonOf('STOP')), 'tool_calls');
  assert.equal(plainReason(reasonOf('MAX_TOKENS')), 'length');
});

function plainReason(event: GenerationEvent | undefined): string | undefined {
  return event?.type === 'finish' ? event.reason : undefined;
}

test('why a prompt was refused is told as the refusal, where Gemini says it in words', () => {
  const promptFeedback = { blockReason: 'OTHER', blockReasonMessage: 'The prompt could not be submitted.' };
  assert.deepEqual(plain(decode([stream({ promptFeedback })])), [
    { type: 'start', id: '', model: '' },
    { type: 'refusal-delta', choice: 0, text: 'The prompt could not be submitted.' },
    { type: 'finish', choice: 0, reason: 'content_filter', detail: 'OTHER' },
    { type: 'end' },
  ]);
});

test('thoughts that came back with the marks of another provider are those of that provider', () => {
  const encoder = geminiCodec.encodeAnswer(
    [
      { type: 'start', id: 'a', model: 'm', createdSeconds: undefined },
      {
        type: 'reasoning-end',
        choice: 0,
        signature: { origin: 'openai', value: 'gAAAA+/=' },
        isRedacted: false,
        itemId: 'rs_1',
      },
      {
        type: 'reasoning-end',
        choice: 0,
        signature: { origin: 'anthropic', value: 'EmwK' },
        isRedacted: true,
        itemId: undefined,
      },
      { type: 'finish', choice: 0, reason: 'stop', stopSequence: undefined, detail: undefined },
      { type: 'end' },
    ],
    answerFacts(),
  );
  const thoughts = geminiCodec
    .decodeAnswer(encoder.body, { newId: counter() })
    .filter(({ type }) => type === 'reasoning-end');
  assert.deepEqual(thoughts, [
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'openai', value: 'gAAAA+/=' },
      isRedacted: false,
      itemId: 'rs_1',
    },
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'anthropic', value: 'EmwK' },
      isRedacted: true,
      itemId: undefined,
    },
  ]);
});

function answerFacts() {
  const body = Buffer.from('{"contents":[{"parts":[{"text":"a"}]}]}');
  const { request } = geminiCodec.decodeRequest(body, { model: 'm', isStream: false, headers: {} });
  return { model: 'm', createdSeconds: 0, newId: counter(), request, isEventStream: true };
}

test('a whole answer without candidates or a word about the prompt is none', () => {
  for (const text of ['{}', '[]', '1', 'x', '{"usageMetadata":{"promptTokenCount":1}}'])
    assert.throws(() => geminiCodec.decodeAnswer(Buffer.from(text), { newId: counter() }), {
      code: 'upstream_invalid_answer',
    });
});

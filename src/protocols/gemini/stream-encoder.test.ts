/** Answers of any provider for Gemini's clients: event streams, arrays, whole. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { AnswerFacts } from '../hub/codec.ts';
import { geminiCodec } from './codec.ts';

const ROOT = new URL('fixtures/', import.meta.url);
const { request } = geminiCodec.decodeRequest(Buffer.from('{"contents":[]}'), {
  model: 'm',
  isStream: true,
  headers: {},
});

function counter(): (prefix: string) => string {
  let count = 0;
  return (prefix) => {
    count += 1;
    return `${prefix}${count}`;
  };
}

function facts(isEventStream: boolean): AnswerFacts {
  return { model: 'asked', createdSeconds: 0, newId: counter(), request, isEventStream };
}

function encode(events: readonly GenerationEvent[], isEventStream = true, error?: GatewayError) {
  const encoder = geminiCodec.createEncoder(facts(isEventStream));
  const frames: Buffer[] = [];
  for (const event of events) encoder.push(event, (frame) => frames.push(frame));
  if (error) frames.push(encoder.encodeError(error));
  else encoder.end((frame) => frames.push(frame));
  const warnings = encoder.warnings.map(({ kind, field }) => `${kind} ${field}`);
  return { frames: frames.map(String), text: Buffer.concat(frames).toString(), warnings };
}

function decode(bytes: Buffer): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const decoder = geminiCodec.createDecoder({ newId: counter() });
  decoder.push(bytes, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

const start: GenerationEvent = { type: 'start', id: 'r1', model: 'real', createdSeconds: 1 };
const words = (text: string, choice = 0): GenerationEvent => ({
  type: 'text-delta',
  choice,
  text,
  logprobs: undefined,
});
const finish = (reason: 'stop' | 'length' | 'tool_calls' | 'refusal' | 'pause', detail?: string): GenerationEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stopSequence: undefined,
  detail,
});
const usage: GenerationEvent = {
  type: 'usage',
  usage: {
    inputTokens: 10,
    outputTokens: 7,
    cachedInputTokens: 4,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 5,
  },
};
const end: GenerationEvent = { type: 'end' };

test('an event stream: pieces of text as they come, the finish and the counts at the end, no terminator', () => {
  const { text } = encode([start, words('Grü'), { type: 'heartbeat' }, words('ße'), finish('stop'), usage, end]);
  assert.equal(
    text,
    [
      'data: {"candidates":[{"content":{"parts":[{"text":"Grü"}],"role":"model"},"index":0}],"modelVersion":"asked","responseId":"r1"}',
      ': ping',
      'data: {"candidates":[{"content":{"parts":[{"text":"ße"}],"role":"model"},"index":0}],"modelVersion":"asked","responseId":"r1"}',
      'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":2,"totalTokenCount":17,"cachedContentTokenCount":4,"thoughtsTokenCount":5},"modelVersion":"asked","responseId":"r1"}',
      '',
    ].join('\r\n\r\n'),
  );
});

test('a client that does not ask for events gets one array, alive with white space, closed at the end', () => {
  const { frames, text } = encode([start, { type: 'heartbeat' }, words('a'), words('b'), finish('stop'), end], false);
  const responses = JSON.parse(text) as { candidates: { finishReason?: string }[] }[];
  assert.equal(responses.length, 3);
  assert.equal(responses[2]?.candidates[0]?.finishReason, 'STOP');
  assert.deepEqual([frames[0], frames[1]?.[0], frames.at(-1)], ['\r\n', '[', '\r\n]']);
});

test('a stream that breaks ends with a Status and no reason, in both forms', () => {
  const error = new GatewayError('upstream_broken', 'Worker w1 fell silent.');
  const status = { code: 502, message: 'Worker w1 fell silent.', status: 'INTERNAL' };
  for (const events of [[], [start, words('a'), finish('stop')]]) {
    const stream = encode(events, true, error).text;
    assert.deepEqual(JSON.parse(eventsOf(stream).at(-1)?.data ?? ''), { error: status });
    assert.ok(!stream.includes('finishReason'));
    const array = JSON.parse(encode(events, false, error).text) as unknown[];
    assert.deepEqual(array.at(-1), { error: status });
    assert.equal(array.length, events.length === 0 ? 1 : 2);
  }
});

test('an error among the events ends the stream, and nothing follows', () => {
  const error = new GatewayError('rate_limited', 'no');
  for (const isEventStream of [true, false]) {
    const { text } = encode([start, { type: 'error', error }, words('late'), finish('stop'), end], isEventStream);
    assert.ok(text.includes('RESOURCE_EXHAUSTED') && !text.includes('late') && !text.includes('STOP'));
  }
});

test('calls are whole, with their ids and signatures, and STOP is their reason', () => {
  const call = (callId: string, pieces: readonly string[]): GenerationEvent[] => [
    {
      type: 'tool-call-start',
      choice: 0,
      callId,
      name: 'f',
      signature: callId === 'a' ? { origin: 'openai', value: 'gA' } : undefined,
    },
    ...pieces.map(
      (argumentsDelta): GenerationEvent => ({ type: 'tool-call-delta', choice: 0, callId, argumentsDelta }),
    ),
    { type: 'tool-call-end', choice: 0, callId },
  ];
  const { frames, warnings } = encode([
    start,
    ...call('a', ['{"x" :', ' 1.0}']),
    ...call('b', []),
    ...call('c', ['{"cut']),
    finish('tool_calls'),
    end,
  ]);
  const parts = frames.map((frame) => /"parts":\[(.*)\],"role"/.exec(frame)?.[1]);
  assert.deepEqual(parts, [
    `{"functionCall":{"id":"a","name":"f","args":{"x" : 1.0}},"thoughtSignature":"smg.openai.${Buffer.from('gA').toString('base64')}"}`,
    '{"functionCall":{"id":"b","name":"f","args":{}}}',
    '{"functionCall":{"id":"c","name":"f","args":{"arguments":"{\\"cut"}}}',
    '{"text":""}',
  ]);
  assert.ok(frames.at(-1)?.includes('"finishReason":"STOP"'));
  assert.deepEqual(warnings, ['changed arguments of f']);
});

test('a whole answer has one part for each block, and the words of a refusal as text', () => {
  const events: GenerationEvent[] = [
    start,
    { type: 'reasoning-delta', choice: 0, text: 'Let ' },
    { type: 'reasoning-delta', choice: 0, text: 'me see.' },
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'gemini', value: 'Cg==' },
      isRedacted: false,
      itemId: undefined,
    },
    words('One '),
    words('two.'),
    { type: 'text-end', choice: 0, signature: undefined },
    words('Three.'),
    { type: 'refusal-delta', choice: 0, text: ' No.' },
    finish('refusal'),
    usage,
    end,
  ];
  const { body, warnings } = geminiCodec.encodeAnswer(events, facts(false));
  assert.deepEqual(JSON.parse(body.toString()), {
    candidates: [
      {
        content: {
          parts: [
            { text: 'Let me see.', thought: true, thoughtSignature: 'Cg==' },
            { text: 'One two.' },
            { text: 'Three. No.' },
          ],
          role: 'model',
        },
        finishReason: 'SAFETY',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 10,
      candidatesTokenCount: 2,
      totalTokenCount: 17,
      cachedContentTokenCount: 4,
      thoughtsTokenCount: 5,
    },
    modelVersion: 'asked',
    responseId: 'r1',
  });
  assert.deepEqual(
    warnings.map(({ kind, field }) => `${kind} ${field}`),
    ['changed refusal'],
  );
});

test('reasons that Gemini has words for keep them, others become the nearest', () => {
  const word = (event: GenerationEvent) => /"finishReason":"(\w+)"/.exec(encode([start, event, end]).text)?.[1];
  assert.equal(word(finish('length')), 'MAX_TOKENS');
  assert.equal(word(finish('stop', 'MALFORMED_FUNCTION_CALL')), 'MALFORMED_FUNCTION_CALL');
  assert.equal(word(finish('stop', 'end_turn')), 'STOP');
  assert.equal(word(finish('pause')), 'STOP');
  assert.equal(word(finish('refusal', 'cyber')), 'SAFETY');
});

test('an answer that names nothing has an id, the model that was asked for, and counts', () => {
  const { body } = geminiCodec.encodeAnswer([end], facts(false));
  assert.deepEqual(JSON.parse(body.toString()), {
    candidates: [{ content: { parts: [], role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 0, candidatesTokenCount: 0, totalTokenCount: 0 },
    modelVersion: 'asked',
    responseId: 'gen-1',
  });
});

test('blocks of other APIs and writes to a cache have no place, and are named', () => {
  const { warnings } = encode([
    start,
    { type: 'native', choice: 0, origin: 'anthropic', name: 'server_tool_use', json: '{}' },
    { ...usage, usage: { ...usage.usage, cacheWriteTokens: 3 } },
    finish('pause'),
    end,
  ]);
  assert.deepEqual(warnings, ['lost server_tool_use', 'changed finishReason', 'lost usage.cacheWriteTokens']);
});

/** What an answer says, whatever its pieces. */
function gist(events: readonly GenerationEvent[]): unknown {
  const said: Record<string, unknown[]> = {};
  const say = (name: string, value: unknown) => (said[name] ??= []).push(value);
  for (const event of events) {
    if (event.type === 'text-delta') say(`text ${event.choice}`, event.text);
    else if (event.type === 'reasoning-delta') say('reasoning', event.text);
    else if ('signature' in event && event.type !== 'tool-call-start') {
      if (event.signature) say('signature', event.signature);
    } else if (event.type === 'tool-call-start') say('call', [event.callId, event.name, event.signature]);
    else if (event.type === 'tool-call-delta') say('arguments', event.argumentsDelta);
    else if (event.type === 'citation') say('citation', [event.url, event.title, event.quote]);
    else if (event.type === 'native') say('native', event.json);
    else if (event.type === 'finish') say('finish', [event.choice, event.reason, event.detail]);
    else if (event.type === 'usage') said['usage'] = [event.usage];
    if ('logprobs' in event && event.logprobs) say('logprobs', event.logprobs);
  }
  return Object.fromEntries(
    Object.entries(said).map(([name, all]) => [name, /^text|reasoning/.test(name) ? all.join('') : all]),
  );
}

for (const name of readdirSync(ROOT).filter((each) => each !== 'overloaded-after-content')) {
  const events = decode(readFileSync(new URL(`${name}/upstream.sse`, ROOT)));

  test(`${name}: what a client reads is what the worker said, streamed and whole`, () => {
    const said = JSON.stringify(gist(events));
    assert.equal(JSON.stringify(gist(decode(Buffer.from(encode(events).text)))), said);
    const array = geminiCodec.decodeAnswer(Buffer.from(encode(events, false).text), { newId: counter() });
    assert.equal(JSON.stringify(gist(array)), said);
    const { body } = geminiCodec.encodeAnswer(events, facts(false));
    assert.equal(JSON.stringify(gist(geminiCodec.decodeAnswer(body, { newId: counter() }))), said);
  });
}

const anyText = fc.string({ maxLength: 6 });
const choice = fc.nat(2);
const callId = fc.constantFrom('a', 'b', '');
const signature = fc.option(
  fc.record({ origin: fc.constantFrom('gemini', 'anthropic', 'openai', 'xai'), value: anyText }),
  { nil: undefined },
);
const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('start'), id: anyText, model: anyText, createdSeconds: fc.constant(undefined) }),
  fc.record({ type: fc.constant('text-delta'), choice, text: anyText, logprobs: fc.constant(undefined) }),
  fc.record({ type: fc.constant('text-end'), choice, signature }),
  fc.record({ type: fc.constant('reasoning-delta'), choice, text: anyText }),
  fc.record({
    type: fc.constant('reasoning-end'),
    choice,
    signature,
    isRedacted: fc.boolean(),
    itemId: fc.constant('rs'),
  }),
  fc.record({ type: fc.constant('refusal-delta'), choice, text: anyText }),
  fc.record({ type: fc.constant('tool-call-start'), choice, callId, name: anyText, signature }),
  fc.record({
    type: fc.constant('tool-call-delta'),
    choice,
    callId,
    argumentsDelta: fc.constantFrom('{', '}', '{}', 'x', ''),
  }),
  fc.record({ type: fc.constant('tool-call-end'), choice, callId }),
  fc.record({
    type: fc.constant('citation'),
    choice,
    url: fc.constantFrom('u', undefined),
    title: fc.constant(undefined),
    quote: fc.constantFrom('q', undefined),
    json: fc.constant('{}'),
    origin: fc.constantFrom('gemini', 'x'),
  }),
  fc.record({
    type: fc.constant('native'),
    choice,
    origin: fc.constantFrom('gemini', 'x'),
    name: anyText,
    json: fc.constantFrom('{}', 'x', '[]'),
  }),
  fc.record({
    type: fc.constant('finish'),
    choice,
    reason: fc.constantFrom('stop', 'length', 'tool_calls', 'refusal', 'content_filter', 'pause', 'context_exceeded'),
    stopSequence: fc.constant(undefined),
    detail: fc.constantFrom(undefined, 'SAFETY', 'x'),
  }),
  fc.constant(usage),
  fc.constantFrom({ type: 'heartbeat' }, end),
) as fc.Arbitrary<GenerationEvent>;

test('events in any order make a stream that is well formed, and never a fault', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), fc.boolean(), (events, breaks) => {
      const error = breaks ? new GatewayError('upstream_broken', 'x') : undefined;
      const complete = breaks ? events.filter(({ type }) => type !== 'end') : [...events, end];
      for (const { data } of eventsOf(encode(complete, true, error).text)) JSON.parse(data);
      assert.ok(Array.isArray(JSON.parse(encode(complete, false, error).text)));
      JSON.parse(geminiCodec.encodeAnswer(complete, facts(false)).body.toString());
    }),
    { numRuns: 1_000 },
  );
});

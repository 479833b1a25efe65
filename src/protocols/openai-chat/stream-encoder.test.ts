/** Answers for chat clients: streams and whole ones, from any events in any order. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentOf, countedIds, plainEvents } from '../../../test/support/answer-events.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { FinishReason, GenerationEvent, GenerationUsage } from '../../domain/generation-event.ts';
import type { GenerationRequest, TranslationWarning } from '../../domain/generation.ts';
import type { AnswerFacts } from '../hub/codec.ts';
import { SseFramer, readFrame } from '../sse.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { createDecoder } from './stream-decoder.ts';
import { createEncoder } from './stream-encoder.ts';

const ROOT = new URL('fixtures/', import.meta.url);

function requestOf(members: object = {}): GenerationRequest {
  const body = { messages: [], stream_options: { include_usage: true }, ...members };
  const facts = { model: 'asked', isStream: true, headers: {} };
  return decodeRequest(Buffer.from(JSON.stringify(body)), facts).request;
}

function factsOf(request = requestOf()): AnswerFacts {
  return { model: 'asked', createdSeconds: 9, newId: countedIds(), request, isEventStream: true };
}

interface Encoded {
  readonly text: string;
  readonly warnings: readonly TranslationWarning[];
}

function encode(events: readonly GenerationEvent[], facts = factsOf()): Encoded {
  const encoder = createEncoder(facts);
  const parts: Buffer[] = [];
  const emit = (part: Buffer) => parts.push(part);
  for (const event of events) encoder.push(event, emit);
  encoder.end(emit);
  return { text: Buffer.concat(parts).toString(), warnings: encoder.warnings };
}

function decode(bytes: Buffer): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => events.push(event);
  const decoder = createDecoder({ newId: countedIds() });
  decoder.push(bytes, emit);
  decoder.end(emit);
  return events;
}

/** The data of the frames, parsed where it is JSON; comments are left out. */
function chunksOf(text: string): unknown[] {
  const chunks: unknown[] = [];
  const framer = new SseFramer();
  framer.push(Buffer.from(text), (frame) => {
    const { data } = readFrame(frame);
    if (data !== undefined) chunks.push(data === '[DONE]' ? data : JSON.parse(data));
  });
  assert.equal(framer.takeRest().length, 0, 'only whole frames');
  return chunks;
}

const START: GenerationEvent = { type: 'start', id: 'id', model: 'theirs', createdSeconds: 5 };
const END: GenerationEvent = { type: 'end' };

function text(value: string): GenerationEvent {
  return { type: 'text-delta', choice: 0, text: value, logprobs: undefined };
}

function finish(reason: FinishReason, stopSequence?: string, detail?: string): GenerationEvent {
  return { type: 'finish', choice: 0, reason, stopSequence, detail };
}

for (const name of readdirSync(ROOT)) {
  const said = decode(readFileSync(new URL(`${name}/upstream.sse`, ROOT)));
  const isWhole = said.at(-1)?.type === 'end';

  test(`${name}: what is written reads as what was said`, () => {
    const { text: written, warnings } = encode(said);
    assert.deepEqual(warnings, []);
    const known = said.some(({ type }) => type === 'usage');
    const read = decode(Buffer.from(written)).filter(({ type }) => known || type !== 'usage');
    assert.deepEqual(plainEvents(Object.values(contentOf(read)).flat()), expectedOf(said));
  });

  if (!isWhole) continue;
  test(`${name}: the whole answer reads as what was said`, () => {
    const { body, warnings } = encodeAnswer(said, factsOf());
    assert.deepEqual(warnings, []);
    const known = said.some(({ type }) => type === 'usage');
    const read = decodeAnswer(body, { newId: countedIds() }).filter(({ type }) => known || type !== 'usage');
    assert.deepEqual(plainEvents(Object.values(contentOf(read)).flat()), expectedOf(said));
  });
}

/** The model is told as the client named it, and an error by its own code. */
function expectedOf(said: readonly GenerationEvent[]): unknown {
  const renamed = said.map((event): GenerationEvent => (event.type === 'start' ? { ...event, model: 'asked' } : event));
  return plainEvents(Object.values(contentOf(renamed)).flat());
}

test('a stream has the form of OpenAI, byte by byte', () => {
  const usage: GenerationUsage = {
    inputTokens: 7,
    outputTokens: 5,
    cachedInputTokens: 3,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 2,
  };
  const { text: written } = encode([
    START,
    { type: 'reasoning-delta', choice: 0, text: 'Hm' },
    { type: 'reasoning-end', choice: 0, signature: undefined, isRedacted: false, itemId: undefined },
    text('Hé'),
    { type: 'heartbeat' },
    { type: 'tool-call-start', choice: 0, callId: 'c1', name: 'f', signature: undefined },
    { type: 'tool-call-delta', choice: 0, callId: 'c1', argumentsDelta: '{"a": 1.0}' },
    { type: 'tool-call-end', choice: 0, callId: 'c1' },
    { type: 'tool-call-start', choice: 0, callId: 'c2', name: 'g', signature: undefined },
    { type: 'tool-call-end', choice: 0, callId: 'c2' },
    finish('tool_calls'),
    { type: 'usage', usage },
    END,
  ]);
  const told = {
    prompt_tokens: 7,
    completion_tokens: 5,
    total_tokens: 12,
    prompt_tokens_details: { cached_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 2 },
  };
  const callPiece = (index: number, members: object) => ({ tool_calls: [{ index, ...members }] });
  const opened = (id: string, name: string) => ({ id, type: 'function', function: { name, arguments: '' } });
  const expected = [
    chunkText({ role: 'assistant', content: '' }),
    chunkText({ reasoning_content: 'Hm' }),
    chunkText({ content: 'Hé' }),
    ': ping\n\n',
    chunkText(callPiece(0, opened('c1', 'f'))),
    chunkText(callPiece(0, { function: { arguments: '{"a": 1.0}' } })),
    chunkText(callPiece(1, opened('c2', 'g'))),
    chunkText(callPiece(1, { function: { arguments: '{}' } })),
    chunkText({}, 'tool_calls'),
    frameText([], told),
    'data: [DONE]\n\n',
  ];
  assert.equal(written, expected.join(''));
});

function frameText(choices: readonly unknown[], usage: unknown): string {
  const chunk = { id: 'id', object: 'chat.completion.chunk', created: 5, model: 'asked', choices, usage };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function chunkText(delta: unknown, reason: string | null = null): string {
  return frameText([{ index: 0, delta, logprobs: null, finish_reason: reason }], null);
}

test('usage is left out when the client did not ask for it', () => {
  const events: GenerationEvent[] = [START, text('x'), finish('stop'), { type: 'usage', usage: usageOf(3) }, END];
  const { text: written } = encode(events, factsOf(requestOf({ stream_options: undefined })));
  assert.ok(!written.includes('usage'));
  assert.ok(written.endsWith('data: [DONE]\n\n'));
});

function usageOf(outputTokens: number): GenerationUsage {
  return {
    inputTokens: 1,
    outputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 0,
  };
}

test('usage that the client asked for is there even when the worker told none', () => {
  const chunks = chunksOf(encode([START, text('x'), finish('stop'), END]).text);
  const last = chunks.at(-2) as { choices: unknown[]; usage: { total_tokens: number } };
  assert.deepEqual([last.choices, last.usage.total_tokens], [[], 0]);
});

test('only the last usage counts', () => {
  const events: GenerationEvent[] = [
    START,
    { type: 'usage', usage: usageOf(1) },
    text('x'),
    finish('stop'),
    { type: 'usage', usage: usageOf(4) },
    END,
  ];
  const last = chunksOf(encode(events).text).at(-2) as { usage: { completion_tokens: number } };
  assert.equal(last.usage.completion_tokens, 4);
});

test('an error in the middle ends the stream without a reason and without the terminator', () => {
  const { text: written } = encode([
    START,
    text('x'),
    { type: 'error', error: new GatewayError('upstream_broken', 'Gone.') },
    END,
  ]);
  const last = chunksOf(written).at(-1) as { error: { message: string; code: string } };
  assert.deepEqual([last.error.message, last.error.code], ['Gone.', 'upstream_broken']);
  assert.ok(!written.includes('[DONE]') && !written.includes('"finish_reason":"stop"'));
});

test('a stream that never said that it is complete gets no terminator', () => {
  assert.ok(!encode([START, text('x')]).text.includes('[DONE]'));
});

test('a heartbeat is a comment, not a chunk', () => {
  assert.equal(encode([{ type: 'heartbeat' }]).text, ': ping\n\n');
});

test('a call without arguments has an empty object for them, and its index goes on counting', () => {
  const events: GenerationEvent[] = ['a', 'b'].map((callId) => ({
    type: 'tool-call-start',
    choice: 0,
    callId,
    name: 'f',
    signature: undefined,
  }));
  const { text: written } = encode([START, ...events, finish('tool_calls'), END]);
  const calls = decode(Buffer.from(written)).flatMap((event) =>
    event.type === 'tool-call-delta' ? [`${event.callId} ${event.argumentsDelta}`] : [],
  );
  assert.deepEqual(calls, ['a {}', 'b {}']);
});

for (const [reason, expected] of [
  ['stop', { finish_reason: 'stop' }],
  ['stop_sequence', { finish_reason: 'stop', stop_reason: '###', matched_stop: '###' }],
  ['length', { finish_reason: 'length' }],
  ['tool_calls', { finish_reason: 'tool_calls' }],
  ['refusal', { finish_reason: 'content_filter', native_finish_reason: 'refusal' }],
  ['content_filter', { finish_reason: 'content_filter' }],
  ['pause', { finish_reason: 'stop', native_finish_reason: 'pause_turn' }],
  ['context_exceeded', { finish_reason: 'length', native_finish_reason: 'model_context_window_exceeded' }],
] as const)
  test(`the end by ${reason} is told as ${expected.finish_reason}, and comes back as what it was`, () => {
    const said = finish(reason, reason === 'stop_sequence' ? '###' : undefined);
    const call: GenerationEvent[] =
      reason === 'tool_calls'
        ? [{ type: 'tool-call-start', choice: 0, callId: 'c', name: 'f', signature: undefined }]
        : [];
    const { text: written } = encode([START, text('x'), ...call, said, END]);
    const chunk = chunksOf(written).at(-3) as { choices: Record<string, unknown>[] };
    const { index: _index, delta: _delta, logprobs: _logprobs, ...told } = chunk.choices[0] ?? {};
    assert.deepEqual(told, expected);
    assert.deepEqual(
      plainEvents(decode(Buffer.from(written)).filter(({ type }) => type === 'finish')),
      plainEvents([said]),
    );
  });

test('a refusal of its own field ends with stop, as OpenAI does it', () => {
  const { text: written } = encode([START, { type: 'refusal-delta', choice: 0, text: 'No.' }, finish('refusal'), END]);
  assert.ok(written.includes('"delta":{"refusal":"No."}') && written.includes('"finish_reason":"stop"'));
});

test('why a filter cut the answer is told in the word of its provider', () => {
  assert.ok(
    encode([START, finish('content_filter', undefined, 'SAFETY'), END]).text.includes(
      '"native_finish_reason":"SAFETY"',
    ),
  );
});

/** What a client that keeps the message sends back, read as a request. */
function replayed(events: readonly GenerationEvent[]): unknown {
  const { body } = encodeAnswer(events, factsOf());
  const { choices } = JSON.parse(body.toString()) as { choices: { message: object }[] };
  return decodeRequest(Buffer.from(JSON.stringify({ messages: [choices[0]?.message] })), {
    model: 'm',
    isStream: false,
    headers: {},
  }).request.turns[0]?.parts.filter(({ type }) => type === 'reasoning' || type === 'tool_call');
}

test('signed thoughts come back from a client that keeps the message, byte for byte and in order', () => {
  const thought = (value: string, members: object = {}) => ({
    type: 'reasoning-end' as const,
    choice: 0,
    signature: { origin: 'anthropic', value } as const,
    isRedacted: false,
    itemId: undefined,
    ...members,
  });
  const parts = replayed([
    START,
    { type: 'reasoning-delta', choice: 0, text: 'One ' },
    { type: 'reasoning-delta', choice: 0, text: 'thing ✂' },
    thought('Sig+/1=='),
    thought('Redacted==', { isRedacted: true }),
    thought('OmittedText=='),
    { type: 'reasoning-delta', choice: 0, text: 'OpenAI says' },
    thought('', { signature: { origin: 'openai', value: 'gAAAA' }, itemId: 'rs_1' }),
    thought('', { signature: { origin: 'xai', value: 'xxx' }, itemId: 'rs_2' }),
    { type: 'tool-call-start', choice: 0, callId: 'c1', name: 'f', signature: { origin: 'gemini', value: 'Gem==' } },
    { type: 'tool-call-delta', choice: 0, callId: 'c1', argumentsDelta: '{}' },
    finish('tool_calls'),
    END,
  ]);
  const part = (members: object) => ({ type: 'reasoning', isRedacted: false, itemId: undefined, ...members });
  assert.deepEqual(parts, [
    part({ text: 'One thing ✂', signature: { origin: 'anthropic', value: 'Sig+/1==' } }),
    part({ text: '', signature: { origin: 'anthropic', value: 'Redacted==' }, isRedacted: true }),
    part({ text: '', signature: { origin: 'anthropic', value: 'OmittedText==' } }),
    part({ text: 'OpenAI says', signature: { origin: 'openai', value: 'gAAAA' }, itemId: 'rs_1' }),
    part({ text: '', signature: { origin: 'xai', value: 'xxx' }, itemId: 'rs_2' }),
    {
      type: 'tool_call',
      callId: 'c1',
      name: 'f',
      argumentsText: '{}',
      signature: { origin: 'gemini', value: 'Gem==' },
      cache: undefined,
    },
  ]);
});

test('the stream carries the same signatures as the whole answer', () => {
  const events: GenerationEvent[] = [
    START,
    { type: 'reasoning-delta', choice: 0, text: 'Hm' },
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'anthropic', value: 'S==' },
      isRedacted: false,
      itemId: undefined,
    },
    text('x'),
    finish('stop'),
    END,
  ];
  const ends = decode(Buffer.from(encode(events).text)).filter(({ type }) => type === 'reasoning-end');
  // The plain text came first, so that clients without the list see it; the list has it again.
  assert.deepEqual(
    plainEvents(ends.at(-1) ? [ends.at(-1) as GenerationEvent] : []),
    plainEvents([events[2] as GenerationEvent]),
  );
});

test('a client that asked not to see thoughts sees none', () => {
  const facts = () => factsOf(requestOf({ reasoning: { exclude: true } }));
  const events: GenerationEvent[] = [
    START,
    { type: 'reasoning-delta', choice: 0, text: 'secret' },
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'anthropic', value: 'S==' },
      isRedacted: false,
      itemId: undefined,
    },
    text('x'),
    finish('stop'),
    END,
  ];
  assert.ok(!/secret|S==|reasoning_c|reasoning_d/.test(encode(events, facts()).text));
  assert.ok(!/secret|S==|reasoning_c|reasoning_d/.test(encodeAnswer(events, facts()).body.toString()));
});

test('a citation with a URL is an annotation where it stands, one without is told as lost', () => {
  const cite = (url: string | undefined): GenerationEvent => ({
    type: 'citation',
    choice: 0,
    url,
    title: 'T',
    quote: 'q',
    json: '{}',
    origin: 'anthropic-messages',
  });
  const { text: written, warnings } = encode([
    START,
    text('abcd'),
    cite('https://x.example'),
    cite(undefined),
    finish('stop'),
    END,
  ]);
  const cited = { start_index: 0, end_index: 4, url: 'https://x.example', title: 'T', content: 'q' };
  assert.ok(written.includes(JSON.stringify({ annotations: [{ type: 'url_citation', url_citation: cited }] })));
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ['citation'],
  );
});

test('a block of another API is told as lost', () => {
  const native: GenerationEvent = {
    type: 'native',
    choice: 0,
    origin: 'anthropic-messages',
    name: 'server_tool_use',
    json: '{}',
  };
  assert.deepEqual(
    encode([START, native, finish('stop'), END]).warnings.map(({ kind, field }) => [kind, field]),
    [['lost', 'server_tool_use']],
  );
});

test('a custom tool call, a picture and sound come back as they were', () => {
  const native = (name: string, json: string): GenerationEvent => ({
    type: 'native',
    choice: 0,
    origin: 'openai-chat',
    name,
    json,
  });
  const natives = [
    native('image', '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}'),
    native('custom_tool_call', '{"id":"x","type":"custom","custom":{"name":"sh","input":"ls"}}'),
    native('audio', '{"id":"a","data":"AABB","transcript":"Hello"}'),
  ];
  const events = [START, ...natives, finish('tool_calls'), END];
  for (const read of [
    decode(Buffer.from(encode(events).text)),
    decodeAnswer(encodeAnswer(events, factsOf()).body, { newId: countedIds() }),
  ])
    assert.deepEqual(
      new Set(read.flatMap((event) => (event.type === 'native' ? [event.json] : []))),
      new Set(natives.flatMap((event) => (event.type === 'native' ? [event.json] : []))),
    );
});

test('an answer without an id gets one of ours', () => {
  assert.ok(encode([text('x'), END]).text.includes('"id":"chatcmpl-1"'));
  assert.ok(
    encodeAnswer([text('x'), END], factsOf())
      .body.toString()
      .includes('"id":"chatcmpl-1"'),
  );
});

test('an answer in which nothing was said still has a choice', () => {
  const { choices } = JSON.parse(encodeAnswer([START, END], factsOf()).body.toString()) as { choices: unknown[] };
  assert.deepEqual(choices, [
    { index: 0, message: { role: 'assistant', content: null, refusal: null }, logprobs: null, finish_reason: 'stop' },
  ]);
});

const word = fc.constantFrom('', 'a', '{"x":1}', '€ 😀', '"\\\n', '{}');
const choice = fc.nat(2);
const callId = fc.constantFrom('c1', 'c2', 'c3');
const signature = fc.option(
  fc.record({ origin: fc.constantFrom('anthropic', 'gemini', 'openai', 'xai'), value: fc.constantFrom('s', 'T==') }),
  { nil: undefined },
);
const reasons: readonly FinishReason[] = ['stop', 'stop_sequence', 'length', 'tool_calls', 'refusal', 'pause'];
/** Any event, of this API or of another one. */
const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('start'), id: word, model: word, createdSeconds: fc.constant(undefined) }),
  fc.record({ type: fc.constant('text-delta'), choice, text: word, logprobs: fc.constant(undefined) }),
  fc.record({ type: fc.constant('text-end'), choice, signature }),
  fc.record({ type: fc.constant('reasoning-delta'), choice, text: word }),
  fc.record({
    type: fc.constant('reasoning-end'),
    choice,
    signature,
    isRedacted: fc.boolean(),
    itemId: fc.option(word, { nil: undefined }),
  }),
  fc.record({ type: fc.constant('refusal-delta'), choice, text: word }),
  fc.record({ type: fc.constant('tool-call-start'), choice, callId, name: word, signature }),
  fc.record({ type: fc.constant('tool-call-delta'), choice, callId, argumentsDelta: word }),
  fc.record({ type: fc.constant('tool-call-end'), choice, callId }),
  fc.record({
    type: fc.constant('citation'),
    choice,
    url: fc.option(word, { nil: undefined }),
    title: word,
    quote: word,
    json: fc.constant('{"type":"url_citation"}'),
    origin: fc.constantFrom('openai-chat', 'gemini'),
  }),
  fc.record({
    type: fc.constant('native'),
    choice,
    origin: fc.constantFrom('openai-chat', 'gemini'),
    name: fc.constantFrom('image', 'audio', 'custom_tool_call', 'other'),
    json: fc.constant('{"id":"n"}'),
  }),
  fc.record({
    type: fc.constant('finish'),
    choice,
    reason: fc.constantFrom(...reasons),
    stopSequence: fc.constant(undefined),
    detail: fc.constant(undefined),
  }),
  fc.record({ type: fc.constant('usage'), usage: fc.constant(usageOf(2)) }),
  fc.record({ type: fc.constant('heartbeat') }),
  fc.record({ type: fc.constant('end') }),
) as fc.Arbitrary<GenerationEvent>;

test('events in any order make a stream that every client can read', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 25 }), (events) => {
      const chunks = chunksOf(encode(events).text);
      checkStream(
        chunks,
        events.some(({ type }) => type === 'end'),
      );
      JSON.parse(encodeAnswer(events, factsOf()).body.toString());
    }),
    { numRuns: 1_000 },
  );
});

interface Chunk {
  readonly choices: { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
}

/** A role first, one reason at the end, calls that begin before they go on and count up, a terminator at the end only. */
function checkStream(chunks: readonly unknown[], isComplete: boolean): void {
  const roles = new Set<number>();
  const finished = new Set<number>();
  const calls = new Map<number, number>();
  chunks.forEach((chunk, at) => {
    if (chunk === '[DONE]') return assert.equal(at, chunks.length - 1);
    for (const { index, delta, finish_reason } of (chunk as Chunk).choices) {
      assert.ok(!finished.has(index), 'nothing behind the reason');
      assert.equal('role' in delta, !roles.has(index));
      roles.add(index);
      if (finish_reason !== null) finished.add(index);
      for (const call of (delta['tool_calls'] ?? []) as { index: number; id?: string }[]) {
        const next = calls.get(index) ?? 0;
        assert.ok(call.id === undefined ? call.index < next : call.index === next);
        calls.set(index, Math.max(next, call.index + 1));
      }
    }
  });
  assert.equal(chunks.at(-1) === '[DONE]', isComplete);
  if (isComplete) assert.deepEqual(finished, roles);
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { answerFacts, decodeStream, encodeStream, encodeWhole } from '../../../test/support/messages-codec.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { FinishReason, GenerationEvent } from '../../domain/generation-event.ts';
import { NO_USAGE } from '../../domain/generation-event.ts';
import { anthropicMessagesCodec } from './codec.ts';

const START: GenerationEvent = { type: 'start', id: 'msg_1', model: 'm', createdSeconds: undefined };
const END: GenerationEvent = { type: 'end' };

function words(text: string): GenerationEvent {
  return { type: 'text-delta', choice: 0, text, logprobs: undefined };
}

function finish(reason: FinishReason, stopSequence?: string): GenerationEvent {
  return { type: 'finish', choice: 0, reason, stopSequence, detail: undefined };
}

function opened(callId: string, signature?: { origin: 'gemini'; value: string }): GenerationEvent {
  return { type: 'tool-call-start', choice: 0, callId, name: 'f', signature };
}

function args(callId: string, argumentsDelta: string): GenerationEvent {
  return { type: 'tool-call-delta', choice: 0, callId, argumentsDelta };
}

function closed(callId: string): GenerationEvent {
  return { type: 'tool-call-end', choice: 0, callId };
}

interface Frame {
  readonly event: string;
  readonly json: Record<string, unknown>;
}

function framesOf(text: string): Frame[] {
  return eventsOf(text).map(({ event, data }) => ({
    event: event ?? '',
    json: JSON.parse(data) as Record<string, unknown>,
  }));
}

/** Each frame in short: its type, and what block or delta it is of. */
function shape(events: readonly GenerationEvent[]): string[] {
  return framesOf(encodeStream(events).text).map(({ event, json }) => {
    const inner = (json['content_block'] ?? json['delta']) as Record<string, unknown> | undefined;
    const index = json['index'] === undefined ? '' : `${String(json['index'])} `;
    return `${event} ${index}${String(inner?.['type'] ?? '')}`.trim();
  });
}

function contentOf(events: readonly GenerationEvent[]): Record<string, unknown>[] {
  return encodeWhole(events).body['content'] as Record<string, unknown>[];
}

test('blocks come one after the other in the order of the API', () => {
  const events = [START, words('Hi.'), opened('a'), args('a', '{}'), closed('a'), finish('tool_calls'), END];
  assert.deepEqual(shape(events), [
    'message_start',
    'content_block_start 0 text',
    'content_block_delta 0 text_delta',
    'content_block_stop 0',
    'content_block_start 1 tool_use',
    'content_block_delta 1 input_json_delta',
    'content_block_stop 1',
    'message_delta',
    'message_stop',
  ]);
});

test('parallel calls that interleave become blocks that do not overlap, each with its own arguments', () => {
  const events = [
    START,
    opened('a'),
    opened('b'),
    args('b', '{"b":'),
    args('a', '{"a":'),
    args('b', '2}'),
    closed('b'),
    words('And.'),
    args('a', '1}'),
    closed('a'),
    finish('tool_calls'),
    END,
  ];
  const indexes = framesOf(encodeStream(events).text).flatMap(({ json }) =>
    json['index'] === undefined ? [] : [Number(json['index'])],
  );
  assert.deepEqual(
    indexes,
    indexes.toSorted((one, other) => one - other),
  );
  assert.deepEqual(
    contentOf(events).map(({ type, input, text }) => [type, input ?? text]),
    [
      ['tool_use', { a: 1 }],
      ['tool_use', { b: 2 }],
      ['text', 'And.'],
    ],
  );
});

test('zero-argument tools: the block opens and closes, and its arguments are an empty object', () => {
  const events = [START, opened('a'), closed('a'), opened('b'), finish('tool_calls'), END];
  const pieces = framesOf(encodeStream(events).text).flatMap(
    ({ json }) => (json['delta'] as { partial_json?: string } | undefined)?.partial_json ?? [],
  );
  assert.deepEqual(pieces, ['{}', '{}']);
  assert.deepEqual(
    contentOf(events).map(({ input }) => input),
    [{}, {}],
  );
});

test('arguments go through in the pieces in which they come, whole ones with their bytes', () => {
  const text = '{"10":1.0,"2":12345678901234567890,"é":"\\u00e9"}';
  const events = [START, opened('a'), args('a', text.slice(0, 9)), args('a', text.slice(9)), closed('a'), END];
  assert.ok(encodeWhole(events).bytes.toString().includes(`"input":${text}`));
});

test('ids of calls that the API does not take are made to fit', () => {
  const [block] = contentOf([START, opened('functions.f:0'), closed('functions.f:0'), END]);
  assert.match(String(block?.['id']), /^[a-zA-Z0-9_-]+$/);
});

test('thoughts have their signature before their end; one without gets a mark that no provider takes for its own', () => {
  const thought: GenerationEvent = { type: 'reasoning-delta', choice: 0, text: 'Hm.' };
  const ended = (value?: string): GenerationEvent => ({
    type: 'reasoning-end',
    choice: 0,
    signature: value === undefined ? undefined : { origin: 'anthropic', value },
    isRedacted: false,
    itemId: undefined,
  });
  assert.deepEqual(shape([START, thought, ended('EqQB'), END]).slice(1, 5), [
    'content_block_start 0 thinking',
    'content_block_delta 0 thinking_delta',
    'content_block_delta 0 signature_delta',
    'content_block_stop 0',
  ]);
  assert.deepEqual(contentOf([START, thought, ended('EqQB'), END]), [
    { type: 'thinking', thinking: 'Hm.', signature: 'EqQB' },
  ]);
  assert.deepEqual(contentOf([START, thought, ended(), END]), [
    { type: 'thinking', thinking: 'Hm.', signature: 'smg.unsigned' },
  ]);
  assert.deepEqual(contentOf([START, ended('EqQB'), END]), [{ type: 'thinking', thinking: '', signature: 'EqQB' }]);
});

test('encrypted thoughts of another provider are carried in the place of redacted ones', () => {
  const ended: GenerationEvent = {
    type: 'reasoning-end',
    choice: 0,
    signature: { origin: 'openai', value: 'gAAA' },
    isRedacted: true,
    itemId: 'rs_1',
  };
  assert.deepEqual(contentOf([START, ended, END]), [
    { type: 'redacted_thinking', data: `smg.openai.${Buffer.from('gAAA').toString('base64')}` },
  ]);
});

test("Gemini's signatures of a call and of a text stand beside them, and come back to them", () => {
  const signature = { origin: 'gemini', value: 'Cs0B' } as const;
  const events = [
    START,
    words('I look.'),
    { type: 'text-end', choice: 0, signature } as const,
    opened('a', signature),
    args('a', '{}'),
    closed('a'),
    finish('tool_calls'),
    END,
  ];
  const { body, fields } = encodeWhole(events);
  assert.deepEqual(fields, []);
  const back = { model: 'm', messages: [{ role: 'assistant', content: body['content'] }] };
  const { request } = anthropicMessagesCodec.decodeRequest(Buffer.from(JSON.stringify(back)), {
    model: undefined,
    isStream: undefined,
    headers: {},
  });
  assert.partialDeepStrictEqual(request.turns[0]?.parts, [
    { type: 'text', signature },
    { type: 'tool_call', signature },
  ]);
});

test('stop reasons: each has its own, and calls and refusals are told by them', () => {
  const stopOf = (...events: readonly GenerationEvent[]) => {
    const { body } = encodeWhole([START, ...events, END]);
    return [body['stop_reason'], body['stop_sequence']];
  };
  const reasons: readonly FinishReason[] = [
    'stop',
    'length',
    'tool_calls',
    'refusal',
    'content_filter',
    'pause',
    'context_exceeded',
  ];
  assert.deepEqual(
    reasons.map((reason) => stopOf(finish(reason))[0]),
    ['end_turn', 'max_tokens', 'tool_use', 'refusal', 'refusal', 'pause_turn', 'model_context_window_exceeded'],
  );
  assert.deepEqual(stopOf(finish('stop_sequence', 'END')), ['stop_sequence', 'END']);
  assert.deepEqual(stopOf(finish('stop')), ['end_turn', null]);
  assert.deepEqual(stopOf(opened('a'), finish('stop')), ['tool_use', null]);
  assert.deepEqual(stopOf({ type: 'refusal-delta', choice: 0, text: 'No.' }, finish('stop')), ['refusal', null]);
  assert.deepEqual(stopOf(), ['end_turn', null]);
});

test('a refusal is text, and its category is told', () => {
  const events: GenerationEvent[] = [
    START,
    { type: 'refusal-delta', choice: 0, text: 'No.' },
    { type: 'finish', choice: 0, reason: 'content_filter', stopSequence: undefined, detail: 'SAFETY' },
    END,
  ];
  assert.partialDeepStrictEqual(encodeWhole(events).body, {
    content: [{ type: 'text', text: 'No.' }],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'SAFETY' },
  });
});

test('cached tokens are not counted twice, and the last counts count', () => {
  const usage = {
    inputTokens: 2_040,
    outputTokens: 95,
    cachedInputTokens: 2_000,
    cacheWriteTokens: 10,
    cacheWriteHourTokens: 20,
    reasoningTokens: 40,
  };
  const events: GenerationEvent[] = [
    START,
    { type: 'usage', usage: { ...NO_USAGE, inputTokens: 7 } },
    words('x'),
    finish('stop'),
    { type: 'usage', usage },
    END,
  ];
  const wire = {
    input_tokens: 10,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 2_000,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens: 95,
    output_tokens_details: { thinking_tokens: 40 },
  };
  assert.deepEqual(encodeWhole(events).body['usage'], wire);
  const frames = framesOf(encodeStream(events).text);
  assert.partialDeepStrictEqual(frames[0]?.json, {
    message: { id: 'msg_1', model: 'asked', usage: { input_tokens: 7 } },
  });
  assert.deepEqual(frames.at(-2)?.json['usage'], wire);
});

test('what misses is put in: an id, and counts of zero', () => {
  const [start, ...rest] = framesOf(encodeStream([words('x'), END]).text);
  assert.partialDeepStrictEqual(start?.json, {
    message: { id: 'msg_1', usage: { input_tokens: 0, output_tokens: 0 } },
  });
  assert.equal(rest.at(-1)?.event, 'message_stop');
});

test('a heartbeat is a ping, after the start once there is one', () => {
  assert.deepEqual(shape([{ type: 'heartbeat' }, START, { type: 'heartbeat' }, END]), [
    'ping',
    'message_start',
    'ping',
    'message_delta',
    'message_stop',
  ]);
});

test('an error ends the stream without its terminator, and nothing follows', () => {
  const error: GenerationEvent = { type: 'error', error: new GatewayError('rate_limited', 'Slow down.') };
  const { text } = encodeStream([START, words('x'), error, words('y'), END]);
  assert.ok(
    text.endsWith(
      'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}\n\n',
    ),
  );
  assert.ok(!text.includes('message_stop') && !text.includes('"y"'));
  assert.throws(() => encodeWhole([START, error]), { code: 'rate_limited' });
});

test('a stream that ends without being said to be complete has no terminator', () => {
  assert.ok(!encodeStream([START, words('x'), finish('stop')]).text.includes('message_stop'));
});

test('blocks of this API go through whole, those of others are told once each', () => {
  const search = '{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":1.0}}';
  const native = (origin: string, name: string, json: string): GenerationEvent => ({
    type: 'native',
    choice: 0,
    origin,
    name,
    json,
  });
  const events = [
    START,
    native('anthropic-messages', 'server_tool_use', search),
    native('gemini', 'executableCode', '{}'),
    native('gemini', 'executableCode', '{}'),
    END,
  ];
  const { bytes, fields } = encodeWhole(events);
  assert.ok(bytes.toString().includes(search));
  assert.deepEqual(fields, ['executableCode']);
  assert.deepEqual(shape(events).slice(1, 4), [
    'content_block_start 0 server_tool_use',
    'content_block_delta 0 input_json_delta',
    'content_block_stop 0',
  ]);
});

test('citations stand within their text; those of others name their page and bear a mark', () => {
  const citation = (origin: string, url: string | undefined): GenerationEvent => ({
    type: 'citation',
    choice: 0,
    url,
    title: 'T',
    quote: 'q',
    json: '{"type":"char_location"}',
    origin,
  });
  const { body, fields } = encodeWhole([
    START,
    words('x'),
    citation('anthropic-messages', undefined),
    citation('openai-responses', 'https://x.test/'),
    END,
  ]);
  assert.deepEqual(body['content'], [
    {
      type: 'text',
      text: 'x',
      citations: [
        { type: 'char_location' },
        {
          type: 'web_search_result_location',
          url: 'https://x.test/',
          title: 'T',
          encrypted_index: 'smg.citation',
          cited_text: 'q',
        },
      ],
    },
  ]);
  assert.deepEqual(fields, []);
  assert.deepEqual(encodeWhole([START, words('x'), citation('openai-responses', undefined), END]).fields, [
    'citations',
  ]);
});

test('answers after the first are told', () => {
  const { body, fields } = encodeWhole([
    START,
    words('x'),
    { ...words('y'), choice: 1 } as GenerationEvent,
    { ...finish('length'), choice: 1 } as GenerationEvent,
    finish('stop'),
    END,
  ]);
  assert.partialDeepStrictEqual(body, { content: [{ text: 'x' }], stop_reason: 'end_turn' });
  assert.deepEqual(fields, ['choices']);
});

test('arguments that are no object are given as text in a whole answer, and told', () => {
  const { body, fields } = encodeWhole([START, opened('a'), args('a', '{"cut":'), closed('a'), END]);
  assert.partialDeepStrictEqual(body, { content: [{ input: { arguments: '{"cut":' } }] });
  assert.deepEqual(fields, ['tool_calls']);
});

test('line ends within JSON of a block do not break the event', () => {
  const json = '{"type":"web_search_tool_result",\r\n "content":[\n]}';
  const [, start] = framesOf(
    encodeStream([START, { type: 'native', choice: 0, origin: 'anthropic-messages', name: 'x', json }, END]).text,
  );
  assert.deepEqual(start?.json['content_block'], { type: 'web_search_tool_result', content: [] });
});

test('a stream of this API that goes through the hub says the same', () => {
  const root = new URL('fixtures/', import.meta.url);
  for (const name of readdirSync(root)) {
    const events = decodeStream([readFileSync(new URL(`${name}/upstream.sse`, root))]);
    const again = decodeStream([Buffer.from(encodeStream(events).text)]);
    const said = (all: readonly GenerationEvent[]) =>
      all.filter(
        ({ type }) =>
          type.startsWith('tool-') ||
          type.startsWith('reasoning') ||
          type === 'citation' ||
          type === 'native' ||
          type === 'end',
      );
    assert.deepEqual(said(again), said(events), name);
    // An answer that fails before its first content has no start, which would have told the counts.
    if (events.at(-1)?.type !== 'end') continue;
    const counts = (all: readonly GenerationEvent[]) => all.findLast(({ type }) => type === 'usage');
    assert.deepEqual(counts(again), counts(events), name);
  }
});

const signature = fc.constantFrom(
  undefined,
  { origin: 'gemini', value: 'x' } as const,
  { origin: 'anthropic', value: 'y' } as const,
);
const choice = fc.constantFrom(0, 0, 0, 1);
const callId = fc.constantFrom('a', 'b', 'c');
const anyEvent: fc.Arbitrary<GenerationEvent> = fc.oneof(
  fc.constant(START),
  fc.record({ type: fc.constant('text-delta' as const), choice, text: fc.string(), logprobs: fc.constant(undefined) }),
  fc.record({ type: fc.constant('text-end' as const), choice, signature }),
  fc.record({ type: fc.constant('reasoning-delta' as const), choice, text: fc.string() }),
  fc.record({
    type: fc.constant('reasoning-end' as const),
    choice,
    signature,
    isRedacted: fc.boolean(),
    itemId: fc.constant(undefined),
  }),
  fc.record({ type: fc.constant('refusal-delta' as const), choice, text: fc.string() }),
  fc.record({ type: fc.constant('tool-call-start' as const), choice, callId, name: fc.constant('f'), signature }),
  fc.record({ type: fc.constant('tool-call-delta' as const), choice, callId, argumentsDelta: fc.string() }),
  fc.record({ type: fc.constant('tool-call-end' as const), choice, callId }),
  fc.record({
    type: fc.constant('native' as const),
    choice,
    origin: fc.constantFrom('anthropic-messages', 'gemini'),
    name: fc.constant('n'),
    json: fc.constantFrom('{"type":"n"}', '{"type":"n","input":{"a":1}}'),
  }),
  fc.record({
    type: fc.constant('citation' as const),
    choice,
    url: fc.constantFrom(undefined, 'https://x.test/'),
    title: fc.constant(undefined),
    quote: fc.constant(undefined),
    json: fc.constant('{}'),
    origin: fc.constantFrom('anthropic-messages', 'gemini'),
  }),
  fc.record({
    type: fc.constant('finish' as const),
    choice,
    reason: fc.constantFrom<FinishReason>('stop', 'length', 'tool_calls'),
    stopSequence: fc.constant(undefined),
    detail: fc.constant(undefined),
  }),
  fc.record({ type: fc.constant('usage' as const), usage: fc.constant({ ...NO_USAGE, outputTokens: 3 }) }),
  fc.constant<GenerationEvent>({ type: 'heartbeat' }),
);

/** Blocks with rising indexes that never overlap, deltas only within them, one start and one end. */
function checkGrammar(frames: readonly Frame[]): void {
  let open: number | undefined;
  let last = -1;
  const types = frames.map(({ event }) => event).filter((event) => event !== 'ping');
  assert.deepEqual([types[0], ...types.slice(-2)], ['message_start', 'message_delta', 'message_stop']);
  for (const { event, json } of frames) {
    assert.equal(json['type'], event);
    if (event === 'content_block_start') {
      assert.equal(open, undefined);
      assert.equal(json['index'], last + 1);
      open = last += 1;
    } else if (event === 'content_block_delta') assert.equal(json['index'], open);
    else if (event === 'content_block_stop') {
      assert.equal(json['index'], open);
      open = undefined;
    }
  }
  assert.equal(open, undefined);
}

test('any order of events makes a well-formed stream, and a whole answer with the same blocks', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const { text } = encodeStream([...events, END]);
      checkGrammar(framesOf(text));
      const starts = framesOf(text).filter(({ event }) => event === 'content_block_start');
      assert.equal(contentOf([...events, END]).length, starts.length);
    }),
    { numRuns: 500 },
  );
});

test('no text of the first answer is lost, whatever stands between', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const said = events.flatMap((event) =>
        'text' in event && event.choice === 0 && event.type !== 'reasoning-delta' && event.text !== ''
          ? [event.text]
          : [],
      );
      const read = contentOf([...events, END]).map(({ type, text }) => (type === 'text' ? String(text) : ''));
      assert.equal(read.join('').length, said.join('').length);
      for (const piece of said)
        assert.ok(
          read.some((block) => block.includes(piece)),
          piece,
        );
    }),
    { numRuns: 300 },
  );
});

test('what is held for interleaved calls has an end', () => {
  const encoder = anthropicMessagesCodec.createEncoder(answerFacts());
  const frames: Buffer[] = [];
  const push = (event: GenerationEvent): void => encoder.push(event, (frame) => frames.push(frame));
  push(opened('a'));
  push(opened('b'));
  const piece = 'x'.repeat(1024 * 1024);
  for (let round = 0; round < 40; round += 1) push(args('b', piece));
  push(END);
  assert.match(frames.at(-1)?.toString() ?? '', /^event: error/);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { AnswerFacts } from '../hub/codec.ts';
import { responsesCodec } from './codec.ts';

interface Wire {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly item?: Record<string, unknown>;
  readonly response?: Record<string, unknown> & { output: Record<string, unknown>[] };
  readonly [name: string]: unknown;
}

const NO_RESPONSE: Record<string, unknown> = {};

const REQUEST = { model: 'claude', instructions: 'Be brief.', input: 'Hi', temperature: 0.5, metadata: { a: 'b' } };

function factsOf(request: object = REQUEST): AnswerFacts {
  let count = 0;
  return {
    model: 'claude',
    createdSeconds: 1_754_000_000,
    newId: (prefix) => `${prefix}${(count += 1)}`,
    request: responsesCodec.decodeRequest(Buffer.from(JSON.stringify(request)), {
      model: undefined,
      isStream: undefined,
      headers: {},
    }).request,
    isEventStream: true,
  };
}

function encode(events: readonly GenerationEvent[], request?: object) {
  const encoder = responsesCodec.createEncoder(factsOf(request));
  const chunks: Buffer[] = [];
  for (const event of events) encoder.push(event, (bytes) => void chunks.push(bytes));
  encoder.end((bytes) => void chunks.push(bytes));
  const text = Buffer.concat(chunks).toString();
  const frames = eventsOf(text);
  const wire = frames.map(({ data }) => JSON.parse(data) as Wire);
  assert.deepEqual(
    frames.map(({ event }) => event),
    wire.map(({ type }) => type),
  );
  return { text, wire, warnings: encoder.warnings, encoder };
}

const start: GenerationEvent = { type: 'start', id: 'msg_01', model: 'claude-x', createdSeconds: undefined };
const end: GenerationEvent = { type: 'end' };
const text = (value: string): GenerationEvent => ({ type: 'text-delta', choice: 0, text: value, logprobs: undefined });
const textEnd: GenerationEvent = { type: 'text-end', choice: 0, signature: undefined };
const thought = (value: string): GenerationEvent => ({ type: 'reasoning-delta', choice: 0, text: value });
const callStart = (callId: string, name = 'f'): GenerationEvent => ({
  type: 'tool-call-start',
  choice: 0,
  callId,
  name,
  signature: undefined,
});
const callDelta = (callId: string, argumentsDelta: string): GenerationEvent => ({
  type: 'tool-call-delta',
  choice: 0,
  callId,
  argumentsDelta,
});
const callEnd = (callId: string): GenerationEvent => ({ type: 'tool-call-end', choice: 0, callId });
const finish = (
  reason: 'stop' | 'length' | 'refusal' | 'content_filter' | 'pause' | 'tool_calls',
): GenerationEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  stopSequence: undefined,
  detail: undefined,
});

/** What any client of this API takes for granted. */
function assertWellFormed(wire: readonly Wire[]): void {
  wire.forEach(({ sequence_number: number }, index) => assert.equal(number, index));
  let open: Wire | undefined;
  const done: unknown[] = [];
  for (const event of wire) {
    if (event.type === 'response.output_item.added') {
      assert.equal(open, undefined, 'items overlap');
      assert.equal(event.output_index, done.length);
      open = event;
    } else if (event.type === 'response.output_item.done') {
      assert.equal(event.output_index, open?.output_index);
      assert.equal(event.item?.['id'], open?.item?.['id']);
      done.push(event.item);
      open = undefined;
    } else if (event.output_index !== undefined) {
      assert.equal(event.output_index, open?.output_index, event.type);
      assert.equal(event.item_id, open?.item?.['id'], event.type);
    }
  }
  const last = wire.at(-1);
  if (last?.type === 'response.completed' || last?.type === 'response.incomplete')
    assert.deepEqual(last.response?.output, done);
  for (const [added, ended] of [
    ['content_part.added', 'content_part.done'],
    ['reasoning_summary_part.added', 'reasoning_summary_part.done'],
  ]) {
    if (last?.type === 'response.failed') continue;
    const count = (type: string) => wire.filter((each) => each.type === `response.${type}`).length;
    assert.equal(count(added ?? ''), count(ended ?? ''));
  }
}

test('a text is told with every event that the API has for it, in its order', () => {
  const { wire } = encode([start, text('Hel'), text('lo'), textEnd, finish('stop'), end]);
  assertWellFormed(wire);
  assert.deepEqual(
    wire.map(({ type }) => type.replace('response.', '')),
    [
      ...[
        'created',
        'in_progress',
        'output_item.added',
        'content_part.added',
        'output_text.delta',
        'output_text.delta',
      ],
      ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
    ],
  );
  assert.deepEqual(wire.at(-1)?.response?.output, [
    {
      id: 'msg_2',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', annotations: [], logprobs: [], text: 'Hello' }],
    },
  ]);
});

test('the response repeats the request, and has an id of its own and the usage', () => {
  const usage = {
    inputTokens: 20,
    outputTokens: 9,
    cachedInputTokens: 7,
    cacheWriteTokens: 2,
    cacheWriteHourTokens: 1,
    reasoningTokens: 4,
  };
  const tools = [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: true }];
  const request = { ...REQUEST, tools, tool_choice: 'required', max_output_tokens: 99, truncation: 'auto' };
  const { wire } = encode([start, text('a'), finish('stop'), { type: 'usage', usage }, end], request);
  const { id, instructions, temperature, metadata, tool_choice, max_output_tokens, model, truncation, ...rest } =
    wire.at(-1)?.response ?? NO_RESPONSE;
  assert.deepEqual(
    [id, instructions, temperature, metadata, tool_choice, max_output_tokens, model, truncation],
    ['resp_1', 'Be brief.', 0.5, { a: 'b' }, 'required', 99, 'claude', 'auto'],
  );
  assert.deepEqual(rest['tools'], tools);
  assert.deepEqual(rest['usage'], {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 7, cache_write_tokens: 3 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 4 },
    total_tokens: 29,
  });
  assert.equal('output_text' in rest, false);
});

test('a worker that tells no usage leaves zeros, for clients that need the object', () => {
  const usage = encode([start, end]).wire.at(-1)?.response?.['usage'];
  assert.deepEqual(
    Object.entries(usage ?? {})
      .filter(([name]) => name.endsWith('_tokens'))
      .map(([, count]) => count as number),
    [0, 0, 0],
  );
});

test('calls whose pieces interleave are written one after the other, each whole', () => {
  const { wire, warnings } = encode([
    ...[start, callStart('a'), callDelta('a', '{"x"'), callStart('b', 'g'), callDelta('b', '[1'), text('later')],
    ...[callDelta('a', ':1}'), callStart('c'), callEnd('a'), callDelta('b', ']'), callEnd('b'), callEnd('c'), end],
  ]);
  assertWellFormed(wire);
  const items = wire
    .at(-1)
    ?.response?.output.map(({ type, call_id, name, arguments: text }) => [type, call_id, name, text]);
  assert.deepEqual(items, [
    ['function_call', 'a', 'f', '{"x":1}'],
    ['function_call', 'b', 'g', '[1]'],
    ['message', undefined, undefined, undefined],
    ['function_call', 'c', 'f', '{}'],
  ]);
  assert.deepEqual(warnings, []);
});

test('calls that never end are whole when the answer ends', () => {
  const { wire } = encode([
    start,
    callStart('a'),
    callStart('b'),
    callDelta('b', '{}'),
    callDelta('a', '{"x":1}'),
    end,
  ]);
  assertWellFormed(wire);
  assert.deepEqual(
    wire.at(-1)?.response?.output.map(({ arguments: text }) => text),
    ['{"x":1}', '{}'],
  );
});

const signature = { origin: 'anthropic', value: 'EqQBCkgIARABGAIiQL+/=' } as const;

/** The items of an answer, sent back as the input of the next call. */
function sentBack(events: readonly GenerationEvent[]) {
  const { wire } = encode([start, ...events, finish('stop'), end]);
  assertWellFormed(wire);
  const body = { model: 'claude', input: wire.at(-1)?.response?.output };
  const read = responsesCodec.decodeRequest(Buffer.from(JSON.stringify(body)), {
    model: undefined,
    isStream: undefined,
    headers: {},
  });
  assert.deepEqual(read.warnings, []);
  return read.request.turns.flatMap(({ parts }) => parts);
}

const end1 = { choice: 0, itemId: undefined } as const;

test('a thought of Anthropic comes back with its text and its signature, byte for byte', () => {
  const value = 'Let me see…\n\n "é😀" \ud800?';
  const [part] = sentBack([
    thought(value.slice(0, 9)),
    thought(value.slice(9)),
    { type: 'reasoning-end', ...end1, signature, isRedacted: false },
  ]);
  assert.ok(part?.type === 'reasoning');
  assert.deepEqual([part.text, part.signature, part.isRedacted], [value, signature, false]);
});

test('a thought that came encrypted whole comes back as one, and one without shown text as one without', () => {
  const parts = sentBack([
    { type: 'reasoning-end', ...end1, signature, isRedacted: true },
    { type: 'reasoning-end', ...end1, signature, isRedacted: false },
  ]);
  assert.deepEqual(
    parts.map((part) => part.type === 'reasoning' && [part.text, part.signature, part.isRedacted]),
    [
      ['', signature, true],
      ['', signature, false],
    ],
  );
});

test('Gemini’s signatures of calls and of text come back where they were', () => {
  const sign = (value: string) => ({ origin: 'gemini', value }) as const;
  const parts = sentBack([
    text('Hi'),
    { type: 'text-end', choice: 0, signature: sign('dGV4dA==') },
    { type: 'tool-call-start', choice: 0, callId: 'a', name: 'f', signature: sign('Y2FsbA==') },
    callEnd('a'),
    callStart('b'),
    callEnd('b'),
  ]);
  assert.deepEqual(
    parts.map((part) => [part.type, 'signature' in part ? part.signature : undefined]),
    [
      ['text', sign('dGV4dA==')],
      ['tool_call', sign('Y2FsbA==')],
      ['tool_call', undefined],
    ],
  );
});

test('an encrypted thought of OpenAI itself comes back with the id that it belongs to', () => {
  const own = { origin: 'openai', value: 'rs_9:gAAAAABo' } as const;
  const [part] = sentBack([thought('hm'), { type: 'reasoning-end', ...end1, signature: own, isRedacted: false }]);
  assert.deepEqual(part?.type === 'reasoning' && part.signature, own);
});

test('a thought without a signature is shown and has none', () => {
  const { wire } = encode([start, thought('hm'), text('Hi'), end]);
  const [item] = wire.at(-1)?.response?.output ?? [];
  assert.deepEqual(item, { id: 'rs_2', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] });
});

test('why it finished becomes the status of the response', () => {
  const status = (...events: GenerationEvent[]) => {
    const last = encode([start, ...events, end]).wire.at(-1);
    assert.equal(last?.type, `response.${String(last?.response?.['status'])}`);
    return [last?.response?.['status'], last?.response?.['incomplete_details']];
  };
  assert.deepEqual(status(text('a'), finish('stop')), ['completed', null]);
  assert.deepEqual(status(callStart('a'), finish('tool_calls')), ['completed', null]);
  assert.deepEqual(status(text('a'), finish('length')), ['incomplete', { reason: 'max_output_tokens' }]);
  assert.deepEqual(status(finish('content_filter')), ['incomplete', { reason: 'content_filter' }]);
  assert.deepEqual(status(finish('refusal')), ['incomplete', { reason: 'content_filter' }]);
  const refusal: GenerationEvent = { type: 'refusal-delta', choice: 0, text: 'No.' };
  assert.deepEqual(status(refusal, finish('refusal')), ['completed', null]);
});

test('the item at which the limit was reached is incomplete', () => {
  const { wire } = encode([start, thought('a'), text('b'), finish('length'), end]);
  assert.deepEqual(
    wire.at(-1)?.response?.output.map(({ status }) => status),
    [undefined, 'incomplete'],
  );
});

test('citations of web pages are annotations of the text before them, others are reported', () => {
  const citation = {
    type: 'citation',
    choice: 0,
    title: 'T',
    quote: undefined,
    json: '{}',
    origin: 'anthropic-messages',
  } as const;
  const { wire, warnings } = encode([
    ...[start, text('See'), { ...citation, url: 'https://example.com/' }, textEnd, text(' this'), textEnd],
    { ...citation, url: undefined },
    end,
  ]);
  assertWellFormed(wire);
  const [message] = wire.at(-1)?.response?.output ?? [];
  const parts = message?.['content'] as { text: string; annotations: unknown[] }[];
  assert.deepEqual(
    parts.map(({ text, annotations }) => [text, annotations.length]),
    [
      ['See', 1],
      [' this', 0],
    ],
  );
  assert.deepEqual(parts[0]?.annotations, [
    { type: 'url_citation', start_index: 0, end_index: 3, title: 'T', url: 'https://example.com/' },
  ]);
  assert.deepEqual(
    warnings.map(({ kind, field }) => [kind, field]),
    [['lost', 'citations']],
  );
});

test('log probabilities are in the deltas and in the whole text', () => {
  const logprobs = [
    { token: 'é', logprob: -0.5, bytes: [195, 169], top: [{ token: 'e', logprob: -2, bytes: undefined }] },
  ];
  const { wire } = encode([start, { type: 'text-delta', choice: 0, text: 'é', logprobs }, end]);
  const told = [
    {
      token: 'é',
      logprob: -0.5,
      bytes: [195, 169],
      top_logprobs: [{ token: 'e', logprob: -2, bytes: null }],
    },
  ];
  assert.deepEqual(wire.find(({ type }) => type === 'response.output_text.delta')?.['logprobs'], told);
  const content = wire.at(-1)?.response?.output[0]?.['content'] as { logprobs: unknown }[];
  assert.deepEqual(content[0]?.logprobs, told);
});

test('what the API cannot tell is reported once', () => {
  const native: GenerationEvent = { type: 'native', choice: 0, origin: 'gemini', name: 'executableCode', json: '{}' };
  const { warnings } = encode([
    ...[start, native, native, { ...text('x'), choice: 1 } as GenerationEvent, callDelta('nobody', '{}')],
    { ...finish('pause'), stopSequence: 'END' } as GenerationEvent,
    end,
  ]);
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ['output.executableCode', 'choices', 'tool_calls', 'stop_sequence', 'pause_turn'],
  );
});

test('a heartbeat is a comment, before the answer and within it', () => {
  const { text: bytes, wire } = encode([{ type: 'heartbeat' }, start, { type: 'heartbeat' }]);
  assert.ok(bytes.startsWith(': ping\n\n'));
  assert.deepEqual(
    wire.map(({ type }) => type),
    ['response.created', 'response.in_progress'],
  );
});

test('a stream that breaks ends as the API ends one, numbered on, with what was whole', () => {
  const { wire, encoder } = encode([start, text('a'), callStart('c'), callDelta('c', '{"x')]);
  const tail = eventsOf(encoder.encodeError(new GatewayError('upstream_broken', 'Worker w1 broke off.')).toString());
  const all = [...wire, ...tail.map(({ data }) => JSON.parse(data) as Wire)];
  assertWellFormed(all);
  assert.deepEqual(
    tail.map(({ event }) => event),
    ['error', 'response.failed'],
  );
  const { status, error, output } = all.at(-1)?.response ?? { output: [] };
  assert.deepEqual(
    [status, error, output.length],
    ['failed', { code: 'upstream_broken', message: 'Worker w1 broke off.' }, 1],
  );
  const emitted: Buffer[] = [];
  encoder.push(text('late'), (bytes) => void emitted.push(bytes));
  assert.equal(emitted.length, 0);
});

test('an answer that is longer than anybody waits for ends in an error', () => {
  const piece = text('x'.repeat(8 * 1024 * 1024));
  const encoder = responsesCodec.createEncoder(factsOf());
  let last = '';
  for (let count = 0; count < 10; count += 1) encoder.push(piece, (bytes) => (last = bytes.toString('latin1', 0, 60)));
  assert.ok(last.startsWith('event: error'));
});

for (const name of ['text', 'incomplete', 'refusal', 'reasoning-parallel-calls', 'web-search-citations']) {
  const bytes = readFileSync(new URL(`./fixtures/${name}/upstream.sse`, import.meta.url));
  const decoded = (chunks: Iterable<Buffer>) => {
    const decoder = responsesCodec.createDecoder({ newId: (prefix) => `${prefix}x` });
    const events: GenerationEvent[] = [];
    for (const chunk of chunks) decoder.push(chunk, (event) => void events.push(event));
    decoder.end((event) => void events.push(event));
    return events;
  };

  test(`${name}: decoded and encoded, the output is the worker's own but for ids and encrypted thoughts`, () => {
    const { response } = JSON.parse(eventsOf(bytes.toString()).at(-1)?.data ?? '') as {
      response: { output: object[] };
    };
    const { wire } = encode(decoded([bytes]));
    assertWellFormed(wire);
    const bare = (items: object[]) => {
      const left = new Set(['id', 'status', 'encrypted_content']);
      const kept = (key: string, value: unknown) => (left.has(key) ? undefined : value);
      return JSON.parse(JSON.stringify(items, kept).replaceAll('"logprobs":[],', '')) as unknown;
    };
    const merged = bare(response.output) as { type: string; summary?: { text: string }[]; content?: object[] }[];
    for (const item of merged)
      if (item.summary)
        item.summary = [
          { type: 'summary_text', text: item.summary.map(({ text }) => text).join('\n\n') } as { text: string },
        ];
    const got = bare(wire.at(-1)?.response?.output ?? []);
    assert.deepEqual(got, JSON.parse(JSON.stringify(merged)));
  });

  test(`${name}: the whole answer is the response at the end of the stream`, () => {
    const events = decoded([bytes]);
    const answer = responsesCodec.encodeAnswer(events, factsOf());
    assert.deepEqual(JSON.parse(answer.body.toString()), encode(events).wire.at(-1)?.response);
  });

  test(`${name}: how the events' bytes were cut changes nothing of what is written`, () => {
    const whole = encode(decoded([bytes])).text;
    assert.equal(encode(decoded(Array.from(bytes, (byte) => Buffer.of(byte)))).text, whole);
  });
}

test('a whole answer of events without an end, or with an error, is none', () => {
  const code = (events: GenerationEvent[]) => {
    try {
      responsesCodec.encodeAnswer(events, factsOf());
    } catch (error) {
      return error instanceof GatewayError ? error.code : error;
    }
  };
  assert.equal(code([start, text('a')]), 'upstream_invalid_answer');
  assert.equal(code([{ type: 'error', error: new GatewayError('rate_limited', 'm') }]), 'rate_limited');
});

const id = fc.constantFrom('a', 'b', 'c');
const words = fc.constantFrom('', 'x', '{}', ' é');
const signatures = fc.option(fc.constant(signature), { nil: undefined });
const anyEvent: fc.Arbitrary<GenerationEvent> = fc.oneof(
  fc.constant(start),
  words.map(text),
  words.map(thought),
  signatures.map((each) => ({ type: 'text-end', choice: 0, signature: each }) as const),
  fc
    .tuple(signatures, fc.boolean())
    .map(([each, isRedacted]) => ({ type: 'reasoning-end', ...end1, signature: each, isRedacted }) as const),
  words.map((each) => ({ type: 'refusal-delta', choice: 0, text: each }) as const),
  fc.tuple(id, signatures).map(([callId, each]) => ({ ...callStart(callId), signature: each }) as GenerationEvent),
  fc.tuple(id, words).map(([callId, each]) => callDelta(callId, each)),
  id.map(callEnd),
  fc.constantFrom<GenerationEvent>(
    {
      type: 'citation',
      choice: 0,
      url: 'u',
      title: undefined,
      quote: 'q',
      json: '{"type":"x"}',
      origin: 'openai-responses',
    },
    { type: 'citation', choice: 0, url: 'u', title: undefined, quote: 'q', json: '{}', origin: 'gemini' },
    { type: 'native', choice: 0, origin: 'openai-responses', name: 'x', json: '{"type":"x","id":"n"}' },
    { type: 'native', choice: 0, origin: 'gemini', name: 'x', json: '{}' },
    { type: 'heartbeat' },
    finish('length'),
    text('y'),
  ),
);

test('events in any order never throw and give a well-formed stream', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), fc.boolean(), (events, breaks) => {
      const { wire, encoder } = encode(breaks ? events : [...events, end]);
      if (!breaks) return assertWellFormed(wire);
      const tail = eventsOf(encoder.encodeError(new GatewayError('upstream_broken', 'm')).toString());
      assertWellFormed([...wire, ...tail.map(({ data }) => JSON.parse(data) as Wire)]);
    }),
    { numRuns: 1_000 },
  );
});

test('whatever the order, no text and no thought vanishes', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const { wire } = encode([...events, end]);
      const told = events.filter((event) => 'text' in event && event.text === ' é').length;
      const seen = JSON.stringify(wire.at(-1)?.response?.output).split(' é').length - 1;
      assert.ok(seen >= told, `${seen} of ${told}`);
    }),
    { numRuns: 500 },
  );
});

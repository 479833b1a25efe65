/** Streams and whole answers of chat servers, from the files of the fixtures and in the forms that only some have. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contentOf, countedIds, plainEvents } from '../../../test/support/answer-events.ts';
import { cutsOf } from '../../../test/support/cuts.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { decodeAnswer } from './answer.ts';
import { createDecoder } from './stream-decoder.ts';

const ROOT = new URL('fixtures/', import.meta.url);

function decode(chunks: Iterable<Buffer>): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => events.push(event);
  const decoder = createDecoder({ newId: countedIds() });
  for (const chunk of chunks) decoder.push(chunk, emit);
  decoder.end(emit);
  return events;
}

for (const name of readdirSync(ROOT)) {
  const fileOf = (file: string) => new URL(`${name}/${file}`, ROOT);
  const bytes = readFileSync(fileOf('upstream.sse'));

  test(`${name}: reads as the same events for every cut`, () => {
    const expected: unknown = JSON.parse(readFileSync(fileOf('events.json'), 'utf8'));
    for (const cut of cutsOf(bytes, 3)) {
      const events = decode(cut.chunks).map((event) =>
        event.type === 'error' ? { type: 'error', code: event.error.code, message: event.error.message } : event,
      );
      assert.deepEqual(JSON.parse(JSON.stringify(events)), expected, cut.name);
    }
  });

  if (!existsSync(fileOf('answer.json'))) continue;
  test(`${name}: the whole answer says what the stream says`, () => {
    const whole = decodeAnswer(readFileSync(fileOf('answer.json')), { newId: countedIds() });
    const streamed = contentOf(decode([bytes]));
    assert.deepEqual(plainEvents(Object.values(contentOf(whole)).flat()), plainEvents(Object.values(streamed).flat()));
  });
}

interface Chunk {
  readonly delta?: object;
  readonly finish?: string;
  readonly more?: object;
}

/** Frames of one choice, ended as OpenAI ends them. */
function stream(chunks: readonly Chunk[], end = 'data: [DONE]\n\n'): GenerationEvent[] {
  const frames = chunks.map(({ delta = {}, finish = null, more = {} }) => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return `data: ${JSON.stringify({ id: 'c1', model: 'm', created: 7, choices, ...more })}\n\n`;
  });
  return decode([Buffer.from(frames.join('') + end)]);
}

/** Calls with their whole arguments, in the order in which they began; each has to end, and once. */
function callsOf(events: readonly GenerationEvent[]): string[] {
  const calls = new Map<string, string>();
  const ended = new Set<string>();
  for (const event of events) {
    if (event.type === 'tool-call-start') calls.set(event.callId, `${event.callId} ${event.name} `);
    if (event.type === 'tool-call-delta') {
      assert.ok(calls.has(event.callId) && !ended.has(event.callId));
      calls.set(event.callId, (calls.get(event.callId) ?? '') + event.argumentsDelta);
    }
    if (event.type === 'tool-call-end') {
      assert.ok(!ended.has(event.callId));
      ended.add(event.callId);
    }
  }
  assert.equal(ended.size, calls.size);
  return [...calls.values()];
}

function call(members: { index?: number; id?: string | null; name?: string; text?: unknown }): Chunk {
  const { index, id, name, text } = members;
  return { delta: { tool_calls: [{ index, id, type: 'function', function: { name, arguments: text } }] } };
}

test('calls whose servers repeat the id and the name in each piece are one call', () => {
  const pieces = ['{"a"', ':1', '}'].map((text) => call({ index: 0, id: 'x', name: 'f', text }));
  assert.deepEqual(callsOf(stream([...pieces, { finish: 'tool_calls' }])), ['x f {"a":1}']);
});

test('later pieces with a null id and an empty name go on with the call', () => {
  const chunks = [call({ index: 0, id: 'x', name: 'f', text: '' }), call({ index: 0, id: null, name: '', text: '{}' })];
  assert.deepEqual(callsOf(stream([...chunks, { finish: 'tool_calls' }])), ['x f {}']);
});

test('pieces without an index go on with the last call', () => {
  const chunks = [
    call({ id: 'x', name: 'f', text: '{"a":' }),
    call({ text: '1}' }),
    call({ id: 'y', name: 'g', text: '' }),
    call({ text: '{"b":2}' }),
  ];
  assert.deepEqual(callsOf(stream([...chunks, { finish: 'tool_calls' }])), ['x f {"a":1}', 'y g {"b":2}']);
});

test('whole calls without ids get one each, even under one index', () => {
  const chunks = [call({ index: 0, name: 'f', text: '{"a":1}' }), call({ index: 0, name: 'f', text: '{"a":2}' })];
  const events = stream([...chunks, { finish: 'stop' }]);
  assert.deepEqual(callsOf(events), ['call_1 f {"a":1}', 'call_2 f {"a":2}']);
  assert.equal(reasonOf(events), 'tool_calls');
});

test('two calls to which the server gave one id are two calls', () => {
  const chunks = [
    call({ index: 0, id: 'x', name: 'f', text: '{}' }),
    call({ index: 1, id: 'x', name: 'g', text: '{}' }),
  ];
  assert.deepEqual(callsOf(stream([...chunks, { finish: 'tool_calls' }])), ['x f {}', 'call_1 g {}']);
});

test('pieces of two calls that alternate stay apart', () => {
  const chunks = [
    call({ index: 0, id: 'x', name: 'f', text: '{"a":' }),
    call({ index: 1, id: 'y', name: 'g', text: '{"b":' }),
    call({ index: 0, text: '1}' }),
    call({ index: 1, text: '2}' }),
  ];
  assert.deepEqual(callsOf(stream([...chunks, { finish: 'tool_calls' }])), ['x f {"a":1}', 'y g {"b":2}']);
});

test('arguments that come as an object are their text', () => {
  assert.deepEqual(callsOf(stream([call({ index: 0, id: 'x', name: 'f', text: { a: 1 } }), { finish: 'stop' }])), [
    'x f {"a":1}',
  ]);
});

test('a call that goes on after it was whole is an error, not a call with broken arguments', () => {
  const chunks = [
    call({ index: 0, id: 'x', name: 'f', text: '{}' }),
    call({ index: 1, id: 'y', name: 'g', text: '{}' }),
    call({ index: 0, text: '{"a":1}' }),
  ];
  const last = stream(chunks).at(-1);
  assert.equal(last?.type === 'error' && last.error.code, 'upstream_invalid_answer');
});

test('a function call of the old form is a call with an id of ours', () => {
  const chunks = [
    { delta: { function_call: { name: 'f', arguments: '' } } },
    { delta: { function_call: { arguments: '{"a":1}' } } },
  ];
  const events = stream([...chunks, { finish: 'function_call' }]);
  assert.deepEqual(callsOf(events), ['call_1 f {"a":1}']);
  assert.equal(reasonOf(events), 'tool_calls');
});

test('a custom tool call is kept as it is', () => {
  const piece = (custom: object, id?: string) => ({
    delta: { tool_calls: [{ index: 0, id, type: 'custom', custom }] },
  });
  const events = stream([piece({ name: 'sh', input: '' }, 'x'), piece({ input: 'ls' }), { finish: 'tool_calls' }]);
  const native = events.find((event) => event.type === 'native');
  assert.equal(native?.json, '{"id":"x","type":"custom","custom":{"name":"sh","input":"ls"}}');
});

function reasonOf(events: readonly GenerationEvent[]): string | undefined {
  const finish = events.findLast((event) => event.type === 'finish');
  return finish && [finish.reason, finish.stopSequence, finish.detail].filter(Boolean).join(' ');
}

for (const [finish, more, expected] of [
  ['stop', {}, 'stop'],
  ['length', {}, 'length'],
  ['max_tokens', {}, 'length'],
  ['content_filter', { native_finish_reason: 'SAFETY' }, 'content_filter SAFETY'],
  ['stop', { stop_reason: 'END' }, 'stop_sequence END'],
  ['stop', { matched_stop: 151_645 }, 'stop'],
  ['stop', { matched_stop: '###' }, 'stop_sequence ###'],
  ['stop', { native_finish_reason: 'pause_turn' }, 'pause'],
  ['length', { native_finish_reason: 'model_context_window_exceeded' }, 'context_exceeded'],
  ['model_length', {}, 'context_exceeded'],
  ['refusal', {}, 'refusal'],
  ['some_new_word', {}, 'stop some_new_word'],
] as const)
  test(`the reason ${finish} ${JSON.stringify(more)} means ${expected}`, () => {
    const choices = [{ index: 0, delta: { content: 'x' }, finish_reason: finish, ...more }];
    const frame = `data: ${JSON.stringify({ id: 'c', model: 'm', choices })}\n\n`;
    assert.equal(reasonOf(decode([Buffer.from(frame)])), expected);
  });

test('an empty finish reason is none', () => {
  const events = stream([{ delta: { content: 'x' }, finish: '' }], '');
  assert.ok(!events.some(({ type }) => type === 'end' || type === 'finish'));
});

test('reasons for all choices and the end of the bytes complete a stream without a terminator', () => {
  assert.equal(stream([{ delta: { content: 'x' }, finish: 'stop' }], '').at(-1)?.type, 'end');
});

test('a stream that breaks off before its reason has no end', () => {
  assert.ok(!stream([{ delta: { content: 'x' } }], '').some(({ type }) => type === 'end'));
});

test('a stream with a terminator and no reason is complete', () => {
  const events = stream([{ delta: { content: 'x' } }]);
  assert.deepEqual([reasonOf(events), events.at(-1)?.type], ['stop', 'end']);
});

test('content behind the reason is not lost', () => {
  const events = stream([{ delta: { content: 'x' }, finish: 'stop' }, { delta: { content: 'y' } }]);
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])),
    ['x', 'y'],
  );
});

test('usage in every chunk is told each time, and last behind the finish', () => {
  const usage = (completion_tokens: number) => ({ usage: { prompt_tokens: 3, completion_tokens } });
  const events = stream([
    { delta: { content: 'x' }, more: usage(1) },
    { delta: { content: 'y' }, more: usage(2) },
    { finish: 'stop', more: usage(3) },
  ]);
  assert.deepEqual(
    events.flatMap((event): (string | number)[] => {
      if (event.type === 'usage') return [event.usage.outputTokens];
      return event.type === 'finish' ? ['-'] : [];
    }),
    [1, 2, '-', 3],
  );
});

for (const [name, frame, code] of [
  ['OpenAI', '{"error":{"message":"Boom","type":"server_error","param":null,"code":null}}', 'upstream_error'],
  ['a rate limit', '{"error":{"message":"Boom","type":"tokens","code":"rate_limit_exceeded"}}', 'rate_limited'],
  ['no quota left', '{"error":{"message":"Boom","code":"insufficient_quota"}}', 'rate_limited'],
  ['vLLM', '{"object":"error","message":"Boom","type":"InternalServerError","code":500}', 'upstream_error'],
  ['a bare text', '{"error":"Boom"}', 'upstream_error'],
  ['a fault of the client', '{"error":{"message":"Boom","type":"BadRequestError","code":400}}', 'invalid_request'],
  ['Groq', '{"id":"c","choices":[],"x_groq":{"error":"Boom"}}', 'upstream_error'],
] as const)
  test(`an error in the stream, in the form of ${name}, ends it`, () => {
    const events = decode([Buffer.from(`data: ${frame}\n\ndata: [DONE]\n\n`)]);
    const [event] = events;
    assert.equal(events.length, 1);
    assert.ok(event?.type === 'error');
    assert.deepEqual([event.error.code, event.error.message], [code, 'Boom']);
  });

test('an event that is not JSON is an invalid answer', () => {
  const [event] = decode([Buffer.from('data: <html>\n\n')]);
  assert.equal(event?.type === 'error' && event.error.code, 'upstream_invalid_answer');
});

test('a choice with a wild index is an invalid answer', () => {
  const frame = 'data: {"id":"c","choices":[{"index":1e9,"delta":{"content":"x"}}]}\n\n';
  const event = decode([Buffer.from(frame)]).at(-1);
  assert.equal(event?.type === 'error' && event.error.code, 'upstream_invalid_answer');
});

test('a signature of a Gemini call that comes before it in the details is the signature of the call', () => {
  const detail = { type: 'reasoning.encrypted', data: 'sig', id: 'x', format: 'google-gemini-v1', index: 0 };
  const events = stream([
    { delta: { reasoning_details: [detail] } },
    call({ index: 0, id: 'x', name: 'f', text: '{}' }),
  ]);
  const start = events.find((event) => event.type === 'tool-call-start');
  assert.deepEqual(start?.signature, { origin: 'gemini', value: 'sig' });
});

test('what OpenAI tells of a thought and the encrypted thought are one', () => {
  const common = { id: 'rs_1', format: 'openai-responses-v1' };
  const events = stream([
    {
      delta: {
        reasoning: 'So',
        reasoning_details: [{ type: 'reasoning.summary', summary: 'So', index: 0, ...common }],
      },
    },
    { delta: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'gAAA', index: 1, ...common }] } },
    { delta: { content: 'x' }, finish: 'stop' },
  ]);
  assert.deepEqual(
    events.filter(({ type }) => type.startsWith('reasoning')),
    [
      { type: 'reasoning-delta', choice: 0, text: 'So' },
      {
        type: 'reasoning-end',
        choice: 0,
        signature: { origin: 'openai', value: 'gAAA' },
        isRedacted: false,
        itemId: 'rs_1',
      },
    ],
  );
});

for (const [name, body, code] of [
  ['HTML', '<html>', 'upstream_invalid_answer'],
  ['a list', '[]', 'upstream_invalid_answer'],
  ['no choices', '{"id":"c","choices":[]}', 'upstream_invalid_answer'],
  ['an error under status 200', '{"error":{"message":"Boom","code":502}}', 'upstream_error'],
  ['a choice that failed', '{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}', 'upstream_error'],
] as const)
  test(`a whole answer that is ${name} throws ${code}`, () => {
    assert.throws(() => decodeAnswer(Buffer.from(body), { newId: countedIds() }), { code });
  });

test('pictures and sound of an answer are blocks of their own', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
  const events = stream([
    { delta: { images: [image] } },
    { delta: { audio: { id: 'a', data: 'AA', transcript: 'Hel' } } },
    { delta: { audio: { data: 'BB', transcript: 'lo' } }, finish: 'stop' },
  ]);
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'native' ? [[event.name, JSON.parse(event.json)]] : [])),
    [
      ['image', image],
      ['audio', { id: 'a', data: 'AABB', transcript: 'Hello' }],
    ],
  );
});

test('more tool calls than any answer has are no answer', () => {
  const piece = (index: number) => ({ index, id: `c${index}`, function: { name: 'f', arguments: '{}' } });
  const frames = Array.from({ length: 4_200 }, (_, index) => {
    const choices = [{ index: 0, delta: { tool_calls: [piece(index)] } }];
    return Buffer.from(`data: ${JSON.stringify({ choices })}\n\n`);
  });
  assert.equal(decode(frames.slice(0, 4_000)).filter(({ type }) => type === 'error').length, 0);
  const failed = decode(frames).find((event) => event.type === 'error');
  assert.equal(failed?.type === 'error' && failed.error.code, 'upstream_invalid_answer');
});

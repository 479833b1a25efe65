import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutsOf } from '../../../test/support/cuts.ts';
import { eventsOf } from '../../../test/support/event-stream.ts';
import { frameOf } from '../../../test/support/tap-case.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { responsesCodec } from './codec.ts';

const FIXTURES = [
  ...['text', 'failed-after-content', 'failed-before-content', 'incomplete', 'refusal'],
  ...['reasoning-parallel-calls', 'web-search-citations'],
];

const facts = () => {
  let count = 0;
  return { newId: (prefix: string) => `${prefix}${(count += 1)}` };
};

function fixture(name: string): Buffer {
  return readFileSync(new URL(`./fixtures/${name}/upstream.sse`, import.meta.url));
}

function decode(chunks: Iterable<Buffer>): GenerationEvent[] {
  const decoder = responsesCodec.createDecoder(facts());
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => void events.push(event);
  for (const chunk of chunks) decoder.push(chunk, emit);
  decoder.end(emit);
  return events;
}

function event(type: string, fields: object = {}): Buffer {
  return frameOf({ type, ...fields }, type);
}

/** Deltas of one block as one: how an answer was cut says nothing of it. */
function joined(events: readonly GenerationEvent[]): GenerationEvent[] {
  const out: GenerationEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.type === 'text-delta' && last?.type === 'text-delta') {
      const logprobs = [...(last.logprobs ?? []), ...(event.logprobs ?? [])];
      out[out.length - 1] = {
        ...event,
        text: last.text + event.text,
        logprobs: logprobs.length > 0 ? logprobs : undefined,
      };
    } else if (event.type === 'reasoning-delta' && last?.type === 'reasoning-delta')
      out[out.length - 1] = { ...event, text: last.text + event.text };
    else if (event.type === 'refusal-delta' && last?.type === 'refusal-delta')
      out[out.length - 1] = { ...event, text: last.text + event.text };
    else if (event.type === 'tool-call-delta' && last?.type === 'tool-call-delta')
      out[out.length - 1] = { ...event, argumentsDelta: last.argumentsDelta + event.argumentsDelta };
    else out.push(event);
  }
  return out;
}

for (const name of FIXTURES) {
  test(`${name}: the events are the same wherever the stream is cut`, () => {
    const bytes = fixture(name);
    const whole = decode([bytes]);
    for (const cut of cutsOf(bytes, 3)) assert.deepEqual(decode(cut.chunks), whole, cut.name);
  });

  test(`${name}: it begins with start, and ends once or not at all`, () => {
    const events = decode([fixture(name)]);
    assert.equal(events[0]?.type, 'start');
    const last = events.at(-1)?.type;
    assert.equal(last, name.startsWith('failed') ? 'error' : 'end');
    assert.equal(events.filter(({ type }) => type === 'end' || type === 'error').length, 1);
  });
}

for (const name of FIXTURES.filter((each) => !each.startsWith('failed')))
  test(`${name}: the whole answer has the same content as its stream`, () => {
    const bytes = fixture(name);
    const { response } = JSON.parse(eventsOf(bytes.toString()).at(-1)?.data ?? '') as { response: object };
    const answer = responsesCodec.decodeAnswer(Buffer.from(JSON.stringify(response)), facts());
    assert.deepEqual(joined(answer), joined(decode([bytes])));
  });

for (const name of FIXTURES)
  test(`${name}: what deltas did not tell is told by the final form of items`, () => {
    const frames = eventsOf(fixture(name).toString());
    const kept = frames.filter(
      (frame) => !/delta$|annotation.added$|(text|refusal|part|arguments).done$/.test(frame.event),
    );
    const sparse = decode(kept.map((frame) => Buffer.from(`event: ${frame.event}\ndata: ${frame.data}\n\n`)));
    if (name === 'failed-after-content') return;
    assert.deepEqual(joined(sparse), joined(decode([fixture(name)])));
  });

test('parallel calls, one without arguments: ids and argument text are the worker’s', () => {
  const events = joined(decode([fixture('reasoning-parallel-calls')]));
  const calls = events.filter(({ type }) => type.startsWith('tool-call')).map((event) => Object.values(event).slice(2));
  assert.deepEqual(calls, [
    ['call_aB1', 'get_weather', undefined],
    ['call_aB1', '{"city":"Zürich"}'],
    ['call_aB1'],
    ['call_aB2', 'get_weather', undefined],
    ['call_aB2', '{"city": "Oslo", "n": 1.0}'],
    ['call_aB2'],
    ['call_aB3', 'now', undefined],
    ['call_aB3', '{}'],
    ['call_aB3'],
  ]);
  assert.deepEqual(events.at(-3), {
    type: 'finish',
    choice: 0,
    reason: 'tool_calls',
    stopSequence: undefined,
    detail: undefined,
  });
});

test('a thought keeps its encrypted form and its id, the parts of its summary are apart', () => {
  const events = joined(decode([fixture('reasoning-parallel-calls')]));
  assert.deepEqual(events.slice(1, 3), [
    { type: 'reasoning-delta', choice: 0, text: '**Weighing**\n\nTwo cities.\n\nAsk both — é😀.' },
    {
      type: 'reasoning-end',
      choice: 0,
      signature: { origin: 'openai', value: 'rs_67ca01:gAAAAABoISQ+/w==' },
      isRedacted: false,
      itemId: 'rs_67ca01',
    },
  ]);
  const usage = events.find(({ type }) => type === 'usage');
  assert.deepEqual(usage?.type === 'usage' && usage.usage, {
    inputTokens: 120,
    outputTokens: 88,
    cachedInputTokens: 64,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 40,
  });
});

test('encrypted thoughts of a Grok model are xAI’s', () => {
  const bytes = fixture('reasoning-parallel-calls').toString().replaceAll('o4-mini-2025-04-16', 'grok-4-0709');
  const end = decode([Buffer.from(bytes)]).find(({ type }) => type === 'reasoning-end');
  assert.equal(end?.type === 'reasoning-end' && end.signature?.origin, 'xai');
});

test('a built-in tool is native with its own text; citations and log probabilities are carried', () => {
  const events = joined(decode([fixture('web-search-citations')]));
  const [native, text, web, file] = events.slice(1);
  assert.deepEqual(
    [native?.type, native?.type === 'native' && [native.origin, native.name]],
    ['native', ['openai-responses', 'web_search_call']],
  );
  assert.ok(native?.type === 'native' && native.json.includes('"query":"höhe 1.0"'));
  assert.ok(text?.type === 'text-delta');
  assert.deepEqual(
    text.logprobs?.map(({ token, logprob, top }) => [token, logprob, top.length]),
    [
      ['Hei', -0.25, 2],
      ['ght 4,808 m.', -1.5, 2],
    ],
  );
  assert.deepEqual(web?.type === 'citation' && [web.url, web.title], ['https://example.com/montblanc', 'Mont Blanc']);
  assert.deepEqual(file?.type === 'citation' && [file.url, file.title], [undefined, 'alps.pdf']);
});

test('a refusal and a limit are told as why it finished', () => {
  const reason = (name: string) => decode([fixture(name)]).find(({ type }) => type === 'finish');
  const [refused, cut] = [reason('refusal'), reason('incomplete')];
  assert.equal(refused?.type === 'finish' && refused.reason, 'refusal');
  assert.deepEqual(cut?.type === 'finish' && [cut.reason, cut.detail], ['length', 'max_output_tokens']);
});

test('an answer that its filter cut is told as such', () => {
  const response = { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] };
  const finish = decode([event('response.incomplete', { response })]).find(({ type }) => type === 'finish');
  assert.equal(finish?.type === 'finish' && finish.reason, 'content_filter');
});

test('a stream that only has its last event is the answer all the same', () => {
  const output = [{ type: 'message', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }];
  const events = decode([
    event('response.completed', { response: { id: 'r', model: 'm', status: 'completed', output } }),
  ]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['start', 'text-delta', 'text-end', 'finish', 'end'],
  );
});

test('a stream without its last event has no end', () => {
  const frames = eventsOf(fixture('text').toString()).slice(0, -1);
  const events = decode(frames.map((frame) => Buffer.from(`data: ${frame.data}\n\n`)));
  assert.ok(!events.some(({ type }) => type === 'end' || type === 'finish'));
});

test('calls whose items interleave keep their own arguments', () => {
  const added = (index: number) =>
    event('response.output_item.added', {
      output_index: index,
      item: { type: 'function_call', call_id: `c${index}`, name: 'f', arguments: '' },
    });
  const delta = (index: number, text: string) =>
    event('response.function_call_arguments.delta', { output_index: index, delta: text });
  const events = decode([added(0), added(1), delta(0, '{"a"'), delta(1, '[1'), delta(0, ':1}'), delta(1, ']')]);
  const text = (id: string) =>
    events.map((each) => (each.type === 'tool-call-delta' && each.callId === id ? each.argumentsDelta : '')).join('');
  assert.deepEqual([text('c0'), text('c1')], ['{"a":1}', '[1]']);
});

test('items that a server gives no index, or always the same, are told apart', () => {
  const item = (id: string, place: object) => [
    event('response.output_item.added', { ...place, item: { type: 'message', id } }),
    event('response.output_text.delta', { ...place, item_id: id, delta: id }),
    event('response.output_item.done', { ...place, item: { type: 'message', id, content: [] } }),
  ];
  for (const place of [{}, { output_index: 0 }]) {
    const events = decode([...item('a', place), ...item('b', place)]);
    assert.deepEqual(
      events.map((each) => (each.type === 'text-delta' ? each.text : each.type)),
      ['start', 'a', 'text-end', 'b', 'text-end'],
    );
  }
});

test('a call without an id gets one', () => {
  const item = { type: 'function_call', name: 'f', arguments: '' };
  const events = decode([event('response.output_item.done', { output_index: 0, item })]);
  assert.deepEqual(
    events.slice(1).map((each) => Object.values(each).slice(2)),
    [['call_1', 'f', undefined], ['call_1', '{}'], ['call_1']],
  );
});

const errors: readonly (readonly [name: string, chunk: Buffer, code: string, message: string])[] = [
  ['an error event', event('error', { code: 'server_error', message: 'boom', param: null }), 'upstream_error', 'boom'],
  ['an error within', event('error', { error: { type: 'server_error', message: 'boom' } }), 'upstream_error', 'boom'],
  ['a rate limit', event('error', { code: 'rate_limit_exceeded', message: 'boom' }), 'rate_limited', 'boom'],
  [
    'a context that is full',
    event('response.failed', { response: { error: { code: 'context_length_exceeded', message: 'boom' } } }),
    'invalid_request',
    'boom',
  ],
  ['plain words', Buffer.from('event: error\ndata: overloaded\n\n'), 'upstream_error', 'overloaded'],
  ['no words', event('response.failed', { response: {} }), 'upstream_error', 'The worker gave up without saying why.'],
  [
    'data that is no JSON',
    Buffer.from('event: response.created\ndata: {"a"\n\n'),
    'upstream_invalid_answer',
    'An event of the stream is not JSON.',
  ],
];

for (const [name, chunk, code, message] of errors)
  test(`${name} in a stream is an error, and nothing follows it`, () => {
    const [first, ...rest] = decode([chunk, event('response.completed', { response: { output: [] } })]);
    assert.ok(first?.type === 'error');
    assert.deepEqual([first.error.code, first.error.message, rest.length], [code, message, 0]);
  });

test('comments are heartbeats and [DONE] is nothing', () => {
  assert.deepEqual(decode([Buffer.from(': ping\n\ndata: [DONE]\n\n')]), [{ type: 'heartbeat' }]);
});

test('a whole answer that is none, or did not finish, or failed, is an error', () => {
  const thrown = (body: unknown) => {
    try {
      return responsesCodec.decodeAnswer(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), facts());
    } catch (error) {
      return error instanceof GatewayError ? error.code : error;
    }
  };
  assert.equal(thrown('<html>'), 'upstream_invalid_answer');
  assert.equal(thrown({ choices: [] }), 'upstream_invalid_answer');
  assert.equal(thrown({ status: 'in_progress', output: [] }), 'upstream_invalid_answer');
  const error = { code: 'rate_limit_exceeded', message: 'm' };
  assert.equal(thrown({ status: 'failed', error, output: [] }), 'rate_limited');
});

test('no stream of a worker makes the decoder throw, and none ends twice', () => {
  const types = fc.constantFrom(
    ...[
      'created',
      'completed',
      'failed',
      'output_item.added',
      'output_item.done',
      'output_text.delta',
      'refusal.delta',
    ],
    ...['content_part.done', 'function_call_arguments.delta', 'reasoning_summary_text.delta', 'reasoning_text.delta'],
  );
  const names = fc.constantFrom(
    ...['response', 'item', 'delta', 'part', 'output_index', 'content_index', 'type', 'arguments', 'call_id', 'name'],
    ...['output', 'content', 'summary', 'text', 'logprobs', 'annotations', 'annotation', 'usage', 'id', 'status'],
  );
  const word = fc.constantFrom(
    'message',
    'reasoning',
    'function_call',
    'output_text',
    'refusal',
    'x',
    '',
    0,
    1,
    -1,
    null,
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.dictionary(names, tie('value'), { maxKeys: 5 }),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  const frame = fc
    .tuple(types, fc.dictionary(names, value))
    .map(([type, fields]) => event(`response.${type}`, { ...fields, type: `response.${type}` }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), (frames) => {
      const events = decode(frames);
      const over = events.findIndex(({ type }) => type === 'end' || type === 'error');
      assert.ok(over < 0 || over === events.length - 1);
      if (events.length > 0 && events[0]?.type !== 'error') assert.equal(events[0]?.type, 'start');
    }),
    { numRuns: 500 },
  );
});

test('more items open at once than any answer has are no answer', () => {
  const added = Array.from({ length: 1_100 }, (_, index) => {
    const item = { type: 'function_call', id: `f${index}`, call_id: `c${index}`, name: 'f', arguments: '' };
    return event('response.output_item.added', { output_index: index, item });
  });
  assert.equal(decode(added.slice(0, 1_000)).filter(({ type }) => type === 'error').length, 0);
  const failed = decode(added).find(({ type }) => type === 'error');
  assert.equal(failed?.type === 'error' && failed.error.code, 'upstream_invalid_answer');
});

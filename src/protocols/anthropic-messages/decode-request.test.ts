import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessages } from '../../../test/support/messages-codec.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Part } from '../../domain/generation.ts';
import { anthropicMessagesCodec } from './codec.ts';

function partsOf(content: unknown, role = 'user'): readonly Part[] {
  const { request, warnings } = decodeMessages({ model: 'm', messages: [{ role, content }] });
  assert.deepEqual(warnings, []);
  return request.turns.flatMap(({ parts }) => parts);
}

function fieldsOf(body: object): string[] {
  return decodeMessages({ model: 'm', messages: [], ...body }).warnings.map(({ kind, field }) => `${kind}: ${field}`);
}

function refusedParam(body: object): string | undefined {
  try {
    decodeMessages({ model: 'm', messages: [], ...body });
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError);
    assert.equal(thrown.code, 'invalid_request');
    return thrown.param;
  }
  return 'accepted';
}

test('every field of the API that the hub has is read', () => {
  const { request, warnings } = decodeMessages({
    model: 'claude-opus-5',
    max_tokens: 100,
    system: 'Be kind.',
    messages: [{ role: 'user', content: 'Hi.' }],
    temperature: 0.5,
    top_p: 0.9,
    top_k: 40,
    stop_sequences: ['END'],
    metadata: { user_id: 'u1' },
    service_tier: 'auto',
    stream: true,
    thinking: { type: 'adaptive', display: 'omitted' },
    output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    container: 'c1',
  });
  assert.deepEqual(warnings, []);
  const { turns, ...rest } = request;
  assert.deepEqual(
    turns.map(({ role, isPlain }) => [role, isPlain]),
    [
      ['system', true],
      ['user', true],
    ],
  );
  assert.partialDeepStrictEqual(rest, {
    model: 'claude-opus-5',
    isStream: true,
    wantsUsage: true,
    maxTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    topK: 40,
    stop: ['END'],
    user: 'u1',
    serviceTier: 'auto',
    reasoning: { mode: 'adaptive', effort: 'high', summary: 'none' },
    responseFormat: { type: 'json_schema', schemaText: '{"type":"object"}' },
    toolChoice: { mode: 'required', names: [] },
    mayCallInParallel: false,
    extras: [{ origin: 'anthropic-messages', name: 'container', json: '"c1"' }],
  });
});

test('images and documents of every source are read', () => {
  const parts = partsOf([
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA\n==' } },
    { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
    { type: 'image', source: { type: 'file', file_id: 'file_1' } },
    {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'Words.' },
      title: 'T',
      context: 'C',
      citations: { enabled: true },
    },
  ]);
  assert.deepEqual(
    parts.map((part) => ('source' in part ? part.source : undefined)),
    [
      { kind: 'base64', base64: 'AA==', mediaType: 'image/png' },
      { kind: 'url', url: 'https://x.test/a.png', mediaType: undefined },
      { kind: 'file_id', id: 'file_1', origin: 'anthropic' },
      { kind: 'text', text: 'Words.', mediaType: 'text/plain' },
    ],
  );
  assert.partialDeepStrictEqual(parts[3], { title: 'T', context: 'C', isCitable: true });
});

test('a document of blocks is read as its text, with its images after it', () => {
  const image = { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } };
  const content = [{ type: 'text', text: 'One.' }, image, { type: 'text', text: 'Two.' }];
  const document = { type: 'document', source: { type: 'content', content } };
  const { request, warnings } = decodeMessages({ model: 'm', messages: [{ role: 'user', content: [document] }] });
  const [file, picture] = request.turns[0]?.parts ?? [];
  assert.partialDeepStrictEqual(file, { type: 'file', source: { kind: 'text', text: 'One.\n\nTwo.' } });
  assert.equal(picture?.type, 'image');
  assert.deepEqual(
    warnings.map(({ kind }) => kind),
    ['changed'],
  );
});

test('arguments of calls keep their bytes', () => {
  const input = '{ "10": 1.0, "2": 12345678901234567890, "t": "\\u00e9" }';
  const body = `{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":${input}}]}]}`;
  const { request } = anthropicMessagesCodec.decodeRequest(Buffer.from(body), {
    model: undefined,
    isStream: undefined,
    headers: {},
  });
  assert.partialDeepStrictEqual(request.turns[0]?.parts[0], { type: 'tool_call', argumentsText: input });
});

test('a result of a tool is given the name of its call', () => {
  const { request } = decodeMessages({
    model: 'm',
    messages: [
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'look', input: {} }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', is_error: true, content: 'no' },
          { type: 'tool_result', tool_use_id: 'x' },
        ],
      },
    ],
  });
  const [known, unknown] = request.turns[1]?.parts ?? [];
  assert.partialDeepStrictEqual(known, { name: 'look', isError: true, isPlain: true });
  assert.partialDeepStrictEqual(unknown, { name: undefined, parts: [], isPlain: false });
});

test('thoughts are read with their signatures, own and carried ones', () => {
  const carried = `smg.openai.${Buffer.from('gAAA').toString('base64')}`;
  const parts = partsOf(
    [
      { type: 'thinking', thinking: 'Hm.', signature: 'EqQB==' },
      { type: 'thinking', thinking: '', signature: carried },
      { type: 'redacted_thinking', data: 'Emw' },
      { type: 'thinking', thinking: 'Free.', signature: 'smg.unsigned' },
    ],
    'assistant',
  );
  assert.deepEqual(
    parts.map((part) => (part.type === 'reasoning' ? [part.text, part.signature, part.isRedacted] : part)),
    [
      ['Hm.', { origin: 'anthropic', value: 'EqQB==' }, false],
      ['', { origin: 'openai', value: 'gAAA' }, false],
      ['', { origin: 'anthropic', value: 'Emw' }, true],
      ['Free.', undefined, false],
    ],
  );
});

test("Gemini's marks go back on the call and on the text that they were of", () => {
  const mark = (value: string): string => `smg.gemini.${Buffer.from(value).toString('base64')}`;
  const parts = partsOf(
    [
      { type: 'text', text: 'I look.' },
      { type: 'thinking', thinking: '', signature: mark('of text') },
      { type: 'redacted_thinking', data: mark('of call') },
      { type: 'tool_use', id: 't1', name: 'f', input: {} },
    ],
    'assistant',
  );
  assert.deepEqual(
    parts.map((part) => ('signature' in part ? [part.type, part.signature?.value] : part.type)),
    [
      ['text', 'of text'],
      ['tool_call', 'of call'],
    ],
  );
});

test('blocks that only this API has, and those not known yet, are native', () => {
  const blocks = [
    { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'x' } },
    { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
    { type: 'novel', x: 1.5 },
  ];
  assert.deepEqual(
    partsOf(blocks, 'assistant'),
    blocks.map((block) => ({
      type: 'native',
      origin: 'anthropic-messages',
      name: block.type,
      json: JSON.stringify(block),
    })),
  );
});

test('system turns and system blocks within the conversation stand where they stood', () => {
  const { request } = decodeMessages({
    model: 'm',
    system: [
      { type: 'text', text: 'One.', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'text', text: 'Two.' },
    ],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'mid_conv_system', content: [{ type: 'text', text: 'Now.' }] },
        ],
      },
      { role: 'system', content: 'Later.' },
    ],
  });
  assert.deepEqual(
    request.turns.map(({ role, parts }) => [role, parts.length]),
    [
      ['system', 2],
      ['user', 1],
      ['system', 1],
      ['system', 1],
    ],
  );
  assert.partialDeepStrictEqual(request.turns[0]?.parts[0], { cache: { ttl: '1h' } });
});

test('what has no place in the hub is told', () => {
  assert.deepEqual(fieldsOf({ novel: 1 }), ['lost: novel']);
  assert.deepEqual(fieldsOf({ metadata: { user_id: 'u', x: 1 } }), ['lost: metadata.x']);
  assert.deepEqual(fieldsOf({ tools: [{ name: 'f', input_schema: {}, input_examples: [], defer_loading: true }] }), [
    'lost: tools[0].input_examples',
    'lost: tools[0].defer_loading',
  ]);
  const cited = { type: 'text', text: 'x', citations: [{ type: 'char_location' }], novel: 1 };
  assert.deepEqual(fieldsOf({ messages: [{ role: 'assistant', content: [cited] }] }), [
    'lost: messages[0].content[0].citations',
    'lost: messages[0].content[0].novel',
  ]);
  const found = { type: 'search_result', title: 'T', source: 's', content: [{ type: 'text', text: 'x' }] };
  assert.deepEqual(fieldsOf({ messages: [{ role: 'user', content: [found] }] }), ['changed: messages[0].content[0]']);
  assert.deepEqual(fieldsOf({ thinking: { type: 'between_tools' } }), ['changed: thinking.type']);
});

test('tools that the provider runs are native, whatever they hold', () => {
  const tool = { type: 'web_search_20260318', name: 'web_search', max_uses: 3 };
  const { request, warnings } = decodeMessages({ model: 'm', messages: [], tools: [tool] });
  assert.deepEqual(warnings, []);
  assert.deepEqual(request.tools, [
    { type: 'native', origin: 'anthropic-messages', name: tool.type, json: JSON.stringify(tool) },
  ]);
});

test('the format of its time in beta is read too', () => {
  const { request } = decodeMessages({ model: 'm', messages: [], output_format: { type: 'json_schema', schema: {} } });
  assert.partialDeepStrictEqual(request.responseFormat, { type: 'json_schema', schemaText: '{}' });
});

test('a wrong type is refused with the path of the member', () => {
  assert.equal(refusedParam({ max_tokens: 'many' }), 'max_tokens');
  assert.equal(refusedParam({ messages: 'x' }), 'messages');
  assert.equal(
    refusedParam({ messages: [{ role: 'user', content: [{ type: 'text' }] }] }),
    'messages[0].content[0].text',
  );
  assert.equal(refusedParam({ messages: [{ role: 'bot', content: 'x' }] }), 'messages[0].role');
  assert.equal(refusedParam({ messages: [{ role: 'user' }] }), 'messages[0].content');
  assert.equal(
    refusedParam({ messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'constructor' } }] }] }),
    'messages[0].content[0].source.type',
  );
  assert.equal(refusedParam({ tool_choice: { type: 'constructor' } }), 'tool_choice.type');
  assert.equal(refusedParam({ thinking: { type: 'often' } }), 'thinking.type');
  assert.equal(refusedParam({ output_config: { effort: 'huge' } }), 'output_config.effort');
});

test('a body that is no JSON object is refused', () => {
  for (const body of ['', '[]', '{"model":'])
    assert.throws(
      () =>
        anthropicMessagesCodec.decodeRequest(Buffer.from(body), { model: undefined, isStream: undefined, headers: {} }),
      { code: 'invalid_json' },
    );
});

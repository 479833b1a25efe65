/** What goes to a chat server, for each kind of server, and what is told of losses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationRequest, Part, ReasoningPart, Turn } from '../../domain/generation.ts';
import { PLAIN_CHAT } from '../../domain/providers/chat-traits.ts';
import { openai } from '../../domain/providers/openai.ts';
import type { ChatTraits, Provider } from '../../domain/providers/provider.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { needsBytes } from './media-needs.ts';

const ENGINE: EncodeTarget = { provider: undefined, model: 'local', maxOutputTokens: undefined };

function openaiWith(model: string): EncodeTarget {
  return { provider: openai, model, maxOutputTokens: undefined };
}

function serverWith(traits: Partial<ChatTraits>, more: Partial<Provider> = {}): EncodeTarget {
  const provider = {
    ...openai,
    name: 'other',
    title: 'Other',
    thoughts: undefined,
    quirks: [],
    ...more,
    chat: { ...PLAIN_CHAT, ...traits },
  };
  return { provider, model: 'm', maxOutputTokens: undefined };
}

function requestOf(body: object, turns: readonly Turn[] = []): GenerationRequest {
  const { request } = decodeRequest(Buffer.from(JSON.stringify({ messages: [], ...body })), {
    model: 'm',
    isStream: undefined,
    headers: {},
  });
  return turns.length > 0 ? { ...request, turns } : request;
}

interface Sent {
  readonly body: Record<string, unknown> & { messages: Record<string, unknown>[] };
  readonly warnings: readonly string[];
}

function send(request: GenerationRequest, target: EncodeTarget): Sent {
  const { body, warnings } = encodeRequest(request, target);
  return { body: JSON.parse(body.toString()), warnings: warnings.map(({ kind, field }) => `${kind} ${field}`) };
}

function turn(role: Turn['role'], ...parts: Part[]): Turn {
  return { role, parts, isPlain: false, name: undefined };
}

function text(value: string): Part {
  return { type: 'text', text: value, cache: undefined, signature: undefined };
}

function call(callId: string, members: object = {}): Part {
  return {
    type: 'tool_call',
    callId,
    name: 'f',
    argumentsText: '{}',
    signature: undefined,
    cache: undefined,
    ...members,
  };
}

function result(callId: string, members: object = {}): Part {
  return {
    type: 'tool_result',
    callId,
    name: 'f',
    parts: [{ type: 'text', text: 'done', cache: undefined, signature: undefined }],
    isPlain: true,
    isError: false,
    responseText: undefined,
    cache: undefined,
    ...members,
  };
}

function thought(value: string, members: Partial<ReasoningPart> = {}): ReasoningPart {
  return { type: 'reasoning', text: value, signature: undefined, isRedacted: false, itemId: undefined, ...members };
}

const IMAGE: Part = {
  type: 'image',
  source: { kind: 'base64', base64: 'iVBO', mediaType: 'image/png' },
  detail: undefined,
  cache: undefined,
};

test('the limit has the name that the server knows, and is no more than the model gives', () => {
  const request = requestOf({ max_tokens: 100 });
  assert.equal(send(request, openaiWith('gpt-4o')).body['max_completion_tokens'], 100);
  assert.equal(send(request, ENGINE).body['max_tokens'], 100);
  const short = send(request, { ...ENGINE, maxOutputTokens: 50 });
  assert.deepEqual([short.body['max_tokens'], short.warnings], [50, ['changed max_tokens']]);
});

test('a stream asks for usage, whether the client did or not, where the server knows how', () => {
  const request = requestOf({ stream: true });
  assert.deepEqual(send(request, openaiWith('gpt-4o')).body['stream_options'], { include_usage: true });
  assert.equal(send(request, serverWith({ takesStreamOptions: false })).body['stream_options'], undefined);
  assert.equal(send(requestOf({}), openaiWith('gpt-4o')).body['stream'], undefined);
});

test('results of tools that stand in a user turn come first, one message each, and the rest behind them', () => {
  const turns = [turn('assistant', call('a'), call('b')), turn('user', text('And?'), result('a'), result('b'))];
  const { body } = send(requestOf({}, turns), ENGINE);
  assert.deepEqual(
    body.messages.map(({ role, tool_call_id, content }) => [role, tool_call_id, content]),
    [
      ['assistant', undefined, null],
      ['tool', 'a', 'done'],
      ['tool', 'b', 'done'],
      ['user', undefined, [{ type: 'text', text: 'And?' }]],
    ],
  );
});

test('images in results are moved to a user message that says to which call they belong', () => {
  const parts = [{ type: 'text', text: 'see', cache: undefined, signature: undefined }, IMAGE];
  const turns = [
    turn('assistant', call('a'), call('b')),
    turn('tool', result('a', { parts })),
    turn('tool', result('b')),
    turn('assistant', text('ok')),
  ];
  const { body, warnings } = send(requestOf({}, turns), openaiWith('gpt-4o'));
  assert.deepEqual(
    body.messages.map(({ role }) => role),
    ['assistant', 'tool', 'tool', 'user', 'assistant'],
  );
  assert.deepEqual(body.messages[3]?.['content'], [
    { type: 'text', text: 'Result of the tool call f (a):' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } },
  ]);
  assert.ok(warnings.includes('changed turns[1].parts[0]'));
});

test('images of results go before what the user says next', () => {
  const turns = [turn('assistant', call('a')), turn('user', result('a', { parts: [IMAGE] }), text('And now?'))];
  const { body } = send(requestOf({}, turns), openaiWith('gpt-4o'));
  const content = body.messages[2]?.['content'];
  assert.ok(Array.isArray(content));
  assert.deepEqual(content.at(-1), { type: 'text', text: 'And now?' });
  assert.equal(body.messages.length, 3);
});

test('the text of a result that is an error says so', () => {
  const turns = [turn('assistant', call('a')), turn('tool', result('a', { isError: true }))];
  const { body, warnings } = send(requestOf({}, turns), ENGINE);
  assert.deepEqual([body.messages[1]?.['content'], warnings], ['Error: done', ['changed turns[1].parts[0].isError']]);
});

test('ids of other providers fit, the same in call and result', () => {
  const id = `toolu_${'x'.repeat(60)}`;
  const { body } = send(requestOf({}, [turn('assistant', call(id)), turn('tool', result(id))]), openaiWith('gpt-4o'));
  const sentId = String(body.messages[1]?.['tool_call_id']);
  assert.ok(sentId.length <= 40);
  const made = { id: sentId, type: 'function', function: { name: 'f', arguments: '{}' } };
  assert.deepEqual(body.messages[0]?.['tool_calls'], [made]);
});

test('the name of a tool that OpenAI refuses is named', () => {
  const body = { tools: [{ type: 'function', function: { name: 'a.b' } }] };
  assert.throws(() => send(requestOf(body), openaiWith('gpt-4o')), { code: 'invalid_request', param: 'tools[0].name' });
  assert.doesNotThrow(() => send(requestOf(body), ENGINE));
});

test('arguments that are no JSON object are put into one for engines, which parse them', () => {
  const turns = [turn('assistant', call('a', { argumentsText: '{"broken' }))];
  const sent = send(requestOf({}, turns), ENGINE);
  const made = { name: 'f', arguments: '{"arguments":"{\\"broken"}' };
  assert.deepEqual(sent.body.messages[0]?.['tool_calls'], [{ id: 'a', type: 'function', function: made }]);
  assert.deepEqual(sent.warnings.slice(0, 1), ['changed turns[0].parts[0].argumentsText']);
  const raw = encodeRequest(requestOf({}, turns), openaiWith('gpt-4o')).body.toString();
  assert.ok(raw.includes('"arguments":"{\\"broken"'));
});

test('schemas keep their bytes: key order and the text of numbers', () => {
  const schema = '{"type":"object","properties":{"b":{"maximum":1.0},"a":{}}}';
  const body = `{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}]}`;
  const { request } = decodeRequest(Buffer.from(body), { model: 'm', isStream: undefined, headers: {} });
  for (const target of [ENGINE, openaiWith('gpt-4o')])
    assert.ok(encodeRequest(request, target).body.toString().includes(schema));
});

for (const [toolChoice, target, expected] of [
  ['auto', ENGINE, 'auto'],
  ['required', ENGINE, 'required'],
  ['none', ENGINE, 'none'],
  [{ type: 'function', function: { name: 'f' } }, ENGINE, { type: 'function', function: { name: 'f' } }],
] as const)
  test(`tool_choice ${JSON.stringify(toolChoice)} is sent`, () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    assert.deepEqual(send(requestOf({ tools, tool_choice: toolChoice }), target).body['tool_choice'], expected);
  });

test('a choice among some tools is sent to OpenAI as it is, to others by leaving the rest out', () => {
  const tools = ['f', 'g', 'h'].map((name) => ({ type: 'function', function: { name } }));
  const allowed = { mode: 'auto', tools: tools.slice(0, 2) };
  const request = requestOf({ tools, tool_choice: { type: 'allowed_tools', allowed_tools: allowed } });
  assert.deepEqual(send(request, openaiWith('gpt-4o')).body['tool_choice'], {
    type: 'allowed_tools',
    allowed_tools: allowed,
  });
  const { body, warnings } = send(request, ENGINE);
  assert.deepEqual(
    [body['tools'], body['tool_choice'], warnings],
    [tools.slice(0, 2), 'auto', ['changed tool_choice']],
  );
});

test('a choice without tools is not sent, and a forced one is told as lost', () => {
  const { body, warnings } = send(requestOf({ tool_choice: 'required', parallel_tool_calls: false }), ENGINE);
  assert.deepEqual(
    [body['tool_choice'], body['parallel_tool_calls'], warnings],
    [undefined, undefined, ['lost tool_choice']],
  );
});

test('a tool of another API is told as lost', () => {
  const tool = { type: 'native', origin: 'anthropic-messages', name: 'web_search_20250305', json: '{}' } as const;
  assert.deepEqual(send({ ...requestOf({}), tools: [tool] }, openaiWith('gpt-4o')).warnings, ['lost tools[0]']);
});

test('a schema for a server without schemas is plain JSON, which is told', () => {
  const format = { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } };
  const { body, warnings } = send(requestOf({ response_format: format }), serverWith({ takesJsonSchema: false }));
  assert.deepEqual(
    [body['response_format'], warnings],
    [{ type: 'json_object' }, ['lost response_format.json_schema']],
  );
  assert.deepEqual(send(requestOf({ response_format: format }), ENGINE).body['response_format'], format);
});

test('engine fields go to engines, and to nobody else', () => {
  const request = requestOf({ top_k: 4, min_p: 0.1, regex: 'a+', ignore_eos: true });
  const { body, warnings } = send(request, ENGINE);
  assert.deepEqual(
    [body['top_k'], body['min_p'], body['regex'], body['ignore_eos'], warnings],
    [4, 0.1, 'a+', true, []],
  );
  const sent = send(request, openaiWith('gpt-4o'));
  assert.deepEqual(Object.keys(sent.body), ['model', 'messages']);
  assert.deepEqual(sent.warnings, ['lost top_k', 'lost min_p', 'lost ignore_eos', 'lost regex']);
});

test("OpenAI's own fields go to OpenAI, and are told as lost elsewhere", () => {
  const own = { metadata: { a: 'b' }, service_tier: 'flex', verbosity: 'low', prompt_cache_key: 'k', store: true };
  const request = requestOf({ ...own, prediction: { type: 'content', content: 'x' }, user: 'u' });
  const { messages: _messages, model: _model, ...sent } = send(request, openaiWith('gpt-4o')).body;
  assert.deepEqual(sent, { ...own, prediction: { type: 'content', content: 'x' }, user: 'u' });
  const others = send(request, ENGINE);
  assert.equal(others.body['user'], 'u');
  assert.deepEqual(
    others.warnings,
    ['metadata', 'service_tier', 'verbosity', 'prompt_cache_key', 'store', 'prediction'].map((name) => `lost ${name}`),
  );
});

test('an extra field of another API is told as lost', () => {
  const request = { ...requestOf({}), extras: [{ origin: 'gemini', name: 'safetySettings', json: '[]' }] };
  assert.deepEqual(send(request, ENGINE).warnings, ['lost safetySettings']);
});

test('several system turns stay where they stand; developer is system where it is not known', () => {
  const turns = [turn('system', text('a')), turn('user', text('b')), turn('developer', text('c'))];
  const rolesFor = (target: EncodeTarget) => send(requestOf({}, turns), target).body.messages.map(({ role }) => role);
  assert.deepEqual(rolesFor(openaiWith('gpt-4o')), ['system', 'user', 'developer']);
  assert.deepEqual(rolesFor(ENGINE), ['system', 'user', 'system']);
});

test('a list of texts is one text for servers that take no lists, which is told', () => {
  const { body, warnings } = send(requestOf({}, [turn('user', text('a'), text('b'))]), serverWith({}));
  assert.deepEqual([body.messages[0]?.['content'], warnings], ['a\nb', ['changed turns[0]']]);
});

test('cache marks go where they are taken, are not needed where prefixes are cached anyway, else are lost', () => {
  const part: Part = { type: 'text', text: 'a', cache: { ttl: '1h' }, signature: undefined };
  const request = requestOf({}, [turn('user', part)]);
  const sent = send(request, serverWith({ cacheMarks: 'cache_control' }));
  const marked = [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }];
  assert.deepEqual([sent.body.messages[0]?.['content'], sent.warnings], [marked, []]);
  assert.deepEqual(send(request, openaiWith('gpt-4o')).warnings, ['changed turns[0].parts[0].cache']);
  assert.deepEqual(send(request, serverWith({})).warnings, ['lost turns[0].parts[0].cache']);
});

test('files go as data, documents of text as text, and what cannot go is told', () => {
  const file = (source: object) => ({
    type: 'file' as const,
    filename: undefined,
    title: 'T',
    context: undefined,
    isCitable: undefined,
    cache: undefined,
    source: source as { kind: 'text'; text: string; mediaType: string },
  });
  const pdf = file({ kind: 'base64', base64: 'JVBE', mediaType: 'application/pdf' });
  const document = file({ kind: 'text', text: 'Hello', mediaType: 'text/plain' });
  const remote = file({ kind: 'url', url: 'https://x.example/a.pdf', mediaType: undefined });
  const request = requestOf({}, [turn('user', pdf, document, remote)]);
  const sent = send(request, openaiWith('gpt-4o'));
  assert.deepEqual(sent.body.messages[0]?.['content'], [
    { type: 'file', file: { filename: 'T', file_data: 'data:application/pdf;base64,JVBE' } },
    { type: 'text', text: 'T\n\nHello' },
  ]);
  assert.deepEqual(sent.warnings, ['changed turns[0].parts[1]', 'lost turns[0].parts[2]']);
  assert.deepEqual(send(request, ENGINE).warnings, [
    'lost turns[0].parts[0]',
    'changed turns[0].parts[1]',
    'lost turns[0].parts[2]',
  ]);
});

test('bytes are asked for where the server cannot fetch, and only where they help', () => {
  const source = { kind: 'url', url: 'https://x.example/a', mediaType: undefined } as const;
  const needs = (target: EncodeTarget) =>
    (['image', 'file', 'audio'] as const).map((type) => needsBytes(source, type, target));
  assert.deepEqual(needs(openaiWith('gpt-4o')), [false, true, true]);
  assert.deepEqual(needs(ENGINE), [false, false, false]);
  assert.deepEqual(needs(serverWith({ fetchesImages: false })), [true, false, true]);
  assert.equal(needsBytes({ ...source, url: 'gs://a/b' }, 'image', serverWith({ fetchesImages: false })), false);
});

test('thoughts go back to engines as they came, never to OpenAI, and signed ones to nobody else', () => {
  const signed = thought('Signed', { signature: { origin: 'anthropic', value: 'S' } });
  const turns = [turn('assistant', thought('Own'), signed, text('x')), turn('user', text('y'))];
  const engine = send(requestOf({}, turns), ENGINE);
  assert.equal(engine.body.messages[0]?.['reasoning_content'], 'Own');
  assert.deepEqual(engine.warnings, ['lost turns[0].parts[1]']);
  const cloud = send(requestOf({}, turns), openaiWith('gpt-5'));
  assert.deepEqual(cloud.body.messages[0], { role: 'assistant', content: [{ type: 'text', text: 'x' }] });
  assert.deepEqual(cloud.warnings, ['lost turns[0].parts[0]', 'lost turns[0].parts[1]']);
});

test('a router that keeps details gets all thoughts with their signatures', () => {
  const signed = thought('Signed', { signature: { origin: 'anthropic', value: 'S' } });
  const made = call('c', { signature: { origin: 'gemini', value: 'G' } });
  const request = requestOf({}, [turn('assistant', signed, made)]);
  const { body, warnings } = send(request, serverWith({ replaysThoughtsAs: 'reasoning_details' }));
  assert.deepEqual(body.messages[0]?.['reasoning_details'], [
    { type: 'reasoning.text', text: 'Signed', signature: 'S', format: 'anthropic-claude-v1', index: 0 },
    { type: 'reasoning.encrypted', data: 'G', id: 'c', format: 'google-gemini-v1', index: 1 },
  ]);
  assert.deepEqual(warnings, []);
});

test("the signature of a call goes back to Gemini's own chat completions, and is told as lost elsewhere", () => {
  const request = requestOf({}, [turn('assistant', call('c', { signature: { origin: 'gemini', value: 'G' } }))]);
  const { body } = send(request, serverWith({}, { thoughts: 'gemini' }));
  const made = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const expected = [{ ...made, extra_content: { google: { thought_signature: 'G' } } }];
  assert.deepEqual(body.messages[0]?.['tool_calls'], expected);
  assert.deepEqual(send(request, openaiWith('gpt-4o')).warnings, ['lost turns[0].parts[0].signature']);
});

const on = { thinking: { type: 'enabled', budget_tokens: 8_192 } };
for (const [given, target, expected, warnings] of [
  [{ reasoning_effort: 'high' }, openaiWith('gpt-5'), { reasoning_effort: 'high' }, []],
  [on, openaiWith('gpt-5'), { reasoning_effort: 'medium' }, ['changed reasoning.budgetTokens']],
  [{ reasoning_effort: 'xhigh' }, openaiWith('o3'), { reasoning_effort: 'high' }, ['changed reasoning.effort']],
  [{ reasoning_effort: 'none' }, openaiWith('gpt-5.1'), { reasoning_effort: 'none' }, []],
  [{ reasoning_effort: 'none' }, openaiWith('gpt-5'), { reasoning_effort: 'minimal' }, ['changed reasoning.mode']],
  [{ thinking: { type: 'adaptive' } }, openaiWith('gpt-5.2'), { reasoning_effort: 'medium' }, []],
  [{ thinking: { type: 'adaptive' } }, openaiWith('gpt-5'), {}, []],
  [on, openaiWith('gpt-4o'), {}, ['lost reasoning']],
  [{ reasoning_effort: 'none' }, openaiWith('gpt-4o'), {}, []],
  [
    on,
    ENGINE,
    { chat_template_kwargs: { enable_thinking: true, thinking: true }, reasoning_effort: 'medium' },
    ['changed reasoning.budgetTokens'],
  ],
  [
    { thinking: { type: 'disabled' } },
    ENGINE,
    { chat_template_kwargs: { enable_thinking: false, thinking: false } },
    [],
  ],
  [on, serverWith({ reasoning: 'reasoning_object' }), { reasoning: { max_tokens: 8_192, enabled: true } }, []],
  [{ reasoning_effort: 'high' }, serverWith({ reasoning: 'reasoning_object' }), { reasoning: { effort: 'high' } }, []],
  [
    { reasoning: { enabled: false } },
    serverWith({ reasoning: 'reasoning_object' }),
    { reasoning: { enabled: false } },
    [],
  ],
  [
    on,
    serverWith({ reasoning: 'thinking_object' }),
    { thinking: { type: 'enabled' } },
    ['changed reasoning.budgetTokens'],
  ],
  [{ reasoning_effort: 'none' }, serverWith({ reasoning: 'thinking_object' }), { thinking: { type: 'disabled' } }, []],
  [on, serverWith({}), {}, ['lost reasoning']],
] as const)
  test(`thinking as ${JSON.stringify(given)} for ${target.provider?.name ?? 'an engine'} ${target.model} is ${JSON.stringify(expected)}`, () => {
    const sent = send(requestOf(given), target);
    const { messages: _messages, model: _model, ...rest } = sent.body;
    assert.deepEqual([rest, sent.warnings], [expected, warnings]);
  });

test('sampling is not sent to models that think, which is told unless the value is what they do anyway', () => {
  const given = { temperature: 0.5, top_p: 1, logprobs: true, top_logprobs: 2, presence_penalty: 0, stop: ['x'] };
  const { body, warnings } = send(requestOf(given), openaiWith('gpt-5-mini'));
  assert.deepEqual(Object.keys(body), ['model', 'messages']);
  assert.deepEqual(warnings, ['lost temperature', 'lost logprobs', 'lost top_logprobs', 'lost stop']);
  assert.equal(send(requestOf({ temperature: 0.5 }), openaiWith('gpt-5.1')).body['temperature'], 0.5);
  const thinking = send(requestOf({ temperature: 0, reasoning_effort: 'low' }), openaiWith('gpt-5.1'));
  assert.deepEqual([thinking.body['temperature'], thinking.warnings], [undefined, ['lost temperature']]);
  assert.equal(send(requestOf({ temperature: 0.5 }), openaiWith('gpt-4o')).body['temperature'], 0.5);
});

test('more stop sequences than the server takes are told as lost', () => {
  const { body, warnings } = send(requestOf({ stop: ['a', 'b', 'c', 'd', 'e'] }), openaiWith('gpt-4o'));
  assert.deepEqual([body['stop'], warnings], [['a', 'b', 'c', 'd'], ['lost stop[4]']]);
});

test("an assistant's turn at the end is continued by engines, and the others say that they do not", () => {
  const turns = [turn('user', text('a')), turn('assistant', text('b'))];
  const { body } = send(requestOf({}, turns), ENGINE);
  assert.deepEqual([body['continue_final_message'], body['add_generation_prompt']], [true, false]);
  assert.deepEqual(send(requestOf({}, turns), openaiWith('gpt-4o')).warnings, ['changed turns[1]']);
});

test('what a provider refuses is left out and told, what it has under another name is renamed', () => {
  const quirks: Provider['quirks'] = [
    { protocol: 'openai-chat', name: 'seed', act: { rename: 'random_seed' } },
    { protocol: 'openai-chat', name: 'user', act: 'remove' },
    { protocol: 'openai-chat', name: 'n', act: 'remove', models: /^other/ },
    { protocol: 'openai-responses', name: 'temperature', act: 'remove' },
  ];
  const given = { seed: 1, user: 'u', n: 2, temperature: 0.5 };
  const { body, warnings } = send(requestOf(given), serverWith({}, { quirks }));
  assert.deepEqual(
    [body['random_seed'], body['seed'], body['user'], body['n'], body['temperature'], warnings],
    [1, undefined, undefined, 2, 0.5, ['lost user']],
  );
});

test('a refusal is said as text to who refuses the field', () => {
  const quirks: Provider['quirks'] = [{ protocol: 'openai-chat', name: 'messages[].refusal', act: 'remove' }];
  const turns = [turn('assistant', { type: 'refusal', text: 'No.' }), turn('user', text('x'))];
  const { body, warnings } = send(requestOf({}, turns), serverWith({}, { quirks }));
  assert.deepEqual(body.messages[0], { role: 'assistant', content: 'No.' });
  assert.deepEqual(warnings, ['changed turns[0]']);
});

test('an assistant that said nothing but called has a null content, one that said nothing at all an empty one', () => {
  const turns = [turn('assistant', call('a')), turn('tool', result('a')), turn('assistant'), turn('user', text('x'))];
  const { body } = send(requestOf({}, turns), openaiWith('gpt-4o'));
  assert.deepEqual([body.messages[0]?.['content'], body.messages[2]?.['content']], [null, '']);
});

test('text behind a tool call comes before it, which is told', () => {
  const request = requestOf({}, [turn('assistant', call('a'), text('x')), turn('tool', result('a'))]);
  assert.deepEqual(send(request, openaiWith('gpt-4o')).warnings, ['changed turns[0]']);
});

test('what a provider refuses in messages is left out of each of them', () => {
  const quirks: Provider['quirks'] = [{ protocol: 'openai-chat', name: 'messages[].name', act: 'remove' }];
  const turns = [{ ...turn('user', text('x')), name: 'ann' }];
  const { body, warnings } = send(requestOf({}, turns), serverWith({}, { quirks }));
  assert.deepEqual(body.messages[0], { role: 'user', content: 'x' });
  assert.deepEqual(warnings, ['lost messages[0].name']);
});

test('JSON of any shape is asked for in a message too where the prompt has no word of it', () => {
  const wish = { response_format: { type: 'json_object' } };
  const bare = send(requestOf(wish, [turn('user', text('List them.'))]), openaiWith('gpt-4o'));
  assert.deepEqual(bare.body.messages[0], { role: 'system', content: 'Answer with one JSON object.' });
  assert.deepEqual(bare.warnings, ['changed response_format']);
  const asked = send(requestOf(wish, [turn('user', text('List them as json.'))]), openaiWith('gpt-4o'));
  assert.deepEqual([asked.body.messages.length, asked.warnings], [1, []]);
});

test('a file of plain text is sent as text to OpenAI too, whose chat completions read PDFs alone', () => {
  const source = { kind: 'base64', base64: Buffer.from('Notes.').toString('base64'), mediaType: 'text/plain' } as const;
  const facts = { filename: undefined, title: undefined, context: undefined, isCitable: undefined, cache: undefined };
  const { body, warnings } = send(
    requestOf({}, [turn('user', { type: 'file', source, ...facts })]),
    openaiWith('gpt-4o'),
  );
  assert.deepEqual(body.messages[0]?.['content'], [{ type: 'text', text: 'Notes.' }]);
  assert.deepEqual(warnings, ['changed turns[0].parts[0]']);
});

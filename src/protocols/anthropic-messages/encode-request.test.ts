/** Requests of other APIs for a worker of Anthropic's, by the cases in which gateways go wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  call,
  encodeForEngine,
  encodeMessages,
  OLD_MODEL,
  requestWith,
  result,
  text,
  turn,
  userTurn,
} from '../../../test/support/messages-codec.ts';
import type { GenerationRequest, Part, ReasoningPart, Tool, Turn } from '../../domain/generation.ts';

const weather: Tool = {
  type: 'function',
  name: 'get_weather',
  description: 'Weather now.',
  schemaText: '{"type":"object","properties":{"city":{"type":"string"}}}',
  isStrict: undefined,
  cache: undefined,
};

function thought(
  value: string | undefined,
  origin: 'anthropic' | 'openai' = 'anthropic',
  words = 'Hm.',
): ReasoningPart {
  const signature = value === undefined ? undefined : { origin, value };
  return { type: 'reasoning', text: words, signature, isRedacted: false, itemId: undefined };
}

function messagesOf(turns: readonly Turn[], model = OLD_MODEL) {
  const { body, warnings } = encodeMessages(requestWith({ turns }), model);
  return { messages: body['messages'], system: body['system'], warnings };
}

function reasoningOf(
  fields: Partial<GenerationRequest['reasoning']>,
  rest: Partial<GenerationRequest> = {},
  model = OLD_MODEL,
) {
  const reasoning = { mode: undefined, effort: undefined, budgetTokens: undefined, summary: undefined, ...fields };
  const { body, warnings } = encodeMessages(requestWith({ reasoning, ...rest }), model);
  return [body['thinking'], body['output_config'], warnings.map((line) => line.split(' ', 2).join(' '))];
}

test('parallel tool calls: all results stand first in the very next user message', () => {
  const { messages, warnings } = messagesOf([
    userTurn('Both cities.'),
    turn(
      'assistant',
      text('I look.'),
      call('a', 'get_weather', '{"city":"Paris"}'),
      call('b', 'get_weather', '{"city":"Oslo"}'),
    ),
    turn('tool', result('a', '18')),
    turn('tool', result('b', '7')),
    userTurn('And?'),
  ]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(messages, [
    { role: 'user', content: 'Both cities.' },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'a', name: 'get_weather', input: { city: 'Paris' } },
        { type: 'tool_use', id: 'b', name: 'get_weather', input: { city: 'Oslo' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: '18' },
        { type: 'tool_result', tool_use_id: 'b', content: '7' },
        { type: 'text', text: 'And?' },
      ],
    },
  ]);
});

test('a result that stands after words of the user is put before them', () => {
  const { messages } = messagesOf([
    userTurn('x'),
    turn('assistant', call('a')),
    turn('user', text('Here:'), result('a')),
  ]);
  assert.partialDeepStrictEqual((messages as unknown[])[2], { content: [{ type: 'tool_result' }, { type: 'text' }] });
});

test('a call without a result is answered with an error, and told', () => {
  for (const after of [[], [userTurn('Go on.')], [turn('assistant', text('Well.')), userTurn('Go on.')]]) {
    const { messages, warnings } = messagesOf([
      userTurn('x'),
      turn('assistant', call('a'), call('b')),
      turn('tool', result('a')),
      ...after,
    ]);
    assert.partialDeepStrictEqual((messages as { content: unknown }[])[2]?.content, [
      { type: 'tool_result', tool_use_id: 'a' },
      { type: 'tool_result', tool_use_id: 'b', is_error: true },
    ]);
    assert.deepEqual(warnings, [
      'changed: turns[1].parts[1] is a call without a result, so that it is answered with an error',
    ]);
  }
});

test('a result whose call is not right before it is sent as text, and so is a second one for a call', () => {
  const orphan = messagesOf([turn('tool', { ...result('gone', 'late'), name: 'look', isError: true })]);
  assert.deepEqual(orphan.messages, [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Result of tool call look (failed):' },
        { type: 'text', text: 'late' },
      ],
    },
  ]);
  assert.equal(orphan.warnings.length, 1);
  const twice = messagesOf([
    userTurn('x'),
    turn('assistant', call('a')),
    turn('tool', result('a', '1'), result('a', '2')),
  ]);
  assert.deepEqual((twice.messages as unknown[])[2], {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: '1' },
      { type: 'text', text: 'Result of tool call a:' },
      { type: 'text', text: '2' },
    ],
  });
});

test('tool ids that the pattern refuses are changed alike in call and result', () => {
  const { messages } = messagesOf([
    userTurn('x'),
    turn('assistant', call('functions.look:0')),
    turn('tool', result('functions.look:0')),
  ]);
  const [, assistant, user] = messages as { content: Record<string, unknown>[] }[];
  const id = assistant?.content[0]?.['id'];
  assert.match(String(id), /^[a-zA-Z0-9_-]+$/);
  assert.equal(user?.content[0]?.['tool_use_id'], id);
});

test('a tool result with text, image and file keeps them all, and its failure', () => {
  const parts = [
    text('Screen:'),
    {
      type: 'image',
      source: { kind: 'base64', base64: 'AA==', mediaType: 'image/png' },
      detail: undefined,
      cache: undefined,
    },
  ] as const;
  const { messages, warnings } = messagesOf([
    userTurn('x'),
    turn('assistant', call('a')),
    turn('tool', { ...result('a'), parts, isPlain: false, isError: true }),
  ]);
  assert.deepEqual(warnings, []);
  assert.deepEqual((messages as { content: unknown[] }[])[2]?.content[0], {
    type: 'tool_result',
    tool_use_id: 'a',
    content: [
      { type: 'text', text: 'Screen:' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
    ],
    is_error: true,
  });
});

test('zero-argument tools: a tool without a schema and a call without arguments', () => {
  const { body } = encodeMessages(
    requestWith({
      tools: [{ ...weather, schemaText: undefined }],
      turns: [userTurn('x'), turn('assistant', call('a')), turn('tool', result('a'))],
    }),
  );
  assert.partialDeepStrictEqual(body, { tools: [{ input_schema: { type: 'object', properties: {} } }] });
  assert.partialDeepStrictEqual((body['messages'] as { content: unknown }[])[1]?.content, [{ input: {} }]);
});

test('arguments keep their bytes, and text that is no object is wrapped and told', () => {
  const kept = encodeMessages(
    requestWith({ turns: [turn('assistant', call('a', 'f', '{"10":1.0,"2":12345678901234567890}'))] }),
  );
  assert.ok(kept.text.includes('"input":{"10":1.0,"2":12345678901234567890}'));
  const broken = encodeMessages(requestWith({ turns: [turn('assistant', call('a', 'f', '{"city":'))] }));
  assert.ok(broken.text.includes(String.raw`"input":{"arguments":"{\"city\":"}`));
  assert.ok(broken.warnings.some((line) => line.startsWith('changed: turns[0].parts[0].arguments')));
});

test('a name of a tool that the API refuses is the client’s error', () => {
  assert.throws(() => encodeMessages(requestWith({ tools: [{ ...weather, name: 'a.b' }] })), {
    code: 'invalid_request',
    param: 'tools[0].name',
  });
  assert.throws(() => encodeMessages(requestWith({ turns: [turn('assistant', call('a', ''))] })), {
    param: 'turns[0].parts[0].name',
  });
});

test('tool_choice is mapped in each of its forms', () => {
  const choiceOf = (toolChoice: GenerationRequest['toolChoice'], mayCallInParallel?: boolean) =>
    encodeMessages(requestWith({ tools: [weather], toolChoice, mayCallInParallel })).body['tool_choice'];
  assert.deepEqual(
    [
      choiceOf(undefined),
      choiceOf({ mode: 'auto', names: [] }),
      choiceOf({ mode: 'required', names: [] }),
      choiceOf({ mode: 'none', names: [] }),
      choiceOf({ mode: 'named', names: ['get_weather'] }),
      choiceOf({ mode: 'required', names: ['get_weather'] }),
      choiceOf(undefined, false),
      choiceOf({ mode: 'required', names: [] }, false),
      choiceOf(undefined, true),
    ],
    [
      undefined,
      { type: 'auto' },
      { type: 'any' },
      { type: 'none' },
      { type: 'tool', name: 'get_weather' },
      { type: 'tool', name: 'get_weather' },
      { type: 'auto', disable_parallel_tool_use: true },
      { type: 'any', disable_parallel_tool_use: true },
      undefined,
    ],
  );
});

test('a choice among some tools gives these alone', () => {
  const tools = ['a', 'b', 'c'].map((name) => ({ ...weather, name }));
  const { body, warnings } = encodeMessages(
    requestWith({ tools, toolChoice: { mode: 'required', names: ['a', 'c'] } }),
  );
  assert.deepEqual(
    (body['tools'] as { name: string }[]).map(({ name }) => name),
    ['a', 'c'],
  );
  assert.deepEqual(body['tool_choice'], { type: 'any' });
  assert.equal(warnings.length, 1);
});

test('forced calls: a model that refuses them gets auto, one that refuses them with thinking does not think', () => {
  const fields = { tools: [weather], toolChoice: { mode: 'required', names: [] } } as const;
  const refused = encodeMessages(requestWith(fields), 'claude-opus-5-5');
  assert.deepEqual(refused.body['tool_choice'], { type: 'auto' });
  assert.equal(refused.warnings.length, 1);
  assert.deepEqual(reasoningOf({ effort: 'high' }, fields), [undefined, undefined, ['lost: reasoning']]);
  assert.deepEqual(reasoningOf({ effort: 'high' }, fields, 'claude-opus-4-8'), [
    { type: 'adaptive' },
    { effort: 'high' },
    [],
  ]);
});

test('a tool of another provider is told, one of this API goes as it came', () => {
  const own: Tool = {
    type: 'native',
    origin: 'anthropic-messages',
    name: 'web_search_20260318',
    json: '{"type":"web_search_20260318", "name":"web_search"}',
  };
  const { text: body, warnings } = encodeMessages(
    requestWith({ tools: [own, { ...own, origin: 'openai-responses', name: 'file_search' }] }),
  );
  assert.ok(body.includes(`"tools":[${own.json}]`));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^lost: tools\[1\]/);
});

test('thoughts of this provider are replayed byte for byte before their call, redacted ones too', () => {
  const redacted: Part = { ...thought('Emw+/=='), text: '', isRedacted: true };
  const { messages, warnings } = messagesOf([
    userTurn('x'),
    turn('assistant', thought('EqQB+/=='), redacted, call('a')),
    turn('tool', result('a')),
  ]);
  assert.deepEqual(warnings, []);
  assert.deepEqual((messages as { content: unknown[] }[])[1]?.content.slice(0, 2), [
    { type: 'thinking', thinking: 'Hm.', signature: 'EqQB+/==' },
    { type: 'redacted_thinking', data: 'Emw+/==' },
  ]);
});

test('thoughts of others, and those without proof, are left out and told, never sent as words', () => {
  const { messages, warnings } = messagesOf([
    userTurn('x'),
    turn('assistant', thought('gAAA', 'openai', 'SECRET1'), thought(undefined, 'anthropic', 'SECRET2'), text('Hi.')),
    userTurn('y'),
  ]);
  assert.deepEqual((messages as unknown[])[1], { role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] });
  assert.deepEqual(warnings, [
    'lost: turns[1].parts[0] is a thought that can be replayed to openai only',
    'lost: turns[1].parts[1] is a thought without a signature, which cannot be replayed',
  ]);
});

test('an engine takes its thoughts without proof', () => {
  const { body } = encodeForEngine(
    requestWith({ turns: [userTurn('x'), turn('assistant', thought(undefined), text('Hi.')), userTurn('y')] }),
  );
  assert.partialDeepStrictEqual((body['messages'] as { content: unknown }[])[1]?.content, [
    { type: 'thinking', thinking: 'Hm.', signature: '' },
  ]);
});

test('effort and budget: by the table, in the way that the model takes', () => {
  assert.deepEqual(reasoningOf({ effort: 'medium' }), [{ type: 'enabled', budget_tokens: 8_192 }, undefined, []]);
  assert.deepEqual(reasoningOf({ effort: 'minimal' }), [{ type: 'enabled', budget_tokens: 1_024 }, undefined, []]);
  assert.deepEqual(reasoningOf({ effort: 'minimal' }, {}, 'claude-opus-4-7'), [
    { type: 'adaptive' },
    { effort: 'low' },
    ['changed: reasoning.effort'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'xhigh' }, {}, 'claude-opus-4-6'), [
    { type: 'adaptive' },
    { effort: 'high' },
    ['changed: reasoning.effort'],
  ]);
  assert.deepEqual(reasoningOf({ mode: 'on', budgetTokens: 5_000 }, {}, 'claude-opus-4-6'), [
    { type: 'enabled', budget_tokens: 5_000 },
    undefined,
    [],
  ]);
  assert.deepEqual(reasoningOf({ mode: 'on', budgetTokens: 5_000 }, {}, 'claude-opus-4-7'), [
    { type: 'adaptive' },
    { effort: 'medium' },
    ['changed: reasoning.budget_tokens'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'high' }, {}, 'claude-sonnet-5'), [undefined, { effort: 'high' }, []]);
  assert.deepEqual(reasoningOf({ mode: 'adaptive' }), [
    { type: 'enabled', budget_tokens: 8_192 },
    undefined,
    ['changed: reasoning.mode'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'high' }, { maxTokens: 4_000 }, 'claude-3-5-haiku-latest'), [
    undefined,
    undefined,
    ['lost: reasoning'],
  ]);
});

test('a budget fits below max_tokens, which is never raised, and is at least 1,024', () => {
  assert.deepEqual(reasoningOf({ mode: 'on', budgetTokens: 8_000 }, { maxTokens: 4_000 }), [
    { type: 'enabled', budget_tokens: 2_000 },
    undefined,
    ['changed: reasoning.budget_tokens'],
  ]);
  assert.deepEqual(reasoningOf({ mode: 'on', budgetTokens: 10 }), [
    { type: 'enabled', budget_tokens: 1_024 },
    undefined,
    ['changed: reasoning.budget_tokens'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'low' }, { maxTokens: 1_024 }), [undefined, undefined, ['lost: reasoning']]);
  const { body } = encodeMessages(
    requestWith({
      maxTokens: undefined,
      reasoning: { mode: 'on', effort: undefined, budgetTokens: 40_000, summary: undefined },
    }),
  );
  assert.deepEqual([body['thinking'], body['max_tokens']], [{ type: 'enabled', budget_tokens: 40_000 }, 44_096]);
});

test('thinking off: said where it is on by default, told where it cannot be', () => {
  assert.deepEqual(reasoningOf({ effort: 'none' }), [undefined, undefined, []]);
  assert.deepEqual(reasoningOf({ mode: 'off' }), [{ type: 'disabled' }, undefined, []]);
  assert.deepEqual(reasoningOf({ effort: 'none' }, {}, 'claude-sonnet-5'), [{ type: 'disabled' }, undefined, []]);
  assert.deepEqual(reasoningOf({ mode: 'off', effort: 'max' }, {}, 'claude-opus-5'), [
    { type: 'disabled' },
    { effort: 'high' },
    ['changed: reasoning.effort'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'none' }, {}, 'claude-sonnet-5-5'), [
    { type: 'between_tools' },
    undefined,
    ['changed: reasoning'],
  ]);
  assert.deepEqual(reasoningOf({ effort: 'none' }, {}, 'claude-fable-5'), [
    undefined,
    { effort: 'low' },
    ['changed: reasoning'],
  ]);
});

test('thinking is shown or not as the client wishes', () => {
  assert.deepEqual(reasoningOf({ mode: 'adaptive', summary: 'none' }, {}, 'claude-opus-5')[0], {
    type: 'adaptive',
    display: 'omitted',
  });
  assert.deepEqual(reasoningOf({ effort: 'low', summary: 'auto' }, {}, 'claude-opus-5')[0], {
    type: 'adaptive',
    display: 'summarized',
  });
  assert.deepEqual(reasoningOf({ effort: 'low', summary: 'detailed' }, {}, 'claude-opus-5')[2], [
    'changed: reasoning.summary',
  ]);
});

test('thinking with a budget is off while calls are under way that began without a thought of this provider', () => {
  const loop = (...opening: readonly Part[]) => [
    userTurn('x'),
    turn('assistant', ...opening, call('a')),
    turn('tool', result('a')),
    turn('assistant', call('b')),
    turn('tool', result('b')),
  ];
  assert.deepEqual(reasoningOf({ effort: 'low' }, { turns: loop() }), [undefined, undefined, ['lost: reasoning']]);
  assert.deepEqual(reasoningOf({ effort: 'low' }, { turns: loop(thought('EqQB')) })[0], {
    type: 'enabled',
    budget_tokens: 1_024,
  });
  assert.deepEqual(
    reasoningOf({ effort: 'low' }, { turns: [...loop(), turn('assistant', text('Done.')), userTurn('y')] })[0],
    { type: 'enabled', budget_tokens: 1_024 },
  );
  assert.deepEqual(reasoningOf({ effort: 'low' }, { turns: loop() }, 'claude-opus-4-8')[0], { type: 'adaptive' });
});

test('sampling beside thinking, and for models that take none, is left out and told', () => {
  const fields = { temperature: 0.2, topP: 0.5, topK: 40 };
  const warned = (more: Partial<GenerationRequest>, model?: string) => {
    const { body, warnings } = encodeMessages(requestWith({ ...fields, ...more }), model);
    return [body['temperature'], body['top_p'], body['top_k'], warnings.map((line) => line.split(' ')[1])];
  };
  assert.deepEqual(warned({}, 'claude-sonnet-4-0'), [0.2, 0.5, 40, []]);
  assert.deepEqual(warned({}), [0.2, undefined, 40, ['top_p']]);
  assert.deepEqual(warned({}, 'claude-opus-4-7'), [undefined, undefined, undefined, ['temperature', 'top_p', 'top_k']]);
  assert.deepEqual(warned({ temperature: 1, topP: 0.99, topK: undefined }, 'claude-opus-4-7'), [
    1,
    0.99,
    undefined,
    [],
  ]);
  assert.deepEqual(warned({ temperature: 1.7, topP: undefined }), [1, undefined, 40, ['temperature']]);
  const thinking = { reasoning: { mode: 'on', effort: undefined, budgetTokens: 2_000, summary: undefined } } as const;
  assert.deepEqual(warned(thinking), [undefined, undefined, undefined, ['temperature', 'top_p', 'top_k']]);
  assert.deepEqual(encodeForEngine(requestWith({ ...fields, temperature: 1.7 })).warnings, []);
});

test('max_tokens is given by the model when the client has none, and never above its limit', () => {
  const maxOf = (maxTokens: number | undefined, model?: string) => {
    const { body, warnings } = encodeMessages(requestWith({ maxTokens }), model);
    return [body['max_tokens'], warnings.length];
  };
  assert.deepEqual(
    [maxOf(undefined), maxOf(undefined, 'claude-3-haiku-20240307'), maxOf(70_000), maxOf(50)],
    [
      [32_000, 1],
      [4_096, 1],
      [64_000, 1],
      [50, 0],
    ],
  );
  assert.equal(encodeForEngine(requestWith({ maxTokens: undefined })).body['max_tokens'], 4_096);
});

test('cache marks stay where they are, with their time; what is more than four goes, the shared part keeps its last', () => {
  const marked = (value: string): Part => ({ ...text(value), cache: { ttl: '1h' } });
  const turns = [
    turn('system', marked('S1'), marked('S2')),
    ...['a', 'b', 'c'].flatMap((value) => [turn('user', marked(value)), turn('assistant', text('ok'))]),
    userTurn('d'),
  ];
  const { body, warnings } = encodeMessages(requestWith({ turns, tools: [{ ...weather, cache: { ttl: undefined } }] }));
  assert.equal(JSON.stringify(body).split('cache_control').length - 1, 4);
  assert.deepEqual(body['system'], [
    { type: 'text', text: 'S1' },
    { type: 'text', text: 'S2', cache_control: { type: 'ephemeral', ttl: '1h' } },
  ]);
  assert.deepEqual(
    warnings.map((line) => line.split(' ')[1]),
    ['tools[0].cache_control', 'turns[0].parts[0].cache_control'],
  );
});

test('the automatic mark of the API counts as one', () => {
  const marked: Part = { ...text('x'), cache: { ttl: undefined } };
  const extras = [{ origin: 'anthropic-messages', name: 'cache_control', json: '{"type":"ephemeral"}' }];
  const { warnings } = encodeMessages(requestWith({ turns: [turn('user', marked, marked, marked, marked)], extras }));
  assert.equal(warnings.length, 1);
});

test('key order and number text of schemas stay', () => {
  const schemaText = '{"type":"object","properties":{"b":{"minimum":1.0},"10":{},"2":{}}}';
  assert.ok(encodeMessages(requestWith({ tools: [{ ...weather, schemaText }] })).text.includes(schemaText));
});

test('a schema without a type is given one', () => {
  const { body, warnings } = encodeMessages(requestWith({ tools: [{ ...weather, schemaText: '{"properties":{}}' }] }));
  assert.partialDeepStrictEqual(body, { tools: [{ input_schema: { type: 'object', properties: {} } }] });
  assert.deepEqual(warnings, ['changed: tools[0].schema is given the type `object`']);
});

test('strict tools are kept where the model knows them', () => {
  const tools = [{ ...weather, isStrict: true }];
  assert.partialDeepStrictEqual(encodeMessages(requestWith({ tools })).body, { tools: [{ strict: true }] });
  const old = encodeMessages(requestWith({ tools }), 'claude-sonnet-4-0');
  assert.ok(!old.text.includes('strict'));
  assert.deepEqual(old.warnings, ['lost: tools[0].strict is not known to this model']);
  const loose = encodeMessages(requestWith({ tools: [{ ...weather, isStrict: false }] }), 'claude-sonnet-4-0');
  assert.ok(!loose.text.includes('strict'));
  assert.deepEqual(loose.warnings, []);
});

test('images: by URL where the API fetches them, as bytes, by file id; what it does not take is told', () => {
  const image = (source: object): Part => ({ type: 'image', source, detail: undefined, cache: undefined }) as Part;
  const { messages, warnings } = messagesOf([
    turn(
      'user',
      image({ kind: 'url', url: 'https://x.test/a.png', mediaType: undefined }),
      image({ kind: 'base64', base64: 'AA==', mediaType: 'image/jpg' }),
      image({ kind: 'file_id', id: 'file_1', origin: 'anthropic' }),
      image({ kind: 'url', url: 'http://x.test/a.png', mediaType: undefined }),
      image({ kind: 'base64', base64: 'AA==', mediaType: 'image/svg+xml' }),
      image({ kind: 'file_id', id: 'file-2', origin: 'openai' }),
    ),
  ]);
  assert.deepEqual(
    (messages as { content: { source: unknown }[] }[])[0]?.content.map(({ source }) => source),
    [
      { type: 'url', url: 'https://x.test/a.png' },
      { type: 'base64', media_type: 'image/jpeg', data: 'AA==' },
      { type: 'file', file_id: 'file_1' },
    ],
  );
  assert.deepEqual(
    warnings.map((line) => line.split(' ')[1]),
    [3, 4, 5].map((at) => `turns[0].parts[${at}]`),
  );
});

test('PDFs and texts become documents, with their name as title; other files and audio are told', () => {
  const file = (source: object, filename?: string): Part =>
    ({
      type: 'file',
      source,
      filename,
      title: undefined,
      context: undefined,
      isCitable: undefined,
      cache: undefined,
    }) as Part;
  const { messages, warnings } = messagesOf([
    turn(
      'user',
      file({ kind: 'base64', base64: 'JVBERg==', mediaType: 'application/pdf' }, 'a.pdf'),
      file({
        kind: 'base64',
        base64: Buffer.from('# Hällo').toString('base64'),
        mediaType: 'text/markdown; charset=utf-8',
      }),
      file({ kind: 'url', url: 'https://x.test/a.pdf', mediaType: undefined }),
      file({ kind: 'base64', base64: 'AA==', mediaType: 'video/mp4' }),
      { type: 'audio', source: { kind: 'base64', base64: 'AA==', mediaType: 'audio/wav' } },
    ),
  ]);
  assert.deepEqual((messages as { content: unknown[] }[])[0]?.content, [
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' }, title: 'a.pdf' },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '# Hällo' } },
    { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
  ]);
  assert.deepEqual(
    warnings.map((line) => line.split(' ', 2).join(' ')),
    ['changed: turns[0].parts[1]', 'lost: turns[0].parts[3]', 'lost: turns[0].parts[4]'],
  );
});

test('system prompts: the first ones lead, later ones are the user’s marked words, or turns where the model takes them', () => {
  const turns = [
    turn('system', text('A.')),
    turn('developer', text('B.')),
    userTurn('Hi.'),
    turn('system', text('Now.')),
    turn('assistant', text('Yes.')),
    userTurn('Go.'),
  ];
  const old = messagesOf(turns);
  assert.deepEqual(old.system, [
    { type: 'text', text: 'A.' },
    { type: 'text', text: 'B.' },
  ]);
  assert.deepEqual((old.messages as unknown[])[0], {
    role: 'user',
    content: [
      { type: 'text', text: 'Hi.' },
      { type: 'text', text: '<system>\nNow.\n</system>' },
    ],
  });
  assert.equal(old.warnings.length, 1);
  const current = messagesOf(turns, 'claude-opus-4-8');
  assert.deepEqual((current.messages as unknown[])[1], { role: 'system', content: [{ type: 'text', text: 'Now.' }] });
  assert.deepEqual(current.warnings, []);
});

test('a system turn where the model refuses one, between a call and its result or before the user, moves into his message', () => {
  const between = messagesOf(
    [userTurn('x'), turn('assistant', call('a')), turn('system', text('Now.')), turn('tool', result('a'))],
    'claude-opus-4-8',
  );
  assert.partialDeepStrictEqual((between.messages as unknown[])[2], {
    role: 'user',
    content: [{ type: 'tool_result' }, { type: 'text', text: '<system>\nNow.\n</system>' }],
  });
  const before = messagesOf([userTurn('x'), turn('system', text('Now.')), userTurn('y')], 'claude-opus-4-8');
  assert.partialDeepStrictEqual(before.messages, [
    { role: 'user', content: [{ text: 'x' }, { text: '<system>\nNow.\n</system>' }, { text: 'y' }] },
  ]);
});

test('a lone plain system prompt stays plain, and a conversation of nothing else is begun by the user', () => {
  const { system, messages, warnings } = messagesOf([{ ...turn('system', text('Tell a joke.')), isPlain: true }]);
  assert.equal(system, 'Tell a joke.');
  assert.deepEqual(messages, [{ role: 'user', content: 'Begin.' }]);
  assert.equal(warnings.length, 1);
});

test('blank text is left out, equal turns in a row are one, and a turn of nothing is none', () => {
  const { messages, warnings } = messagesOf([
    userTurn('a'),
    userTurn('b'),
    turn('assistant', text(''), text('ok')),
    userTurn(' \n'),
    turn('assistant', text('more')),
    userTurn('c'),
  ]);
  assert.deepEqual(messages, [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    { role: 'assistant', content: [{ type: 'text', text: 'ok' }] },
    { role: 'assistant', content: [{ type: 'text', text: 'more' }] },
    { role: 'user', content: 'c' },
  ]);
  assert.deepEqual(warnings, ['changed: turns[3].parts[0] is blank text, which this API refuses, and is left out']);
});

test('the beginning of the answer is kept without the blank at its end where the model goes on with it', () => {
  const turns = [userTurn('x'), { ...turn('assistant', text('The answer is ')), isPlain: true }];
  assert.deepEqual(messagesOf(turns).messages, [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: 'The answer is' },
  ]);
  const { messages, warnings } = messagesOf(turns, 'claude-opus-4-6');
  assert.deepEqual((messages as unknown[]).at(-1), { role: 'user', content: 'Continue.' });
  assert.equal(warnings.length, 1);
});

test('a paused turn is sent back as it is', () => {
  const native: Part = {
    type: 'native',
    origin: 'anthropic-messages',
    name: 'server_tool_use',
    json: '{"type":"server_tool_use","id":"s","name":"web_search","input":{}}',
  };
  const { messages, warnings } = messagesOf([userTurn('x'), turn('assistant', native)], 'claude-opus-5');
  assert.equal((messages as unknown[]).length, 2);
  assert.deepEqual(warnings, []);
});

test('structured output: the schema is closed on a copy, limits are taken away, and both are told', () => {
  const schemaText =
    '{"type":"object","properties":{"n":{"type":"integer","minimum":1},"o":{"type":"object","properties":{},"additionalProperties":false}},"required":["n"]}';
  const { body, warnings } = encodeMessages(
    requestWith({
      responseFormat: { type: 'json_schema', name: 'r', description: undefined, schemaText, isStrict: true },
    }),
  );
  assert.deepEqual(body['output_config'], {
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { n: { type: 'integer' }, o: { type: 'object', properties: {}, additionalProperties: false } },
        required: ['n'],
        additionalProperties: false,
      },
    },
  });
  assert.deepEqual(warnings, [
    'changed: response_format.schema is sent without `minimum`, with `additionalProperties: false`',
  ]);
});

test('structured output where the model has none, and JSON of any shape, are asked for in the system prompt', () => {
  const any = encodeMessages(requestWith({ responseFormat: { type: 'json_object' } }));
  assert.match(String(any.body['system']), /JSON object/);
  assert.equal(any.warnings.length, 1);
  const format = {
    type: 'json_schema',
    name: 'r',
    description: undefined,
    schemaText: '{"type":"object"}',
    isStrict: undefined,
  } as const;
  const old = encodeMessages(
    requestWith({ responseFormat: format, turns: [turn('system', text('S.')), userTurn('x')] }),
    'claude-3-5-haiku-latest',
  );
  assert.deepEqual((old.body['system'] as unknown[]).length, 2);
  assert.ok(old.text.includes(String.raw`{\"type\":\"object\"}`));
});

test('each field without a counterpart is told once', () => {
  const { warnings } = encodeMessages(
    requestWith({
      choices: 2,
      seed: 1,
      minP: 0.1,
      frequencyPenalty: 0.5,
      presencePenalty: 0.5,
      wantsLogprobs: true,
      topLogprobs: 3,
      logitBiasText: '{"1":2}',
      metadataText: '{"a":"b"}',
      verbosity: 'low',
      promptCacheKey: 'k',
      store: true,
      serviceTier: 'flex',
      stop: ['END', '\n'],
      user: 'a@b.test',
      extras: [{ origin: 'openai-chat', name: 'regex', json: '"x"' }],
      turns: [{ ...userTurn('x'), name: 'Ann' }],
    }),
  );
  const fields = warnings.map((line) => line.split(' ')[1] ?? '').toSorted((one, other) => one.localeCompare(other));
  assert.deepEqual(fields, [
    'frequency_penalty',
    'logit_bias',
    'logprobs',
    'metadata',
    'min_p',
    'n',
    'presence_penalty',
    'prompt_cache_key',
    'regex',
    'seed',
    'service_tier',
    'stop[1]',
    'store',
    'top_logprobs',
    'turns[0].name',
    'user',
    'verbosity',
  ]);
});

test('what is set to nothing is nothing lost', () => {
  assert.deepEqual(
    encodeMessages(
      requestWith({ frequencyPenalty: 0, presencePenalty: 0, store: false, serviceTier: 'default', user: 'u-1' }),
    ).warnings,
    [],
  );
});

test('thinking is left out where the words of the user beside results began a turn without a thought', () => {
  const turns = [
    userTurn('a'),
    turn('assistant', thought('sig'), call('1')),
    turn('user', result('1'), text('and now b')),
    turn('assistant', call('2')),
    turn('user', result('2')),
  ];
  const [thinking, , told] = reasoningOf({ mode: 'on', budgetTokens: 2_000 }, { turns, maxTokens: 9_000 });
  assert.deepEqual([thinking, told], [undefined, ['lost: reasoning']]);
});

test('a user that looks like an address or a telephone number is told, a UUID of digits goes', () => {
  const sent = (user: string) => {
    const { body, warnings } = encodeMessages(requestWith({ user }));
    return [body['metadata'], warnings.filter((warning) => warning.includes('user')).length];
  };
  for (const user of ['a@b.test', '+44 20 7946 0018', '0123-4567-89']) assert.deepEqual(sent(user), [undefined, 1]);
  for (const user of ['00000000-0000-1000-8000-000000000000', 'u-1', '12345'])
    assert.deepEqual(sent(user), [{ user_id: user }, 0]);
});

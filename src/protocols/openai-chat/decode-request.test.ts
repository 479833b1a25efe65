/** What a chat client's body means to the hub. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationRequest, Part, TranslationWarning } from '../../domain/generation.ts';
import { decodeRequest } from './decode-request.ts';

const FACTS = { model: undefined, isStream: undefined, headers: {} };

function decodeBody(body: object): { request: GenerationRequest; warnings: readonly TranslationWarning[] } {
  return decodeRequest(Buffer.from(JSON.stringify({ model: 'm', messages: [], ...body })), FACTS);
}

function decode(body: object): GenerationRequest {
  return decodeBody(body).request;
}

function fieldsOf(body: object): string[] {
  return decodeBody(body).warnings.map(({ kind, field }) => `${kind} ${field}`);
}

/** The parts of the last message, without members that are undefined. */
function partsOf(...messages: object[]): Part[] {
  const parts = decode({ messages }).turns.at(-1)?.parts ?? [];
  return JSON.parse(JSON.stringify(parts)) as Part[];
}

test('texts and lists of parts, in every role, keep their order and their form', () => {
  const { turns } = decode({
    messages: [
      { role: 'system', content: 'a' },
      { role: 'developer', content: [{ type: 'text', text: 'b' }] },
      { role: 'user', content: 'c', name: 'Ann' },
      { role: 'assistant', content: 'd' },
      { role: 'system', content: 'e' },
    ],
  });
  assert.deepEqual(
    turns.map(({ role, isPlain, name, parts }) => [
      role,
      isPlain,
      name,
      parts.map((part) => 'text' in part && part.text),
    ]),
    [
      ['system', true, undefined, ['a']],
      ['developer', false, undefined, ['b']],
      ['user', true, 'Ann', ['c']],
      ['assistant', true, undefined, ['d']],
      ['system', true, undefined, ['e']],
    ],
  );
});

test('images by URL and as data, sound and files are media with their types', () => {
  const content = [
    { type: 'image_url', image_url: { url: 'https://x.example/a.png', detail: 'low' } },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } },
    { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
    { type: 'input_audio', input_audio: { data: 'SUQz', format: 'mp3' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
    { type: 'file', file: { file_id: 'file-1' } },
    { type: 'file', file: { filename: 'b.pdf', file_data: 'https://x.example/b.pdf' } },
    { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } },
  ];
  assert.deepEqual(partsOf({ role: 'user', content }), [
    { type: 'image', source: { kind: 'url', url: 'https://x.example/a.png' }, detail: 'low' },
    { type: 'image', source: { kind: 'base64', base64: 'iVBO', mediaType: 'image/png' } },
    { type: 'audio', source: { kind: 'base64', base64: 'UklG', mediaType: 'audio/wav' } },
    { type: 'audio', source: { kind: 'base64', base64: 'SUQz', mediaType: 'audio/mpeg' } },
    { type: 'file', source: { kind: 'base64', base64: 'JVBE', mediaType: 'application/pdf' }, filename: 'a.pdf' },
    { type: 'file', source: { kind: 'file_id', id: 'file-1', origin: 'openai' } },
    { type: 'file', source: { kind: 'url', url: 'https://x.example/b.pdf' }, filename: 'b.pdf' },
    { type: 'file', source: { kind: 'base64', base64: 'AAAA', mediaType: 'video/mp4' } },
  ]);
});

test('a part that nobody else knows is kept as it was written', () => {
  const body = '{"messages":[{"role":"user","content":[{"type":"hologram", "depth": 1.50}]}]}';
  const { request } = decodeRequest(Buffer.from(body), FACTS);
  assert.deepEqual(request.turns[0]?.parts, [
    { type: 'native', origin: 'openai-chat', name: 'hologram', json: '{"type":"hologram", "depth": 1.50}' },
  ]);
});

test('cache marks of parts, messages and tools are kept with their times', () => {
  const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } };
  const request = decode({
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'a', ...mark }] },
      { role: 'user', content: 'b', cache_control: { type: 'ephemeral' } },
      {
        role: 'user',
        content: [{ type: 'text', text: 'c', prompt_cache_breakpoint: { mode: 'explicit', ttl: '30m' } }],
      },
    ],
    tools: [{ type: 'function', function: { name: 'f' }, ...mark }],
  });
  const marks = request.turns.map(({ parts }) => parts[0]?.type === 'text' && parts[0].cache);
  assert.deepEqual(marks, [{ ttl: '1h' }, { ttl: undefined }, { ttl: '30m' }]);
  assert.deepEqual(request.tools[0]?.type === 'function' && request.tools[0].cache, { ttl: '1h' });
});

test('calls keep the text of their arguments, and results know the name of their tool', () => {
  const calls = [
    { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":  1.0}' } },
    { id: 'c2', type: 'function', function: { name: 'g', arguments: '' } },
  ];
  const { turns } = decode({
    messages: [
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'c2', content: 'done' },
      { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'x' }] },
    ],
  });
  const seen = turns.flatMap(({ parts }) =>
    parts.map((part) => {
      if (part.type === 'tool_call') return [part.callId, part.name, part.argumentsText];
      return part.type === 'tool_result' && [part.callId, part.name, part.isPlain, part.parts.length];
    }),
  );
  assert.deepEqual(seen, [
    ['c1', 'f', '{"a":  1.0}'],
    ['c2', 'g', '{}'],
    ['c2', 'g', true, 1],
    ['c1', 'f', false, 1],
  ]);
});

test('functions of the old form are tools, and their results belong to their calls', () => {
  const body = {
    functions: [{ name: 'f', parameters: { type: 'object' } }],
    function_call: { name: 'f' },
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'ok' },
    ],
  };
  const { tools, toolChoice, turns } = decode(body);
  assert.deepEqual([tools[0]?.name, toolChoice], ['f', { mode: 'named', names: ['f'] }]);
  const [call, result] = turns.slice(1).map(({ parts }) => parts[0]);
  assert.ok(call?.type === 'tool_call' && result?.type === 'tool_result');
  assert.deepEqual([result.callId, result.name], [call.callId, 'f']);
  assert.deepEqual(fieldsOf(body), ['changed functions']);
});

for (const [name, message, expected] of [
  ['reasoning_content', { reasoning_content: 'Hm' }, [{ type: 'reasoning', text: 'Hm', isRedacted: false }]],
  ['reasoning', { reasoning: 'Hm' }, [{ type: 'reasoning', text: 'Hm', isRedacted: false }]],
  [
    'reasoning_details beside the same text',
    {
      reasoning: 'Hm',
      reasoning_details: [{ type: 'reasoning.text', text: 'Hm', signature: 'S', format: 'anthropic-claude-v1' }],
    },
    [{ type: 'reasoning', text: 'Hm', signature: { origin: 'anthropic', value: 'S' }, isRedacted: false }],
  ],
  [
    'a text with more than the details',
    { reasoning_content: 'AHm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm', signature: 'S' }] },
    [
      { type: 'reasoning', text: 'A', isRedacted: false },
      { type: 'reasoning', text: 'Hm', signature: { origin: 'anthropic', value: 'S' }, isRedacted: false },
    ],
  ],
  [
    'a thinking part',
    { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] },
    [{ type: 'reasoning', text: 'Hm', isRedacted: false }],
  ],
] as const)
  test(`thoughts of an assistant are read from ${name}`, () => {
    assert.deepEqual(partsOf({ role: 'assistant', ...message }), expected);
  });

test('a thought that is signed by nobody known is told as lost', () => {
  const details = [{ type: 'reasoning.encrypted', data: 'x', format: 'unknown' }];
  assert.deepEqual(fieldsOf({ messages: [{ role: 'assistant', content: 'a', reasoning_details: details }] }), [
    'lost messages[0].reasoning_details[0]',
  ]);
});

test('refusals are kept, whether a field or a part', () => {
  assert.deepEqual(partsOf({ role: 'assistant', content: null, refusal: 'No.' }), [{ type: 'refusal', text: 'No.' }]);
  assert.deepEqual(partsOf({ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }), [
    { type: 'refusal', text: 'No.' },
  ]);
});

for (const [given, expected] of [
  [{ reasoning_effort: 'high' }, { effort: 'high' }],
  [{ reasoning_effort: 'none' }, { mode: 'off', effort: 'none' }],
  [{ reasoning_effort: 'default' }, { mode: 'on' }],
  [{ reasoning: { max_tokens: 2_000 } }, { budgetTokens: 2_000 }],
  [{ reasoning: { effort: 'low', exclude: true } }, { effort: 'low', summary: 'none' }],
  [{ reasoning: { enabled: false } }, { mode: 'off' }],
  [{ thinking: { type: 'enabled', budget_tokens: 99 } }, { mode: 'on', budgetTokens: 99 }],
  [{ thinking: { type: 'disabled' } }, { mode: 'off' }],
  [
    { enable_thinking: true, thinking_budget: 50 },
    { mode: 'on', budgetTokens: 50 },
  ],
  [{ chat_template_kwargs: { enable_thinking: false } }, { mode: 'off' }],
  [{ include_reasoning: false }, { summary: 'none' }],
] as const)
  test(`thinking is asked for by ${JSON.stringify(given)}`, () => {
    const { request, warnings } = decodeBody(given);
    assert.deepEqual(JSON.parse(JSON.stringify(request.reasoning)), expected);
    assert.deepEqual([request.extras, warnings], [[], []]);
  });

test('arguments of the chat template that say more than thinking are kept whole', () => {
  const { reasoning, extras } = decode({ chat_template_kwargs: { enable_thinking: true, tone: 'dry' } });
  assert.equal(reasoning.mode, 'on');
  assert.deepEqual(extras, [
    { origin: 'openai-chat', name: 'chat_template_kwargs', json: '{"enable_thinking":true,"tone":"dry"}' },
  ]);
});

const SCHEMA = { type: 'object', properties: { a: { type: 'number' } } };
for (const [given, name] of [
  [{ response_format: { type: 'json_schema', json_schema: { name: 'n', schema: SCHEMA } } }, 'n'],
  [{ guided_json: SCHEMA }, 'response'],
  [{ guided_json: JSON.stringify(SCHEMA) }, 'response'],
  [{ structured_outputs: { json: SCHEMA } }, 'response'],
  [{ response_format: { type: 'json_object', schema: SCHEMA } }, 'response'],
] as const)
  test(`a schema is asked for by ${Object.keys(given).join()}`, () => {
    const { responseFormat } = decode(given);
    assert.ok(responseFormat?.type === 'json_schema');
    assert.deepEqual([responseFormat.name, responseFormat.schemaText], [name, JSON.stringify(SCHEMA)]);
  });

for (const [given, expected] of [
  ['auto', { mode: 'auto', names: [] }],
  ['none', { mode: 'none', names: [] }],
  ['required', { mode: 'required', names: [] }],
  ['any', { mode: 'required', names: [] }],
  [
    { type: 'function', function: { name: 'f' } },
    { mode: 'named', names: ['f'] },
  ],
  [
    {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
    },
    { mode: 'required', names: ['f'] },
  ],
] as const)
  test(`tool_choice ${JSON.stringify(given)} is read`, () => {
    const { request, warnings } = decodeBody({ tool_choice: given });
    assert.deepEqual([request.toolChoice, warnings], [expected, []]);
  });

test('a tool that is no function, and its choice, are kept as they are', () => {
  const custom = { type: 'custom', custom: { name: 'sh', format: { type: 'text' } } };
  const choice = { type: 'custom', custom: { name: 'sh' } };
  const { tools, toolChoice, extras } = decode({ tools: [custom], tool_choice: choice });
  assert.deepEqual(tools, [{ type: 'native', origin: 'openai-chat', name: 'custom', json: JSON.stringify(custom) }]);
  assert.deepEqual(
    [toolChoice, extras],
    [undefined, [{ origin: 'openai-chat', name: 'tool_choice', json: JSON.stringify(choice) }]],
  );
});

test('the newer names count where both are given, and the older are told as lost', () => {
  const body = { max_tokens: 5, max_completion_tokens: 9, user: 'a', safety_identifier: 'b' };
  assert.deepEqual([decode(body).maxTokens, decode(body).user], [9, 'b']);
  assert.deepEqual(fieldsOf(body), ['lost max_tokens', 'lost user']);
});

test('engine fields are extra fields with the text that was written', () => {
  const body = '{"messages":[],"regex":"[a-z]+","stop_token_ids":[1, 2],"top_k":40,"min_p":0.1}';
  const { request, warnings } = decodeRequest(Buffer.from(body), FACTS);
  assert.deepEqual(
    request.extras.map(({ name, json }) => `${name} ${json}`),
    ['stop_token_ids [1, 2]', 'regex "[a-z]+"'],
  );
  assert.deepEqual([request.topK, request.minP, warnings], [40, 0.1, []]);
});

test('a member that nobody knows is told as lost, wherever it stands', () => {
  const body = {
    flux: 1,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x', flux: 1 }], flux: 1 }],
    tools: [{ type: 'function', function: { name: 'f', flux: 1 } }],
    stream_options: { include_usage: true, flux: 1 },
  };
  assert.deepEqual(fieldsOf(body).sort(), [
    'lost flux',
    'lost messages[0].content[0].flux',
    'lost messages[0].flux',
    'lost stream_options.flux',
    'lost tools[0].function.flux',
  ]);
});

for (const [body, param] of [
  [{ messages: undefined }, 'messages'],
  [{ messages: 'x' }, 'messages'],
  [{ messages: [{ content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'alien', content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
  [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content[0].image_url'],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  [{ temperature: 'hot' }, 'temperature'],
  [{ n: 0 }, 'n'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ stop: [1] }, 'stop[0]'],
  [{ tool_choice: 'perhaps' }, 'tool_choice'],
  [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
] as const)
  test(`a body with a wrong ${param} is refused by its path`, () => {
    assert.throws(() => decode(body), { code: 'invalid_request', param });
  });

test('stop is a text or a list, and n is a count', () => {
  assert.deepEqual([decode({ stop: 'x' }).stop, decode({ stop: ['x', 'y'] }).stop], [['x'], ['x', 'y']]);
  assert.deepEqual([decode({}).choices, decode({ n: 3 }).choices], [1, 3]);
});

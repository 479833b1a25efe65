/** What clients of Gemini's API send, read: both spellings, parts of every kind, nothing lost in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationRequest, Part } from '../../domain/generation.ts';
import { geminiCodec } from './codec.ts';

interface Read {
  readonly request: GenerationRequest;
  readonly warnings: readonly string[];
}

function read(body: unknown): Read {
  const facts = { model: 'm', isStream: true, headers: {} };
  const { request, warnings } = geminiCodec.decodeRequest(Buffer.from(JSON.stringify(body)), facts);
  return { request, warnings: warnings.map(({ kind, field }) => `${kind} ${field}`) };
}

function partsOf(...parts: readonly object[]): {
  readonly parts: readonly Part[];
  readonly warnings: readonly string[];
} {
  const { request, warnings } = read({ contents: [{ role: 'user', parts }] });
  return { parts: request.turns.flatMap((turn) => turn.parts), warnings };
}

const snake = {
  system_instruction: { parts: [{ text: 'S' }] },
  contents: [
    { role: 'user', parts: [{ inline_data: { mime_type: 'image/png', data: 'AA==' } }] },
    {
      role: 'model',
      parts: [{ function_call: { name: 'f', args: { a: 1 } }, thought_signature: 'Cg==' }],
    },
    { role: 'function', parts: [{ function_response: { name: 'f', response: { result: 'r' } } }] },
  ],
  tools: [{ function_declarations: [{ name: 'f', parameters_json_schema: { type: 'object' } }] }],
  tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['f'] } },
  generation_config: {
    max_output_tokens: 5,
    stop_sequences: ['x'],
    response_mime_type: 'application/json',
    response_json_schema: { type: 'object' },
    thinking_config: { thinking_budget: 9, include_thoughts: true },
  },
  safety_settings: [],
  cached_content: 'cachedContents/1',
};

function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  const name = (each: string) => each.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([each, inner]) => [name(each), camel(inner)]));
}

test('both spellings of every member read the same, and none is lost', () => {
  const one = read(snake);
  assert.deepEqual(one.warnings, []);
  assert.deepEqual(read(camel(snake)), one);
  assert.equal(one.request.maxTokens, 5);
  assert.deepEqual(one.request.toolChoice, { mode: 'named', names: ['f'] });
  assert.deepEqual(one.request.reasoning, { mode: 'on', effort: undefined, budgetTokens: 9, summary: 'auto' });
  assert.deepEqual(
    one.request.turns.map(({ role }) => role),
    ['system', 'user', 'assistant', 'user'],
  );
});

test('results without ids belong to the calls in their order, by name, and keep these ids in every later turn', () => {
  const calls = {
    role: 'model',
    parts: [
      { functionCall: { name: 'f' } },
      { functionCall: { name: 'g', args: {} } },
      { functionCall: { name: 'f' } },
    ],
  };
  const answer = (name: string) => ({ functionResponse: { name, response: {} } });
  const results = { parts: [answer('g'), answer('f'), answer('f')] };
  const first = read({ contents: [calls, results] }).request.turns;
  const ids = (turn: GenerationRequest['turns'][number] | undefined) =>
    turn?.parts.map((part) => ('callId' in part ? part.callId : ''));
  const [a, b, c] = ids(first[0]) ?? [];
  assert.equal(new Set([a, b, c]).size, 3);
  assert.deepEqual(ids(first[1]), [b, a, c]);
  const later = read({ contents: [calls, results, calls, results] }).request.turns;
  assert.deepEqual(later.slice(0, 2), first);
  assert.equal(new Set([...(ids(later[0]) ?? []), ...(ids(later[2]) ?? [])]).size, 6);
});

test('a result says what went wrong, or what the function gave', () => {
  const rows: readonly (readonly [response: unknown, text: string, isError: boolean])[] = [
    [{ result: 'a' }, 'a', false],
    [{ output: 'a' }, 'a', false],
    [{ error: 'no' }, 'no', true],
    [{ error: { code: 1 } }, '{"code":1}', true],
    [{ result: { a: 1 } }, '{"result":{"a":1}}', false],
    [{ a: 1, error: 'x' }, '{"a":1,"error":"x"}', false],
    [{}, '{}', false],
    [undefined, '', false],
  ];
  for (const [response, text, isError] of rows) {
    const [part] = partsOf({ functionResponse: { name: 'f', response } }).parts;
    assert.ok(part?.type === 'tool_result');
    assert.deepEqual(
      [part.parts[0], part.isError],
      [{ type: 'text', text, cache: undefined, signature: undefined }, isError],
    );
    assert.equal(part.responseText, response === undefined ? undefined : JSON.stringify(response));
  }
});

test('pictures, sound, documents and films are told apart by their types', () => {
  const kinds = (mimeType: string) => partsOf({ inlineData: { mimeType, data: 'AA==' } }).parts.map(({ type }) => type);
  assert.deepEqual(kinds('image/png'), ['image']);
  assert.deepEqual(kinds('audio/mpeg'), ['audio']);
  assert.deepEqual(kinds('application/pdf'), ['file']);
  assert.deepEqual(kinds('video/mp4'), ['file']);
  const [uploaded] = partsOf({
    fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/a' },
  }).parts;
  assert.ok(uploaded?.type === 'file');
  assert.equal(uploaded.source.kind, 'file_id');
});

test('code that Google ran and calls of its tools stay whole', () => {
  const part = { executableCode: { language: 'PYTHON', code: 'print(1)' }, thoughtSignature: 'Cg==' };
  assert.deepEqual(partsOf(part), {
    parts: [{ type: 'native', origin: 'gemini', name: 'executableCode', json: JSON.stringify(part) }],
    warnings: [],
  });
});

test('signatures that another provider gave are its own again', () => {
  const carried = `smg.anthropic.${Buffer.from('EqQB').toString('base64')}`;
  const { parts } = partsOf(
    { text: '', thought: true, thoughtSignature: carried },
    { text: 'a', thoughtSignature: 'Cg==' },
  );
  assert.deepEqual(
    parts.map((part) => ('signature' in part ? part.signature : undefined)),
    [
      { origin: 'anthropic', value: 'EqQB' },
      { origin: 'gemini', value: 'Cg==' },
    ],
  );
});

test('what only Gemini knows is carried to it as it stands, and what nobody can carry is named', () => {
  const body = {
    contents: [{ parts: [{ text: 'a', videoMetadata: { fps: 1 }, fresh: 1 }], also: 1 }],
    tools: [
      { functionDeclarations: [{ name: 'f', response: { type: 'OBJECT' }, behavior: 'BLOCKING' }], googleSearch: {} },
    ],
    toolConfig: { retrievalConfig: { languageCode: 'de' }, later: true },
    generationConfig: { responseModalities: ['TEXT'], speechConfig: {}, thinkingConfig: { depth: 1 }, newest: 2 },
    safetySettings: [{ category: 'X' }],
    labels: { a: 'b' },
    tomorrow: {},
  };
  const { request, warnings } = read(body);
  assert.deepEqual(
    request.extras.map(({ name, json }) => `${name} ${json}`),
    [
      'safetySettings [{"category":"X"}]',
      'labels {"a":"b"}',
      'toolConfig.retrievalConfig {"languageCode":"de"}',
      'generationConfig.responseModalities ["TEXT"]',
      'generationConfig.speechConfig {}',
    ],
  );
  assert.deepEqual(
    [...warnings].sort(),
    [
      'lost contents[0].also',
      'lost contents[0].parts[0].fresh',
      'lost contents[0].parts[0].videoMetadata',
      'lost generationConfig.newest',
      'lost generationConfig.thinkingConfig.depth',
      'lost tomorrow',
      'lost toolConfig.later',
      'lost tools[0].functionDeclarations[0].behavior',
      'lost tools[0].functionDeclarations[0].response',
    ].sort(),
  );
  assert.deepEqual(
    request.tools.map(({ type, name }) => `${type} ${name}`),
    ['function f', 'native googleSearch'],
  );
});

const wrong: readonly (readonly [name: string, body: unknown, param: string])[] = [
  ['contents that are no list', { contents: {} }, 'contents'],
  ['a part that is text', { contents: [{ parts: ['a'] }] }, 'contents[0].parts[0]'],
  ['text that is a number', { contents: [{ parts: [{ text: 1 }] }] }, 'contents[0].parts[0].text'],
  ['a role that is none', { contents: [{ role: 'robot', parts: [] }] }, 'contents[0].role'],
  [
    'a call without a name',
    { contents: [{ parts: [{ functionCall: {} }] }] },
    'contents[0].parts[0].functionCall.name',
  ],
  [
    'arguments that are a list',
    { contents: [{ parts: [{ functionCall: { name: 'f', args: [] } }] }] },
    'contents[0].parts[0].functionCall.args',
  ],
  [
    'data without a type',
    { contents: [{ parts: [{ inlineData: { data: '' } }] }] },
    'contents[0].parts[0].inlineData.mimeType',
  ],
  ['half a token', { generationConfig: { maxOutputTokens: 1.5 } }, 'generationConfig.maxOutputTokens'],
  [
    'a level that is none',
    { generationConfig: { thinkingConfig: { thinkingLevel: 'huge' } } },
    'generationConfig.thinkingConfig.thinkingLevel',
  ],
  [
    'a mode that is none',
    { toolConfig: { functionCallingConfig: { mode: 'SOME' } } },
    'toolConfig.functionCallingConfig.mode',
  ],
  [
    'a format that is none',
    { generationConfig: { responseMimeType: 'text/html' } },
    'generationConfig.responseMimeType',
  ],
];

for (const [name, body, param] of wrong) {
  test(`${name} is the client's error, with its path`, () => {
    assert.throws(() => read(body), { code: 'invalid_request', param });
  });
}

test('the model and the stream come from the path', () => {
  const { request } = read({ contents: [] });
  assert.deepEqual([request.model, request.isStream, request.wantsUsage], ['m', true, true]);
});

test('an answer that was kept chunk by chunk is one turn, and its thought is whole, with the signature that came last', () => {
  const thought = (text: string, thoughtSignature?: string) => ({ text, thought: true, thoughtSignature });
  const chunk = (part: object) => ({ role: 'model', parts: [part] });
  const carried = `smg.anthropic.${Buffer.from('EqQB').toString('base64')}`;
  const { request } = read({
    contents: [
      { role: 'user', parts: [{ text: 'a' }] },
      chunk(thought('Let me ')),
      chunk(thought('see.')),
      chunk(thought('', carried)),
      chunk({ text: 'One ' }),
      chunk({ text: 'two.' }),
    ],
  });
  assert.equal(request.turns.length, 2);
  assert.deepEqual(request.turns[1]?.parts, [
    {
      type: 'reasoning',
      text: 'Let me see.',
      signature: { origin: 'anthropic', value: 'EqQB' },
      isRedacted: false,
      itemId: undefined,
    },
    { type: 'text', text: 'One ', cache: undefined, signature: undefined },
    { type: 'text', text: 'two.', cache: undefined, signature: undefined },
  ]);
});

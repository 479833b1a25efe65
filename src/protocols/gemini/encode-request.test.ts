/** Requests of other APIs, written for Gemini: each hard case, with what is lost or changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  GenerationRequest,
  ImagePart,
  Part,
  Signature,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '../../domain/generation.ts';
import { gemini as provider } from '../../domain/providers/gemini.ts';
import { geminiCodec } from './codec.ts';

const NOTHING = { headers: {}, isStream: false, model: 'm' };
const EMPTY = geminiCodec.decodeRequest(Buffer.from('{"contents":[]}'), NOTHING).request;
const OLD = 'gemini-2.5-flash';
const NEW = 'gemini-3-flash-preview';

interface Written {
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly warnings: readonly string[];
}

function write(fields: Partial<GenerationRequest>, model = OLD, maxOutputTokens?: number): Written {
  const request = { ...EMPTY, turns: [user(text('Hi.'))], ...fields };
  const { body, warnings } = geminiCodec.encodeRequest(request, { provider, model, maxOutputTokens });
  return {
    body: JSON.parse(body.toString()) as Record<string, unknown>,
    text: body.toString(),
    warnings: warnings.map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`),
  };
}

function contentsOf(turns: readonly Turn[], model = OLD): { readonly contents: unknown; readonly warnings: unknown } {
  const { body, warnings } = write({ turns }, model);
  return { contents: body['contents'], warnings };
}

const text = (value: string): TextPart => ({ type: 'text', text: value, cache: undefined, signature: undefined });
const call = (callId: string, name: string, argumentsText = '{}', signature?: Signature): ToolCallPart => ({
  type: 'tool_call',
  callId,
  name,
  argumentsText,
  signature,
  cache: undefined,
});
const result = (
  callId: string,
  parts: ToolResultPart['parts'],
  more: Partial<ToolResultPart> = {},
): ToolResultPart => ({
  type: 'tool_result',
  callId,
  name: undefined,
  parts,
  isPlain: true,
  isError: false,
  responseText: undefined,
  cache: undefined,
  ...more,
});
const image: ImagePart = {
  type: 'image',
  source: { kind: 'base64', base64: 'iVBORw0KGgo=', mediaType: 'image/png' },
  detail: undefined,
  cache: undefined,
};
const turn = (role: Turn['role'], ...parts: Part[]): Turn => ({ role, parts, isPlain: false, name: undefined });
const user = (...parts: Part[]) => turn('user', ...parts);
const model = (...parts: Part[]) => turn('assistant', ...parts);

test('parallel calls and their results: the results stand together, by the names of the functions', () => {
  const turns = [
    user(text('Weather?')),
    model(call('a', 'weather', '{"city":"Paris"}'), call('b', 'time')),
    turn('tool', result('b', [text('noon')])),
    turn('tool', result('a', [text('{"sky": "blue", "t": 1.0}')])),
    user(text('And?')),
  ];
  assert.deepEqual(contentsOf(turns), {
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'weather', args: { city: 'Paris' } } },
          { functionCall: { name: 'time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'time', response: { result: 'noon' } } },
          { functionResponse: { name: 'weather', response: { sky: 'blue', t: 1 } } },
          { text: 'And?' },
        ],
      },
    ],
    warnings: [],
  });
  assert.ok(write({ turns }).text.includes('"response":{"sky": "blue", "t": 1.0}'), 'its bytes as they came');
});

test('ids of calls go to models that know ids, and not to others', () => {
  const turns = [user(text('a')), model(call('toolu_1', 'f')), user(result('toolu_1', [text('x')]))];
  assert.ok(!write({ turns }).text.includes('toolu_1'));
  const { text: written } = write({ turns }, NEW);
  assert.equal(written.match(/"id":"toolu_1"/g)?.length, 2);
});

test('a result of a call that is not in the conversation needs the name of its function', () => {
  const turns = [user(result('x', [text('a')]))];
  assert.throws(() => write({ turns }), { code: 'invalid_request', param: 'turns[0].parts[0].callId' });
  const named = [user(text('a')), model(call('x', 'f')), user(result('x', [text('a')]))];
  assert.doesNotThrow(() => write({ turns: named }));
});

test('arguments keep their bytes, and those that are no object travel as text', () => {
  const spaced = '{"b" : 1.0,\n"a":[ ]}';
  assert.ok(write({ turns: [user(text('a')), model(call('x', 'f', spaced))] }).text.includes(`"args":${spaced}}`));
  const { contents, warnings } = contentsOf([user(text('a')), model(call('x', 'f', '{"cut'), call('y', 'f', ''))]);
  assert.deepEqual((contents as { parts: unknown }[])[1]?.parts, [
    { functionCall: { name: 'f', args: { arguments: '{"cut' } } },
    { functionCall: { name: 'f', args: {} } },
  ]);
  assert.deepEqual(warnings, [
    'changed: turns[1].parts[0].arguments are no JSON object: they are sent as the text of one member',
  ]);
});

test('a result that is an error says so, and several texts become one', () => {
  const { contents, warnings } = contentsOf([
    user(text('a')),
    model(call('x', 'f'), call('y', 'g')),
    user(result('x', [text('no such file')], { isError: true }), result('y', [text('one'), text('two')])),
  ]);
  assert.deepEqual((contents as { parts: unknown }[])[2]?.parts, [
    { functionResponse: { name: 'f', response: { error: 'no such file' } } },
    { functionResponse: { name: 'g', response: { result: 'one\ntwo' } } },
  ]);
  assert.deepEqual(warnings, ['changed: turns[2].parts[1].parts are several texts: they are sent as one']);
});

test('pictures of a result stand in it for models that take them, and follow all results for others', () => {
  const turns = [
    user(text('a')),
    model(call('x', 'f'), call('y', 'f')),
    user(result('x', [text('one'), image]), result('y', [text('two')])),
  ];
  const inline = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
  const old = contentsOf(turns);
  assert.deepEqual((old.contents as { parts: unknown }[])[2]?.parts, [
    { functionResponse: { name: 'f', response: { result: 'one' } } },
    { functionResponse: { name: 'f', response: { result: 'two' } } },
    inline,
  ]);
  assert.deepEqual(old.warnings, [
    'changed: turns[2].parts[0].parts[1] follows the result: this model takes no such media within it',
  ]);
  assert.deepEqual((contentsOf(turns, NEW).contents as { parts: unknown }[])[2]?.parts, [
    { functionResponse: { id: 'x', name: 'f', response: { result: 'one' }, parts: [inline] } },
    { functionResponse: { id: 'y', name: 'f', response: { result: 'two' } } },
  ]);
});

const gem = (value: string): Signature => ({ origin: 'gemini', value });

test('a signature goes back on its part, byte for byte, thoughts and texts too', () => {
  const turns = [
    user(text('a')),
    model(
      { type: 'reasoning', text: 'Hm.', signature: gem('Cg+/=='), isRedacted: false, itemId: undefined },
      { ...text('b'), signature: gem('Ch==') },
      call('x', 'f', '{}', gem('Ci==')),
    ),
    user(result('x', [text('y')])),
  ];
  assert.deepEqual((contentsOf(turns).contents as { parts: unknown }[])[1]?.parts, [
    { text: 'Hm.', thought: true, thoughtSignature: 'Cg+/==' },
    { text: 'b', thoughtSignature: 'Ch==' },
    { functionCall: { name: 'f', args: {} }, thoughtSignature: 'Ci==' },
  ]);
});

test('the first call of each step of the current turn that Gemini did not sign skips the check, with a warning', () => {
  const turns = [
    user(text('a')),
    model(call('old', 'f')),
    user(result('old', [text('1')])),
    model(text('done')),
    user(text('again')),
    model(call('x', 'f', '{}', { origin: 'anthropic', value: 'EqQB' }), call('y', 'f')),
    user(result('x', [text('1')]), result('y', [text('2')])),
    model(call('z', 'f', '{}', gem('Cg=='))),
    user(result('z', [text('3')]), text('and?')),
  ];
  const { contents, warnings } = contentsOf(turns, NEW);
  const signatures = (contents as { parts: { thoughtSignature?: string }[] }[]).flatMap(({ parts }) =>
    parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
  );
  assert.deepEqual(signatures, ['skip_thought_signature_validator', 'Cg==']);
  assert.deepEqual(warnings, [
    'lost: turns[5].parts[0].signature is of anthropic',
    'changed: turns[5].parts[0] has no signature of Gemini: it is sent with the one that skips the check',
  ]);
  assert.ok(!write({ turns }).text.includes('skip_thought'), 'older models check nothing');
});

test('a signature that another API kept at the thought before a call returns to the call', () => {
  const thought: Part = { type: 'reasoning', text: '', signature: gem('Cg=='), isRedacted: false, itemId: undefined };
  const turns = [user(text('a')), model(thought, call('x', 'f')), user(result('x', []))];
  const signed = { name: 'f', args: {} };
  for (const [modelName, functionCall] of [
    [NEW, { id: 'x', ...signed }],
    [OLD, signed],
  ] as const) {
    const { contents, warnings } = contentsOf(turns, modelName);
    assert.deepEqual((contents as { parts: unknown }[])[1]?.parts, [{ functionCall, thoughtSignature: 'Cg==' }]);
    assert.deepEqual(warnings, []);
  }
});

test('thoughts of others and thoughts without a signature are reported and never sent as words', () => {
  const foreign: Part[] = [
    { type: 'reasoning', text: 'secret', signature: undefined, isRedacted: false, itemId: undefined },
    {
      type: 'reasoning',
      text: 'secret',
      signature: { origin: 'anthropic', value: 'EqQB' },
      isRedacted: false,
      itemId: undefined,
    },
  ];
  const { text: written, warnings } = write({
    turns: [user(text('a')), model(...foreign, text('b')), user(text('c'))],
  });
  assert.ok(!written.includes('secret') && !written.includes('EqQB'));
  assert.deepEqual(warnings, [
    'lost: turns[1].parts[0] is a thought without a signature',
    'lost: turns[1].parts[1] is a thought of anthropic',
  ]);
});

test('systems are lifted, and one in the middle of the conversation is reported', () => {
  const { body, warnings } = write({
    turns: [
      turn('system', text('A'), text('B')),
      turn('developer', text('C')),
      user(text('hi')),
      turn('system', text('D')),
    ],
  });
  assert.deepEqual(body['systemInstruction'], { parts: [{ text: 'A' }, { text: 'B' }, { text: 'C' }, { text: 'D' }] });
  assert.deepEqual(warnings, ['changed: turns[3] moves to the system instruction, before the conversation']);
});

test('turns of one side become one, empty ones go, and the user has the last word', () => {
  const { contents, warnings } = contentsOf([user(text('a')), user(text('b')), model(text('')), model(text('c'))]);
  assert.deepEqual(contents, [
    { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
    { role: 'model', parts: [{ text: 'c' }] },
    { role: 'user', parts: [{ text: ' ' }] },
  ]);
  assert.deepEqual(warnings, ["changed: turns end with the model's words: a blank of the user follows"]);
  assert.deepEqual(contentsOf([]).contents, [{ role: 'user', parts: [{ text: ' ' }] }]);
});

const choices: readonly (readonly [mode: 'auto' | 'none' | 'required' | 'named', names: string[], config: object])[] = [
  ['auto', [], { mode: 'AUTO' }],
  ['auto', ['f'], { mode: 'VALIDATED', allowedFunctionNames: ['f'] }],
  ['none', [], { mode: 'NONE' }],
  ['required', [], { mode: 'ANY' }],
  ['required', ['f', 'g'], { mode: 'ANY', allowedFunctionNames: ['f', 'g'] }],
  ['named', ['f'], { mode: 'ANY', allowedFunctionNames: ['f'] }],
];

const tool = (name: string, schemaText?: string): GenerationRequest['tools'][number] => ({
  type: 'function',
  name,
  description: undefined,
  schemaText,
  isStrict: undefined,
  cache: undefined,
});

for (const [mode, names, config] of choices) {
  test(`tool choice ${mode} of ${names.length || 'all'} is ${JSON.stringify(config)}`, () => {
    const { body } = write({ tools: [tool('f'), tool('g')], toolChoice: { mode, names } });
    assert.deepEqual(body['toolConfig'], { functionCallingConfig: config });
  });
}

test('a choice among no functions is reported, and one that asks for none is no loss', () => {
  const choice = (mode: 'required' | 'none') => write({ toolChoice: { mode, names: [] } });
  assert.deepEqual(choice('required').warnings, ['lost: tool_choice there is no function to choose']);
  assert.deepEqual(choice('none'), write({}));
});

test('functions come first, then the tools that Google runs; those of other providers are reported', () => {
  const { body, warnings } = write({
    tools: [
      { type: 'native', origin: 'gemini', name: 'googleSearch', json: '{"googleSearch":{}}' },
      { ...tool('f', '{"type":"object","properties":{"a":{"type":"string"}}}'), isStrict: true, description: 'd' },
      { type: 'native', origin: 'anthropic', name: 'web_search', json: '{}' },
    ] as GenerationRequest['tools'],
  });
  assert.deepEqual(body['tools'], [
    {
      functionDeclarations: [
        {
          name: 'f',
          description: 'd',
          parametersJsonSchema: { type: 'object', properties: { a: { type: 'string' } } },
        },
      ],
    },
    { googleSearch: {} },
  ]);
  assert.deepEqual(warnings, [
    'lost: tools[1].strict has no place in this API',
    'lost: tools[2] is run by another provider',
  ]);
});

test('a name that Gemini refuses is refused here, with its place', () => {
  for (const name of ['1st', 'a b', '', 'x'.repeat(129)])
    assert.throws(() => write({ tools: [tool(name)] }), { code: 'invalid_request', param: 'tools[0].name' });
  assert.throws(() => write({ turns: [user(text('a')), model(call('x', 'ü'))] }), { param: 'turns[1].parts[0].name' });
});

const thinking: readonly (readonly [
  name: string,
  model: string,
  asked: Partial<GenerationRequest['reasoning']>,
  config: object | undefined,
  warning?: RegExp,
])[] = [
  ['an effort is a budget for 2.5', OLD, { effort: 'low' }, { includeThoughts: true, thinkingBudget: 1_024 }],
  [
    'the highest effort ends where the model does',
    OLD,
    { effort: 'max' },
    { includeThoughts: true, thinkingBudget: 24_576 },
  ],
  ['a budget stays', OLD, { mode: 'on', budgetTokens: 2_000 }, { includeThoughts: true, thinkingBudget: 2_000 }],
  [
    'a budget is clamped',
    OLD,
    { budgetTokens: 99_999 },
    { includeThoughts: true, thinkingBudget: 24_576 },
    /^changed: reasoning.budgetTokens/,
  ],
  ['off is off', OLD, { mode: 'off' }, { thinkingBudget: 0 }],
  ['none is off', OLD, { effort: 'none' }, { thinkingBudget: 0 }],
  [
    '2.5 Pro cannot be off',
    'gemini-2.5-pro',
    { mode: 'off' },
    { thinkingBudget: 128 },
    /^changed: reasoning becomes 128/,
  ],
  ['adaptive is dynamic', 'gemini-2.5-flash-lite', { mode: 'adaptive' }, { includeThoughts: true, thinkingBudget: -1 }],
  ['on without more is dynamic', OLD, { mode: 'on' }, { includeThoughts: true, thinkingBudget: -1 }],
  [
    'the budget goes before the effort',
    OLD,
    { budgetTokens: 99, effort: 'low' },
    { includeThoughts: true, thinkingBudget: 99 },
    /^lost: .*effort/,
  ],
  ['an effort is a level for 3', NEW, { effort: 'medium' }, { includeThoughts: true, thinkingLevel: 'medium' }],
  [
    'a level is the next smaller one',
    'gemini-3-pro-preview',
    { effort: 'medium' },
    { includeThoughts: true, thinkingLevel: 'low' },
    /^changed/,
  ],
  [
    'later Pro models know medium',
    'models/gemini-3.1-pro-preview',
    { effort: 'medium' },
    { includeThoughts: true, thinkingLevel: 'medium' },
  ],
  [
    'later Flash models know no minimal',
    'gemini-3.8-flash',
    { effort: 'minimal' },
    { includeThoughts: true, thinkingLevel: 'low' },
    /^changed/,
  ],
  [
    'a budget is a level for 3',
    NEW,
    { budgetTokens: 8_000 },
    { includeThoughts: true, thinkingLevel: 'medium' },
    /^changed/,
  ],
  ['3 cannot be off', NEW, { mode: 'off' }, { thinkingLevel: 'minimal' }, /^changed/],
  ['3 is adaptive by itself', NEW, { mode: 'adaptive' }, { includeThoughts: true }],
  ['thoughts are shown when asked for', NEW, { summary: 'auto' }, { includeThoughts: true }],
  [
    'or in a form that Gemini has not',
    NEW,
    { summary: 'concise' },
    { includeThoughts: true },
    /^changed: reasoning.summary/,
  ],
  ['or not', NEW, { effort: 'low', summary: 'none' }, { thinkingLevel: 'low' }],
  ['a model that does not think', 'gemini-2.0-flash', { effort: 'high' }, undefined, /^lost: reasoning this model/],
  ['and is not asked to', 'gemini-2.0-flash', { mode: 'off', summary: 'none' }, undefined],
];

for (const [name, modelName, asked, config, warning] of thinking) {
  test(`thinking: ${name} (${modelName})`, () => {
    const reasoning = { ...EMPTY.reasoning, ...asked };
    const { body, warnings } = write({ reasoning }, modelName);
    assert.deepEqual(body['generationConfig'], config && { thinkingConfig: config });
    if (warning) assert.match(warnings.join('\n'), warning);
    else assert.deepEqual(warnings, []);
  });
}

test('what an effort stands for leaves half of a small limit to the words', () => {
  const reasoning = { ...EMPTY.reasoning, effort: 'high' as const };
  const { body, warnings } = write({ reasoning, maxTokens: 3_000 }, OLD);
  const thinkingConfig = { includeThoughts: true, thinkingBudget: 1_500 };
  assert.deepEqual(body['generationConfig'], { maxOutputTokens: 3_000, thinkingConfig });
  assert.deepEqual(warnings, []);
});

test('sampling, limits and formats have their fields', () => {
  const { body, warnings } = write(
    {
      maxTokens: 5_000,
      temperature: 0.2,
      topP: 0.9,
      topK: 40,
      choices: 2,
      stop: ['a', 'b', 'c', 'd', 'e', 'f'],
      seed: 7,
      presencePenalty: 0.5,
      frequencyPenalty: -0.5,
      wantsLogprobs: true,
      topLogprobs: 3,
      responseFormat: {
        type: 'json_schema',
        name: 'n',
        description: undefined,
        schemaText: '{"type":"object","properties":{"b":{"type":"number","minimum":1.0},"a":{"type":"string"}}}',
        isStrict: true,
      },
    },
    OLD,
    4_096,
  );
  assert.deepEqual(body['generationConfig'], {
    maxOutputTokens: 4_096,
    temperature: 0.2,
    topP: 0.9,
    topK: 40,
    candidateCount: 2,
    stopSequences: ['a', 'b', 'c', 'd', 'e'],
    seed: 7,
    presencePenalty: 0.5,
    frequencyPenalty: -0.5,
    responseMimeType: 'application/json',
    responseJsonSchema: {
      type: 'object',
      properties: { b: { type: 'number', minimum: 1 }, a: { type: 'string' } },
    },
    responseLogprobs: true,
    logprobs: 3,
  });
  assert.deepEqual(warnings, [
    'changed: max_tokens becomes 4096, the longest answer of this model',
    'lost: stop[5] and those after it: Gemini takes 5',
  ]);
});

test('a format beside functions is reported for models that refuse it', () => {
  const fields = { tools: [tool('f')], responseFormat: { type: 'json_object' } as const };
  assert.deepEqual(write(fields).warnings, [
    'lost: response_format cannot be asked of this model together with functions',
  ]);
  assert.deepEqual(write(fields, NEW).body['generationConfig'], { responseMimeType: 'application/json' });
});

test('whatever has no place in this API is named, once each', () => {
  const { warnings } = write({
    turns: [{ ...user({ ...text('a'), cache: { ttl: '1h' } }), name: 'ann' }],
    tools: [tool('f')],
    mayCallInParallel: false,
    minP: 0.1,
    logitBiasText: '{}',
    user: 'u',
    metadataText: '{}',
    serviceTier: 'scale',
    verbosity: 'low',
    promptCacheKey: 'k',
    store: true,
    extras: [{ origin: 'openai-chat', name: 'regex', json: '"x"' }],
  });
  const fields = warnings.map((warning) => warning.split(' ')[1] ?? '').toSorted();
  assert.deepEqual(fields, [
    ...['logit_bias', 'metadata', 'min_p', 'parallel_tool_calls', 'prompt_cache_key', 'regex', 'service_tier', 'store'],
    ...['turns[0].name', 'turns[0].parts[0].cache', 'user', 'verbosity'],
  ]);
});

test('a request that asks for what Gemini does anyway loses nothing', () => {
  const { body, warnings } = write({
    store: false,
    mayCallInParallel: true,
    serviceTier: 'auto',
    responseFormat: { type: 'text' },
  });
  assert.deepEqual(
    { body, warnings },
    { body: { contents: [{ role: 'user', parts: [{ text: 'Hi.' }] }] }, warnings: [] },
  );
});

const sources: readonly (readonly [
  name: string,
  source: ImagePart['source'],
  model: string,
  needs: boolean,
  json: object | undefined,
])[] = [
  [
    'a public picture with a type',
    { kind: 'url', url: 'https://a.example/x', mediaType: 'image/png' },
    OLD,
    false,
    { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/x' } },
  ],
  [
    'a public picture by its ending',
    { kind: 'url', url: 'https://a.example/x.JPG?s=1', mediaType: undefined },
    OLD,
    false,
    { fileData: { mimeType: 'image/jpeg', fileUri: 'https://a.example/x.JPG?s=1' } },
  ],
  [
    'a type that is not fetched',
    { kind: 'url', url: 'https://a.example/x.gif', mediaType: undefined },
    OLD,
    true,
    undefined,
  ],
  ['a type that nobody knows', { kind: 'url', url: 'https://a.example/x', mediaType: undefined }, OLD, true, undefined],
  ['a plain address', { kind: 'url', url: 'http://a.example/x.png', mediaType: undefined }, OLD, true, undefined],
  [
    'a model that fetches nothing',
    { kind: 'url', url: 'https://a.example/x.png', mediaType: undefined },
    'gemini-2.0-flash',
    true,
    undefined,
  ],
  [
    'a data URL',
    { kind: 'url', url: 'data:image/webp;base64,UklGRg==', mediaType: undefined },
    OLD,
    false,
    { inlineData: { mimeType: 'image/webp', data: 'UklGRg==' } },
  ],
  [
    'an uploaded file',
    { kind: 'file_id', id: 'https://generativelanguage.googleapis.com/v1beta/files/abc#image/png', origin: 'gemini' },
    OLD,
    false,
    {
      fileData: { mimeType: 'image/png', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' },
    },
  ],
  ['a file of another provider', { kind: 'file_id', id: 'file-1', origin: 'openai' }, OLD, false, undefined],
];

for (const [name, source, modelName, needs, json] of sources) {
  test(`a picture: ${name}`, () => {
    const target = { provider, model: modelName, maxOutputTokens: undefined };
    assert.equal(geminiCodec.needsBytes(source, 'image', target), needs);
    const { body, warnings } = write({ turns: [user(text('a'), { ...image, source })] }, modelName);
    const [content] = body['contents'] as { parts: unknown[] }[];
    assert.deepEqual(content?.parts, json ? [{ text: 'a' }, json] : [{ text: 'a' }]);
    assert.equal(warnings.length, json ? 0 : 1);
  });
}

test('a document as text is a file, and what is said beside it is reported', () => {
  const { body, warnings } = write({
    turns: [
      user({
        type: 'file',
        source: { kind: 'text', text: 'Grüße', mediaType: 'text/plain' },
        filename: 'a.txt',
        title: 't',
        context: 'c',
        isCitable: true,
        cache: undefined,
      }),
    ],
  });
  const data = Buffer.from('Grüße').toString('base64');
  assert.deepEqual(body['contents'], [{ role: 'user', parts: [{ inlineData: { mimeType: 'text/plain', data } }] }]);
  assert.deepEqual(
    warnings.map((warning) => warning.split(' ')[1]),
    ['filename', 'title', 'context', 'citations'].map((field) => `turns[0].parts[0].${field}`),
  );
});

test('a call that nothing stands before gets a blank of the user before it', () => {
  const turns = [user(text('')), model(call('1', 'look')), user(result('1', [text('x')]))];
  const { contents, warnings } = contentsOf(turns);
  assert.deepEqual((contents as unknown[])[0], { role: 'user', parts: [{ text: ' ' }] });
  assert.equal((warnings as unknown[]).length, 1);
});

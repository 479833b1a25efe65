import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf, recordOf } from '../../json.ts';
import { jsonEvents, pick } from '../../test-client.ts';
import { tokensOf } from '../plan.ts';
import type { SimProvider } from '../provider.ts';
import { ask, get, KEY, PIXEL, providerFor } from '../test-callers.ts';

const said = (role: string, ...parts: readonly object[]) => ({ role, parts });
const USER = said('user', { text: 'hello' });
const call = (name: string, rest = {}) => ({ functionCall: { name, args: { city: 'Paris' } }, ...rest });
const response = (name: string) => ({ functionResponse: { name, response: { output: '21 C' } } });
const SCHEMA = { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] };
const declare = (...declared: readonly object[]) => ({ tools: [{ functionDeclarations: declared }] });
const WEATHER = declare({ name: 'get_weather', description: 'w', parameters: SCHEMA });
const withSchema = (schema: object) =>
  declare({ name: 'f', parameters: { type: 'OBJECT', properties: { a: schema } } });
const config = (value: object) => ({ generationConfig: value });
const inline = (mimeType: string, data: string) => ({ contents: [said('user', { inlineData: { mimeType, data } })] });

const generate = (provider: SimProvider, body: object, model = 'gemini-2.5-flash', operation = 'generateContent') =>
  ask(provider, `/v1beta/models/${model}:${operation}`, { contents: [USER], ...body });

const RULES: readonly (readonly [rule: string, body: object, error: RegExp])[] = [
  ['a field of another API', { messages: [] }, /Unknown name "messages": Cannot find field/],
  [
    'an unknown field deep inside',
    withSchema({ type: 'OBJECT', additionalProperties: false }),
    /Unknown name "additionalProperties" at 'tools\[0\]\.function_declarations\[0\]\.parameters\.properties\[0\]\.value'/,
  ],
  ['$ref in a schema', withSchema({ $ref: '#/x' }), /Unknown name "\$ref"/],
  [
    'strict on a declaration',
    declare({ name: 'f', strict: true }),
    /Unknown name "strict" at 'tools\[0\]\.function_declarations\[0\]'/,
  ],
  ['a list of types', withSchema({ type: ['string', 'null'] }), /Proto field is not repeating, cannot start list/],
  ['an unknown type', withSchema({ type: 'map' }), /Invalid value at .*type/],
  ['a schema without a type', withSchema({ description: 'x' }), /type: must be specified/],
  [
    'an object without properties',
    declare({ name: 'f', parameters: { type: 'OBJECT' } }),
    /should be non-empty for OBJECT type/,
  ],
  [
    'a required property that is not there',
    declare({ name: 'f', parameters: { ...SCHEMA, required: ['x'] } }),
    /required\[0\]: property is not defined/,
  ],
  ['properties of a text', withSchema({ type: 'STRING', properties: {} }), /only allowed for OBJECT type/],
  ['a list without items', withSchema({ type: 'ARRAY' }), /items: missing field/],
  ['an enum of numbers', withSchema({ type: 'INTEGER', enum: ['1'] }), /only allowed for STRING type/],
  ['an empty enum value', withSchema({ type: 'STRING', enum: [''] }), /cannot be empty/],
  [
    'a format it does not know',
    withSchema({ type: 'STRING', format: 'uri' }),
    /only 'enum' and 'date-time' are supported for STRING type/,
  ],
  ['a function name with a space', declare({ name: 'a b' }), /Invalid function name/],
  ['two declarations of one name', declare({ name: 'f' }, { name: 'f' }), /Duplicate function declaration found: f/],
  [
    'both kinds of parameters',
    declare({ name: 'f', parameters: SCHEMA, parametersJsonSchema: {} }),
    /only one of parameters/,
  ],
  [
    'allowed names without mode ANY',
    { ...WEATHER, toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['get_weather'] } } },
    /only when function calling mode is ANY/,
  ],
  [
    'an allowed name that is not declared',
    { ...WEATHER, toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['x'] } } },
    /'x', which is not declared/,
  ],
  [
    'mode ANY without functions',
    { toolConfig: { functionCallingConfig: { mode: 'ANY' } } },
    /without function_declarations/,
  ],
  ['no contents', { contents: [] }, /contents is not specified/],
  ['a role of another API', { contents: [said('assistant', { text: 'x' })] }, /Please use a valid role: user, model/],
  ['a content without parts', { contents: [said('user')] }, /contents\.parts must not be empty/],
  ['a part without data', { contents: [said('user', { thought: true })] }, /required oneof field 'data'/],
  [
    'a part with two data',
    { contents: [said('user', { text: 'x', functionCall: { name: 'f' } })] },
    /oneof field 'data' is already set/,
  ],
  ['two user turns in a row', { contents: [USER, USER] }, /alternate between user and model/],
  ['an end by the model', { contents: [USER, said('model', { text: 'x' })] }, /end with a user role/],
  [
    'a call as the first turn',
    { contents: [said('model', call('f')), said('user', response('f'))] },
    /function call turn comes immediately after a user turn/,
  ],
  [
    'a response without a call',
    { contents: [said('user', response('f'))] },
    /function response turn comes immediately after a function call turn/,
  ],
  [
    'one response for two calls',
    { contents: [USER, said('model', call('f'), call('g')), said('user', response('f'))] },
    /number of function response parts is equal/,
  ],
  [
    'a call that is never answered',
    { contents: [USER, said('model', call('f')), USER] },
    /number of function response parts is equal/,
  ],
  [
    'a response of another name',
    { contents: [USER, said('model', call('f')), said('user', response('g'))] },
    /names of function response parts/,
  ],
  [
    'a response that is text',
    { contents: [USER, said('model', call('f')), said('user', { functionResponse: { name: 'f', response: '21' } })] },
    /google\.protobuf\.Struct/,
  ],
  [
    'a response without a name',
    { contents: [USER, said('model', call('f')), said('user', { functionResponse: { response: {} } })] },
    /Name cannot be empty/,
  ],
  ['inline data without a type', inline('', PIXEL), /mime_type must be set/],
  ['inline data that is not base64', inline('image/png', '%%'), /Base64 decoding failed/],
  ['an image of another type', inline('image/jpeg', PIXEL), /Unable to process input image/],
  ['a type it cannot read', inline('application/msword', PIXEL), /Unsupported MIME type/],
  [
    'a file behind http',
    { contents: [said('user', { fileData: { mimeType: 'image/png', fileUri: 'http://x/y' } })] },
    /Cannot fetch content/,
  ],
  [
    'a file without a type',
    { contents: [said('user', { fileData: { fileUri: 'https://x/y' } })] },
    /mime_type must be set/,
  ],
  ['a temperature above 2', config({ temperature: 3 }), /temperature must be in the range/],
  [
    'a number that is a word',
    config({ temperature: 'hot' }),
    /Invalid value at 'generation_config\.temperature' \(TYPE_FLOAT\)/,
  ],
  ['six stop sequences', config({ stopSequences: ['1', '2', '3', '4', '5', '6'] }), /at most 5/],
  ['logprobs that were not asked for', config({ logprobs: 2 }), /requires response_logprobs/],
  ['a schema for plain text', config({ responseSchema: SCHEMA }), /must be `application\/json`/],
  [
    'functions with JSON output',
    { ...WEATHER, ...config({ responseMimeType: 'application/json' }) },
    /mime type: 'application\/json' is unsupported/,
  ],
  [
    'a budget and a level',
    config({ thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'low' } }),
    /only one of thinking budget and thinking level/,
  ],
  [
    'a level for a model with budgets',
    config({ thinkingConfig: { thinkingLevel: 'low' } }),
    /Thinking level is not supported/,
  ],
  ['a budget below -1', config({ thinkingConfig: { thinkingBudget: -2 } }), /thinking budget -2 is invalid/],
];

for (const [rule, body, error] of RULES) {
  test(`Gemini refuses ${rule}`, async (context) => {
    const provider = await providerFor(context, { kind: 'gemini' });
    const got = await generate(provider, body);
    assert.equal(got.status, 400, got.text);
    assert.match(String(pick(got.json, 'error.message')), error);
    assert.equal(pick(got.json, 'error.status'), 'INVALID_ARGUMENT');
  });
}

test('names every unknown field at once, and takes both spellings of known ones', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const bad = await generate(provider, { foo: 1, generation_config: { bar: 2 } });
  assert.equal(listOf(pick(bad.json, 'error.details.0.fieldViolations')).length, 2);
  const good = await generate(provider, {
    generation_config: { max_output_tokens: 1 },
    contents: [said('user', { text: '#long 9' })],
  });
  assert.equal(pick(good.json, 'candidates.0.finishReason'), 'MAX_TOKENS');
});

test('a model that always thinks refuses a budget of 0, one that is not there is 404', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini', models: ['gemini-2.5-pro'] });
  const zero = await generate(provider, config({ thinkingConfig: { thinkingBudget: 0 } }), 'gemini-2.5-pro');
  assert.match(zero.text, /Budget 0 is invalid/);
  assert.equal((await generate(provider, {}, 'gemini-9')).status, 404);
});

test('wants one key, as a header or in the query', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini', keys: [KEY] });
  const path = '/v1beta/models/gemini-2.5-flash:generateContent';
  const asked = (headers: Record<string, string>, query = '') =>
    ask(provider, path + query, { contents: [USER] }, headers);
  assert.equal((await asked({ 'x-goog-api-key': KEY })).status, 200);
  assert.equal((await asked({}, `?key=${KEY}`)).status, 200);
  assert.match((await asked({})).text, /unregistered callers/);
  assert.match((await asked({ authorization: `Bearer ${KEY}` })).text, /unregistered callers/);
  assert.match((await asked({ 'x-goog-api-key': 'AIza-wrong' })).text, /API_KEY_INVALID/);
  assert.match((await asked({ 'x-goog-api-key': KEY }, `?key=${KEY}`)).text, /Multiple authentication credentials/);
});

const ALL = '#think hm #say ok 🙂 #tool:get_weather {"city": "Paris"} #tool:get_weather';

test('answers alike whole, as events and as a growing array; calls have no ids and end with STOP', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const body = {
    ...WEATHER,
    ...config({ thinkingConfig: { includeThoughts: true } }),
    contents: [said('user', { text: ALL })],
  };
  const whole = await generate(provider, body);
  const events = await generate(provider, body, 'gemini-2.5-flash', 'streamGenerateContent?alt=sse');
  const array = await generate(provider, body, 'gemini-2.5-flash', 'streamGenerateContent');
  const parts = listOf(pick(whole.json, 'candidates.0.content.parts'));
  assert.deepEqual(
    parts.map((part) => Object.keys(recordOf(part))[0]),
    ['text', 'text', 'functionCall', 'functionCall'],
  );
  assert.deepEqual(pick(parts[3], 'functionCall'), { name: 'get_weather', args: {} });
  assert.deepEqual(
    [pick(parts[2], 'thoughtSignature') !== undefined, pick(parts[3], 'thoughtSignature')],
    [true, undefined],
  );
  assert.equal(pick(whole.json, 'candidates.0.finishReason'), 'STOP');
  for (const chunks of [jsonEvents(events.events), JSON.parse(array.text) as unknown[]]) {
    const streamed = chunks.flatMap((chunk) => listOf(pick(chunk, 'candidates.0.content.parts'))).map(recordOf);
    assert.equal(streamed.map((part) => (part['thought'] === true ? '' : (part['text'] ?? ''))).join(''), 'ok 🙂');
    assert.equal(streamed.filter((part) => part['functionCall'] !== undefined).length, 2);
    assert.equal(pick(chunks.at(-1), 'candidates.0.finishReason'), 'STOP');
    assert.deepEqual(pick(chunks.at(-1), 'usageMetadata'), pick(whole.json, 'usageMetadata'));
  }
  assert.ok(events.text.includes('\r\n\r\n'));
  assert.match(array.headers.get('content-type') ?? '', /application\/json/);
});

test('generation 3 wants the signature of the first call of each step of the current turn back', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const model = 'gemini-3-flash-preview';
  const start = said('user', { text: '#tool:get_weather {"city": "Paris"} #tool:get_weather' });
  const first = await generate(provider, { ...WEATHER, contents: [start] }, model);
  const parts = listOf(pick(first.json, 'candidates.0.content.parts')).map(recordOf);
  const answers = said('user', response('get_weather'), response('get_weather'));
  const send = (content: readonly object[], ...more: readonly object[]) =>
    generate(provider, { ...WEATHER, contents: [start, said('model', ...content), answers, ...more] }, model);
  const strip = ({ thoughtSignature: _dropped, ...part }: Record<string, unknown>) => part;
  const good = await send(parts);
  assert.equal(pick(good.json, 'candidates.0.content.parts.0.text'), 'Results: get_weather = 21 C; get_weather = 21 C');
  assert.match((await send(parts.map(strip))).text, /missing a thought_signature/);
  const earlier = await send(parts.map(strip), said('model', { text: 'done' }), USER);
  assert.equal(earlier.status, 200, 'turns before the current one are not looked at');
  const broken = [{ ...parts[0], thoughtSignature: 'AAAA' }, parts[1] ?? {}];
  assert.match((await send(broken)).text, /Corrupted thought signature/);
  const dummy = [{ ...parts[0], thoughtSignature: 'skip_thought_signature_validator' }, parts[1] ?? {}];
  assert.equal((await send(dummy)).status, 200);
  const old = await generate(provider, { ...WEATHER, contents: [start, said('model', ...parts.map(strip)), answers] });
  assert.equal(old.status, 200, 'generation 2.5 does not insist');
});

test('an array that fails stays an array: the error is its only or its last element', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  for (const events of [0, 2]) {
    provider.setFaults([{ kind: 'error_event', events, code: 503, message: 'overloaded' }]);
    const got = await generate(provider, {}, 'gemini-2.5-flash', 'streamGenerateContent');
    const elements = JSON.parse(got.text) as unknown[];
    assert.equal(elements.length, events + 1);
    assert.equal(pick(elements.at(-1), 'error.status'), 'UNAVAILABLE');
  }
});

test('blocks prompts without candidates, and answers with SAFETY', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const say = (text: string, operation?: string) =>
    generate(provider, { contents: [said('user', { text })] }, 'gemini-2.5-flash', operation);
  const blocked = (await say('#block')).json;
  assert.deepEqual([pick(blocked, 'promptFeedback.blockReason'), blocked['candidates']], ['SAFETY', undefined]);
  assert.equal(pick((await say('#refuse')).json, 'candidates.0.finishReason'), 'SAFETY');
  const streamed = jsonEvents((await say('#block', 'streamGenerateContent?alt=sse')).events);
  assert.deepEqual(
    streamed.map((chunk) => pick(chunk, 'promptFeedback.blockReason')),
    ['SAFETY'],
  );
});

test('counts thoughts beside the candidates, and tokens without answering', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const contents = [said('user', { text: '#think abcdefgh #say abcd #cached 2' })];
  const usage = recordOf((await generate(provider, { contents })).json['usageMetadata']);
  const prompt = tokensOf('#think abcdefgh #say abcd #cached 2'.length);
  assert.deepEqual(
    [usage['promptTokenCount'], usage['candidatesTokenCount'], usage['thoughtsTokenCount'], usage['totalTokenCount']],
    [prompt, 1, 2, prompt + 3],
  );
  assert.equal(usage['cachedContentTokenCount'], 2);
  const off = await generate(provider, { contents, ...config({ thinkingConfig: { thinkingBudget: 0 } }) });
  assert.equal(pick(off.json, 'usageMetadata.thoughtsTokenCount'), undefined);
  const counted = await generate(provider, { contents }, 'gemini-2.5-flash', 'countTokens');
  assert.equal(counted.json['totalTokens'], prompt);
  const model = 'models/gemini-2.5-flash';
  const outer = { generateContentRequest: { model, contents } };
  const wrapped = await ask(provider, '/v1beta/models/gemini-2.5-flash:countTokens', outer);
  assert.equal(wrapped.json['totalTokens'], prompt);
});

test('embeds one and many, and lists models page by page', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const path = '/v1beta/models/gemini-embedding-001';
  const content = { parts: [{ text: 'x' }] };
  const one = await ask(provider, `${path}:embedContent`, { content, outputDimensionality: 3 });
  assert.equal(listOf(pick(one.json, 'embedding.values')).length, 3);
  const request = { model: 'models/gemini-embedding-001', content };
  const many = await ask(provider, `${path}:batchEmbedContents`, { requests: [request, request] });
  assert.equal(listOf(many.json['embeddings']).length, 2);
  const wrong = await ask(provider, `${path}:batchEmbedContents`, { requests: [{ content }] });
  assert.match(wrong.text, /must match the model of the batch/);
  const first = (await get(provider, '/v1beta/models?pageSize=2')).json;
  assert.equal(pick(first, 'models.0.name'), 'models/gemini-2.5-flash');
  const second = (await get(provider, `/v1beta/models?pageSize=2&pageToken=${String(first['nextPageToken'])}`)).json;
  assert.deepEqual([listOf(second['models']).length, second['nextPageToken']], [1, undefined]);
});

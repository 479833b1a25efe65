import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents, pick } from '../../test-client.ts';
import { echoOf, tokensOf } from '../plan.ts';
import type { SimProvider } from '../provider.ts';
import { ask, get, KEY, PIXEL, providerFor } from '../test-callers.ts';

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const USER = { role: 'user', content: 'hello' };
const callOf = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
});
const ASSISTANT = { role: 'assistant', content: null, tool_calls: [callOf('call_1')] };
const RESULT = { role: 'tool', tool_call_id: 'call_1', content: '21 C' };

const chat = (provider: SimProvider, body: object) =>
  ask(provider, '/v1/chat/completions', { model: 'gpt-4o-mini', messages: [USER], ...body });

/** What is wrong, the body that is wrong in it, and what the error says: its param or its message. */
const RULES: readonly (readonly [rule: string, body: object, error: RegExp])[] = [
  ['a field that only engines know', { top_k: 5 }, /Unrecognized request argument supplied: top_k/],
  ['an unknown model', { model: 'gpt-9' }, /model_not_found/],
  ['no model', { model: '' }, /you must provide a model parameter/],
  ['no messages', { messages: [] }, /empty_array/],
  ['an unknown role', { messages: [{ role: 'model', content: 'x' }] }, /messages\[0\]\.role/],
  [
    'an unknown field in a message',
    { messages: [{ ...USER, foo: 1 }] },
    /Unknown parameter: 'messages\[0\]\.foo'.*unknown_parameter/,
  ],
  [
    'cache_control of another API',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: {} }] }] },
    /content\[0\]\.cache_control/,
  ],
  ['content null from a user', { messages: [{ role: 'user', content: null }] }, /expected a string, got null/],
  [
    'a part of another API',
    { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] },
    /Supported values are: 'text', 'image_url'/,
  ],
  [
    'an image in a tool message',
    { messages: [USER, ASSISTANT, { ...RESULT, content: [{ type: 'image_url', image_url: { url: 'https://x/y' } }] }] },
    /Supported values are: 'text'/,
  ],
  [
    'an image that is not base64',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,%%%' } }] }] },
    /invalid_base64/,
  ],
  [
    'an image of another type than it says',
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${PIXEL}` } }] },
      ],
    },
    /invalid_image_format/,
  ],
  [
    'a tool message without a call',
    { messages: [USER, RESULT] },
    /must be a response to a preceeding message with 'tool_calls'/,
  ],
  ['a call without its tool message', { messages: [USER, ASSISTANT, USER] }, /did not have response messages: call_1/],
  [
    'one of two calls unanswered at the end',
    { messages: [USER, { ...ASSISTANT, tool_calls: [callOf('call_1'), callOf('call_2')] }, RESULT] },
    /did not have response messages: call_2/,
  ],
  [
    'a call id above 40 characters',
    {
      messages: [
        USER,
        { ...ASSISTANT, tool_calls: [callOf('c'.repeat(41))] },
        { ...RESULT, tool_call_id: 'c'.repeat(41) },
      ],
    },
    /maximum length 40/,
  ],
  [
    'arguments that are not text',
    {
      messages: [
        USER,
        { ...ASSISTANT, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: {} } }] },
        RESULT,
      ],
    },
    /tool_calls\[0\]\.function\.arguments/,
  ],
  [
    'a function name with a dot',
    { tools: [{ type: 'function', function: { name: 'a.b' } }] },
    /tools\[0\]\.function\.name/,
  ],
  [
    'a function name of 65 characters',
    { tools: [{ type: 'function', function: { name: 'a'.repeat(65) } }] },
    /maximum length 64/,
  ],
  ['a tool in the form of another API', { tools: [{ name: 'x', input_schema: {} }] }, /tools\[0\]\.type/],
  [
    'strict without additionalProperties false',
    {
      tools: [
        { type: 'function', function: { name: 'f', strict: true, parameters: { type: 'object', properties: {} } } },
      ],
    },
    /'additionalProperties' is required to be supplied and to be false.*invalid_function_parameters/,
  ],
  [
    'strict with an optional property inside',
    {
      tools: [
        {
          type: 'function',
          function: {
            name: 'f',
            strict: true,
            parameters: {
              type: 'object',
              additionalProperties: false,
              required: ['a'],
              properties: { a: { type: 'object', additionalProperties: false, properties: { b: {} } } },
            },
          },
        },
      ],
    },
    /In context=\('properties', 'a'\).*Missing 'b'/,
  ],
  ['a tool choice without tools', { tool_choice: 'auto' }, /only allowed when 'tools' are specified/],
  [
    'a choice of a tool that is not there',
    { tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'other' } } },
    /not found in 'tools'/,
  ],
  [
    'a JSON schema without a name',
    { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } },
    /response_format\.json_schema\.name/,
  ],
  [
    'a strict output schema that is open',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object' } } } },
    /Invalid schema for response_format 'a'/,
  ],
  ['JSON mode without the word', { response_format: { type: 'json_object' } }, /must contain the word 'json'/],
  [
    'stream options without a stream',
    { stream_options: { include_usage: true } },
    /only allowed when 'stream' is enabled/,
  ],
  ['n of 0', { n: 0 }, /Expected a value >= 1/],
  ['a temperature of 3', { temperature: 3 }, /Expected a value <= 2/],
  ['five stop sequences', { stop: ['1', '2', '3', '4', '5'] }, /maximum length 4/],
  ['top_logprobs without logprobs', { top_logprobs: 2 }, /only allowed when 'logprobs' is enabled/],
  ['both limits', { max_tokens: 5, max_completion_tokens: 5 }, /at the same time/],
  [
    'an effort for a model that does not reason',
    { reasoning_effort: 'low' },
    /Unrecognized request argument supplied: reasoning_effort/,
  ],
  [
    'max_tokens for a reasoner',
    { model: 'o4-mini', max_tokens: 5 },
    /Use 'max_completion_tokens' instead.*unsupported_parameter/,
  ],
  ['a temperature for a reasoner', { model: 'gpt-5-mini', temperature: 0 }, /unsupported_value/],
  ['logprobs for a reasoner', { model: 'o4-mini', logprobs: true }, /'logprobs' is not supported with this model/],
];

for (const [rule, body, error] of RULES) {
  test(`OpenAI chat refuses ${rule}`, async (context) => {
    const provider = await providerFor(context, { kind: 'openai' });
    const got = await chat(provider, body);
    assert.equal(got.status, body === RULES[1]?.[1] ? 404 : 400, got.text);
    assert.match(got.text, error);
    assert.equal(pick(got.json, 'error.type'), 'invalid_request_error');
    assert.equal(provider.violations().length, 1);
  });
}

test('takes a conversation with everything in it and recalls it', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'see' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
      ],
    },
    ASSISTANT,
    RESULT,
    { role: 'user', content: '#recall' },
  ];
  const got = await chat(provider, { messages, tools: [WEATHER] });
  assert.deepEqual(String(pick(got.json, 'choices.0.message.content')).split('\n'), [
    'system: Be brief.',
    'user: see',
    'user: [image/png 70 bytes 6b7fa434]',
    'call: get_weather {"city":"Paris"}',
    'result: get_weather = 21 C',
    'user: #recall',
  ]);
});

test('quotes tool results when they are the last word', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const got = await chat(provider, { messages: [USER, ASSISTANT, RESULT] });
  assert.equal(pick(got.json, 'choices.0.message.content'), 'Results: get_weather = 21 C');
});

test('counts tokens as the texts say', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const got = await chat(provider, { messages: [{ role: 'user', content: 'hello #cached 1' }] });
  const usage = pick(got.json, 'usage');
  assert.equal(pick(usage, 'prompt_tokens'), tokensOf('hello #cached 1'.length));
  assert.equal(pick(usage, 'prompt_tokens_details.cached_tokens'), 1);
  assert.equal(pick(usage, 'completion_tokens'), tokensOf(echoOf('hello #cached 1').length));
});

test('streams parallel calls with an index each, fragments in order, and usage behind the finish', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const words = '#say One moment #tool:get_weather {"city": "Zürich 🙂"} #tool:get_weather';
  const body = {
    stream: true,
    stream_options: { include_usage: true },
    tools: [WEATHER],
    messages: [{ role: 'user', content: words }],
  };
  const got = await chat(provider, body);
  assert.equal(got.events.at(-1)?.data, '[DONE]');
  const chunks = jsonEvents(got.events);
  const deltas = chunks
    .map((chunk) => pick(chunk, 'choices.0.delta.tool_calls.0'))
    .filter((delta) => delta !== undefined);
  const argumentsOf = (index: number) =>
    deltas
      .filter((delta) => pick(delta, 'index') === index)
      .map((delta) => pick(delta, 'function.arguments'))
      .join('');
  assert.equal(argumentsOf(0), '{"city": "Zürich 🙂"}');
  assert.equal(argumentsOf(1), '{}');
  assert.equal(deltas.filter((delta) => pick(delta, 'id') !== undefined).length, 2);
  assert.equal(chunks.map((chunk) => pick(chunk, 'choices.0.delta.content') ?? '').join(''), 'One moment');
  assert.equal(pick(chunks.at(-2), 'choices.0.finish_reason'), 'tool_calls');
  assert.deepEqual(pick(chunks.at(-1), 'choices'), []);
  assert.ok(Number(pick(chunks.at(-1), 'usage.total_tokens')) > 0);
});

test('calls one tool when parallel calls are off, and the named one when named', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const two = { messages: [{ role: 'user', content: '#tool:get_weather #tool:get_weather' }], tools: [WEATHER] };
  const one = await chat(provider, { ...two, parallel_tool_calls: false });
  assert.equal((pick(one.json, 'choices.0.message.tool_calls') as unknown[]).length, 1);
  const named = await chat(provider, {
    tools: [WEATHER],
    tool_choice: { type: 'function', function: { name: 'get_weather' } },
  });
  assert.equal(pick(named.json, 'choices.0.message.tool_calls.0.function.arguments'), '{"city":"Zürich"}');
});

test('refuses, is blocked, cites, answers n times, with log probabilities and by schema', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const say = (content: string, rest = {}) => chat(provider, { messages: [{ role: 'user', content }], ...rest });
  assert.equal(pick((await say('#refuse No.')).json, 'choices.0.message.refusal'), 'No.');
  assert.equal(pick((await say('#block')).json, 'choices.0.finish_reason'), 'content_filter');
  assert.equal(pick((await say('#cite')).json, 'choices.0.message.annotations.0.type'), 'url_citation');
  assert.equal(pick((await say('#say x', { n: 2 })).json, 'choices.1.message.content'), 'x (1)');
  const logged = await say('#say x', { logprobs: true, top_logprobs: 2 });
  assert.equal((pick(logged.json, 'choices.0.logprobs.content.0.top_logprobs') as unknown[]).length, 2);
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    required: ['a'],
    additionalProperties: false,
  };
  const json = await say('x', {
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
  });
  assert.equal(pick(json.json, 'choices.0.message.content'), '{"a":7}');
  const refusal = jsonEvents((await say('#refuse No, no.', { stream: true })).events);
  assert.equal(refusal.map((chunk) => pick(chunk, 'choices.0.delta.refusal') ?? '').join(''), 'No, no.');
});

test('reasons without showing it: tokens only', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const got = await chat(provider, { model: 'o4-mini', messages: [{ role: 'user', content: '#think abcd' }] });
  assert.equal(pick(got.json, 'usage.completion_tokens_details.reasoning_tokens'), 1);
  assert.doesNotMatch(got.text, /abcd.*reasoning_content/);
});

test('wants one bearer token that it knows, and shows the ends of a wrong one only', async (context) => {
  const provider = await providerFor(context, { kind: 'openai', keys: [KEY] });
  const body = { model: 'gpt-4o-mini', messages: [USER] };
  const asked = (headers: Record<string, string>) => ask(provider, '/v1/chat/completions', body, headers);
  assert.equal((await asked({ authorization: `Bearer ${KEY}` })).status, 200);
  assert.equal((await asked({})).status, 401);
  assert.equal((await asked({ 'x-api-key': KEY })).status, 401);
  assert.equal((await asked({ authorization: `Bearer ${KEY}`, 'api-key': KEY })).status, 401);
  const wrong = await asked({ authorization: 'Bearer sk-proj-0123456789abcdef' });
  assert.match(wrong.text, /sk-proj-\*+cdef.*invalid_api_key/);
  assert.equal(provider.keysSeen().length, 4);
});

test('lists models and embeds', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  assert.equal(pick((await get(provider, '/v1/models')).json, 'data.0.id'), 'gpt-4o-mini');
  assert.equal((await get(provider, '/v1/models/none')).status, 404);
  const body = { model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 4 };
  const floats = await ask(provider, '/v1/embeddings', body);
  assert.equal((pick(floats.json, 'data.1.embedding') as unknown[]).length, 4);
  const base64 = await ask(provider, '/v1/embeddings', { ...body, encoding_format: 'base64' });
  assert.equal(Buffer.from(String(pick(base64.json, 'data.0.embedding')), 'base64').length, 16);
  assert.equal((await ask(provider, '/v1/embeddings', { ...body, top_k: 1 })).status, 400);
});

test('takes an answered message back as it came', async (t) => {
  const provider = await providerFor(t, { kind: 'openai' });
  const message = pick((await chat(provider, {})).json, 'choices.0.message') as Record<string, unknown>;
  assert.ok('annotations' in message && 'refusal' in message);
  const again = await chat(provider, { messages: [USER, message, { role: 'user', content: 'And again.' }] });
  assert.equal(again.status, 200);
});

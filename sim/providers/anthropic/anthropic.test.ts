import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonRecord, listOf, recordOf } from '../../json.ts';
import { jsonEvents, pick } from '../../test-client.ts';
import { echoOf, tokensOf } from '../plan.ts';
import type { SimProvider } from '../provider.ts';
import { ask, type Got, get, HEADERS, KEY, PIXEL, providerFor } from '../test-callers.ts';

const USER = { role: 'user', content: 'hello' };
const TOOL = { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };
const useOf = (id: string) => ({ type: 'tool_use', id, name: 'get_weather', input: { city: 'Paris' } });
const resultOf = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: '21 C' });
const assistant = (...content: readonly object[]) => ({ role: 'assistant', content });
const user = (...content: readonly object[]) => ({ role: 'user', content });
const thinking = (budget: number) => ({ thinking: { type: 'enabled', budget_tokens: budget } });
const image = (source: object) => user({ type: 'image', source });
const cached = { cache_control: { type: 'ephemeral' } };
const text = (value: string, rest = {}) => ({ type: 'text', text: value, ...rest });

const create = (provider: SimProvider, body: object) =>
  ask(provider, '/v1/messages', { model: 'claude-haiku-4-5', max_tokens: 2048, messages: [USER], ...body });

const RULES: readonly (readonly [rule: string, body: object, error: RegExp])[] = [
  ['an unknown model', { model: 'claude-9' }, /not_found_error.*model: claude-9/],
  ['a field of another API', { frequency_penalty: 1 }, /frequency_penalty: Extra inputs are not permitted/],
  ['no max_tokens', { max_tokens: undefined }, /max_tokens: Field required/],
  ['a temperature above 1', { temperature: 1.5 }, /temperature: range: 0\.\.1/],
  [
    'sampling parameters for newer models',
    { model: 'claude-opus-4-8', top_k: 5 },
    /`top_k` is deprecated for this model/,
  ],
  ['a thinking budget for newer models', { model: 'claude-opus-4-8', ...thinking(1024) }, /thinking\.type\.adaptive/],
  ['adaptive thinking for older models', { thinking: { type: 'adaptive' } }, /adaptive thinking is not supported/],
  ['a thinking budget below 1024', thinking(1023), /Input should be greater than or equal to 1024/],
  ['a thinking budget of max_tokens', thinking(2048), /`max_tokens` must be greater than `thinking\.budget_tokens`/],
  [
    'thinking with another temperature',
    { ...thinking(1024), temperature: 0.5 },
    /may only be set to 1 when thinking is enabled/,
  ],
  ['thinking with top_k', { ...thinking(1024), top_k: 5 }, /`top_k` must be unset/],
  [
    'thinking with a forced tool',
    { ...thinking(1024), tools: [TOOL], tool_choice: { type: 'any' } },
    /when tool_choice forces tool use/,
  ],
  ['no messages', { messages: [] }, /at least one message is required/],
  [
    'a first message of the assistant',
    { messages: [{ role: 'assistant', content: 'x' }] },
    /first message must use the \\"user\\" role/,
  ],
  ['a system message', { messages: [{ role: 'system', content: 'x' }] }, /Unexpected role \\"system\\"/],
  ['an unknown field in a message', { messages: [{ ...USER, name: 'x' }] }, /messages\.0\.name: Extra inputs/],
  [
    'an unknown field in a block',
    { messages: [user({ ...text('x'), id: '1' })] },
    /messages\.0\.content\.0\.text\.id: Extra inputs/,
  ],
  [
    'a block of another API',
    { messages: [user({ type: 'image_url', image_url: { url: 'x' } })] },
    /Input tag 'image_url' found/,
  ],
  ['an empty message', { messages: [{ role: 'user', content: '' }] }, /must have non-empty content/],
  ['an empty text block', { messages: [user(text(''))] }, /text content blocks must be non-empty/],
  ['a text block of spaces', { messages: [user(text(' \n'))] }, /must contain non-whitespace text/],
  ['cache_control on an empty text', { messages: [user(text('', cached))] }, /cannot be set for empty text blocks/],
  [
    'five cache breakpoints',
    {
      system: [text('s', cached)],
      tools: [{ ...TOOL, ...cached }],
      messages: [user(text('a', cached), text('b', cached), text('c', cached))],
    },
    /A maximum of 4 blocks with cache_control may be provided\. Found 5\./,
  ],
  [
    'an hour of cache behind five minutes',
    { messages: [user(text('a', cached), text('b', { cache_control: { type: 'ephemeral', ttl: '1h' } }))] },
    /ttl='1h' cache_control block must not come after/,
  ],
  [
    'an unknown ttl',
    { messages: [user(text('a', { cache_control: { type: 'ephemeral', ttl: '2h' } }))] },
    /Input should be '5m' or '1h'/,
  ],
  [
    'a tool id with a dot',
    { messages: [USER, assistant(useOf('a.b')), user(resultOf('a.b'))] },
    /tool_use\.id: String should match pattern/,
  ],
  [
    'a call without a result',
    { messages: [USER, assistant(useOf('a')), USER] },
    /without `tool_result` blocks immediately after: a/,
  ],
  [
    'a result behind a text',
    { messages: [USER, assistant(useOf('a')), user(text('so'), resultOf('a'))] },
    /without `tool_result` blocks immediately after: a/,
  ],
  [
    'one of two results',
    { messages: [USER, assistant(useOf('a'), useOf('b')), user(resultOf('a'))] },
    /immediately after: b/,
  ],
  [
    'a result without a call',
    { messages: [user(resultOf('a'))] },
    /unexpected `tool_use_id` found in `tool_result` blocks: a/,
  ],
  [
    'two results of one call',
    { messages: [USER, assistant(useOf('a')), user(resultOf('a'), resultOf('a'))] },
    /Found multiple `tool_result` blocks with id: a/,
  ],
  [
    'a repeated call id',
    { messages: [USER, assistant(useOf('a')), user(resultOf('a')), assistant(useOf('a')), user(resultOf('a'))] },
    /ids must be unique/,
  ],
  [
    'an input that is text',
    { messages: [USER, assistant({ ...useOf('a'), input: '{}' }), user(resultOf('a'))] },
    /input: Input should be a valid dictionary/,
  ],
  [
    'a thought it did not have',
    { messages: [USER, assistant({ type: 'thinking', thinking: 'x', signature: 'abc' }, text('y')), USER] },
    /messages\.1\.content\.0: Invalid `signature` in `thinking` block/,
  ],
  [
    'a redacted thought it did not have',
    { messages: [USER, assistant({ type: 'redacted_thinking', data: 'abc' }, text('y')), USER] },
    /Invalid `data` in `redacted_thinking` block/,
  ],
  [
    'a thought without a signature',
    { messages: [USER, assistant({ type: 'thinking', thinking: 'x' }, text('y')), USER] },
    /signature: Field required/,
  ],
  [
    'a call without its thought while thinking',
    { ...thinking(1024), messages: [USER, assistant(useOf('a')), user(resultOf('a'))] },
    /Expected `thinking` or `redacted_thinking`, but found `tool_use`/,
  ],
  [
    'a prefill with trailing space',
    { messages: [USER, { role: 'assistant', content: 'So ' }] },
    /cannot end with trailing whitespace/,
  ],
  [
    'a prefill for newer models',
    { model: 'claude-opus-4-8', messages: [USER, { role: 'assistant', content: 'So' }] },
    /does not support assistant message prefill/,
  ],
  [
    'an image that is another type',
    { messages: [image({ type: 'base64', media_type: 'image/jpeg', data: PIXEL })] },
    /appears to be a image\/png image/,
  ],
  [
    'an image that is not base64',
    { messages: [image({ type: 'base64', media_type: 'image/png', data: 'a*b=' })] },
    /invalid base64 data/,
  ],
  [
    'an image type it cannot read',
    { messages: [image({ type: 'base64', media_type: 'image/tiff', data: PIXEL })] },
    /media_type: Input should be/,
  ],
  ['an image behind http', { messages: [image({ type: 'url', url: 'http://example.com/a.png' })] }, /Only HTTPS URLs/],
  [
    'a PDF that is none',
    { messages: [user({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PIXEL } })] },
    /The PDF specified was not valid/,
  ],
  ['a tool name with a dot', { tools: [{ ...TOOL, name: 'a.b' }] }, /tools\.0\.custom\.name: String should match/],
  [
    'a tool in the form of another API',
    { tools: [{ type: 'function', function: { name: 'x' } }] },
    /Input tag 'function' found/,
  ],
  ['a tool without a schema', { tools: [{ name: 'x' }] }, /input_schema: Field required/],
  ['a schema without a type', { tools: [{ name: 'x', input_schema: {} }] }, /input_schema\.type: Field required/],
  [
    'anyOf at the top of a schema',
    { tools: [{ name: 'x', input_schema: { type: 'object', anyOf: [] } }] },
    /does not support oneOf, allOf, or anyOf/,
  ],
  ['two tools of one name', { tools: [TOOL, TOOL] }, /Tool names must be unique/],
  [
    'a choice of a tool that is not there',
    { tools: [TOOL], tool_choice: { type: 'tool', name: 'x' } },
    /Tool 'x' not found/,
  ],
  ['a tool choice of another API', { tools: [TOOL], tool_choice: { type: 'function' } }, /Input tag 'function' found/],
  [
    'an open output schema',
    { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    /'additionalProperties' must be explicitly set to false/,
  ],
  [
    'a bound in an output schema',
    { output_config: { format: { type: 'json_schema', schema: { type: 'integer', minimum: 1 } } } },
    /properties minimum are not supported/,
  ],
  ['a stop sequence of spaces', { stop_sequences: [' '] }, /must contain non-whitespace/],
];

for (const [rule, body, error] of RULES) {
  test(`Anthropic refuses ${rule}`, async (context) => {
    const provider = await providerFor(context, { kind: 'anthropic' });
    const got = await create(provider, body);
    assert.equal(got.status, rule === 'an unknown model' ? 404 : 400, got.text);
    assert.match(got.text, error);
    assert.match(String(pick(got.json, 'request_id')), /^req_/);
  });
}

test('wants one key in one of its two forms, a version it knows, betas with a date, and JSON', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic', keys: [KEY] });
  const body = { model: 'claude-haiku-4-5', max_tokens: 100, messages: [USER] };
  const version = { 'anthropic-version': '2023-06-01' };
  const cases: readonly (readonly [headers: Record<string, string>, status: number, error: RegExp])[] = [
    [version, 401, /x-api-key header is required/],
    [{ ...version, authorization: KEY }, 401, /x-api-key header is required/],
    [{ ...version, 'x-goog-api-key': KEY }, 401, /x-api-key header is required/],
    [{ ...version, 'x-api-key': 'sk-ant-wrong' }, 401, /invalid x-api-key/],
    [{ ...version, 'x-api-key': KEY, authorization: `Bearer ${KEY}` }, 401, /exactly one/],
    [{ 'x-api-key': KEY }, 400, /anthropic-version: header is required/],
    [{ 'x-api-key': KEY, 'anthropic-version': '2024-01-01' }, 400, /not a valid version/],
    [{ ...version, 'x-api-key': KEY, 'anthropic-beta': 'nonsense' }, 400, /Unexpected value/],
    [{ ...version, 'x-api-key': KEY, 'content-type': 'text/plain' }, 400, /content type/],
  ];
  for (const [headers, status, error] of cases) {
    const got = await ask(provider, '/v1/messages', body, headers);
    assert.equal(got.status, status, got.text);
    assert.match(got.text, error);
  }
  for (const form of [{ 'x-api-key': KEY }, { authorization: `Bearer ${KEY}` }]) {
    assert.equal((await ask(provider, '/v1/messages', body, { ...version, ...form })).status, 200);
  }
});

test('the newest version has no sampling parameters and no citations in texts of users', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const send = (body: object) =>
    ask(
      provider,
      '/v1/messages',
      { model: 'claude-haiku-4-5', max_tokens: 99, messages: [USER], ...body },
      { ...HEADERS.anthropic, 'anthropic-version': '2026-10-21' },
    );
  assert.equal((await send({})).status, 200);
  assert.match((await send({ temperature: 1 })).text, /temperature: Extra inputs/);
  assert.match((await send({ messages: [user(text('x', { citations: [{}] }))] })).text, /citations are not allowed/);
});

test('newer models take system messages behind user turns, older ones do not', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const system = { role: 'system', content: 'Be brief.' };
  const send = (model: string, ...messages: readonly object[]) => create(provider, { model, messages });
  const good = await send('claude-opus-4-8', user(text('#recall')), system);
  assert.equal(pick(good.json, 'content.0.text'), 'user: #recall\nsystem: Be brief.');
  assert.match((await send('claude-haiku-4-5', USER, system)).text, /role 'system' is not supported on this model/);
  assert.match((await send('claude-opus-4-8', USER, system, USER)).text, /must directly follow/);
});

/** Blocks of a stream put together again, as a client does. */
function blocksOf(got: Got): readonly JsonRecord[] {
  const blocks: Record<string, unknown>[] = [];
  for (const event of jsonEvents(got.events)) {
    const delta = recordOf(pick(event, 'delta'));
    const block = blocks[Number(pick(event, 'index'))];
    if (pick(event, 'type') === 'content_block_start') blocks.push({ ...recordOf(pick(event, 'content_block')) });
    if (block === undefined) continue;
    for (const name of ['text', 'thinking', 'partial_json', 'signature']) {
      if (typeof delta[name] === 'string') block[name] = `${String(block[name] ?? '')}${delta[name]}`;
    }
  }
  return blocks;
}

test('streams blocks one after the other, named events, and the same parts as the whole answer', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const words = '#redacted #say Well 🙂 #tool:get_weather {"city": "Paris"} #tool:get_weather';
  const body = { ...thinking(1024), tools: [TOOL], messages: [user(text(words))] };
  const whole = await create(provider, body);
  const streamed = await create(provider, { ...body, stream: true });
  const kinds = listOf(pick(whole.json, 'content')).map((block) => pick(block, 'type'));
  assert.deepEqual(kinds, ['thinking', 'redacted_thinking', 'text', 'tool_use', 'tool_use']);
  const blocks = blocksOf(streamed);
  assert.deepEqual(
    blocks.map((block) => block['type']),
    kinds,
  );
  assert.equal(blocks[0]?.['thinking'], pick(whole.json, 'content.0.thinking'));
  assert.equal(blocks[3]?.['partial_json'], '{"city": "Paris"}');
  assert.equal(blocks[4]?.['partial_json'], '');
  assert.ok(streamed.events.every(({ event, data }) => event === pick(JSON.parse(data), 'type')));
  const open: unknown[] = [];
  for (const event of jsonEvents(streamed.events)) {
    if (pick(event, 'type') === 'content_block_start') assert.equal(open.push(pick(event, 'index')), 1);
    if (pick(event, 'type') === 'content_block_stop') assert.equal(open.pop(), pick(event, 'index'));
  }
  assert.equal(streamed.events.at(-1)?.event, 'message_stop');
});

test('takes its own thoughts back byte for byte, and no others', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const first = user(text('#redacted #tool:get_weather {"city": "Paris"}'));
  const body = { ...thinking(1024), tools: [TOOL] };
  const { json } = await create(provider, { ...body, messages: [first] });
  const content = listOf(pick(json, 'content')).map(recordOf);
  const next = user(resultOf(String(content.at(-1)?.['id'])));
  const send = (blocks: readonly JsonRecord[]) =>
    create(provider, { ...body, messages: [first, { role: 'assistant', content: blocks }, next] });
  const good = await send(content);
  assert.equal(pick(good.json, 'content.0.text'), 'Results: get_weather = 21 C');
  const changed = content.map((block) => (block['type'] === 'thinking' ? { ...block, thinking: 'other' } : block));
  assert.match((await send(changed)).text, /Invalid `signature`/);
  assert.match((await send(content.slice(2))).text, /Expected `thinking`/);
  const other = await providerFor(context, { kind: 'anthropic', secret: 'another' });
  const foreign = await create(other, { ...body, messages: [first, { role: 'assistant', content }, next] });
  assert.match(foreign.text, /Invalid `signature`/);
});

test('quotes errors and images of tool results', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } };
  const results = user({ ...resultOf('a'), is_error: true }, { ...resultOf('b'), content: [text('map'), picture] });
  const got = await create(provider, { tools: [TOOL], messages: [USER, assistant(useOf('a'), useOf('b')), results] });
  const said = 'Results: get_weather = ERROR 21 C; get_weather = map [image/png 70 bytes 6b7fa434]';
  assert.equal(pick(got.json, 'content.0.text'), said);
});

test('counts tokens, and splits the prompt into fresh, written and read', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const body = { system: [text('s'.repeat(40), cached)], messages: [user(text('hi'))] };
  const first = await create(provider, body);
  const second = await create(provider, body);
  const all = tokensOf(42);
  assert.equal(pick(first.json, 'usage.cache_creation_input_tokens'), 10);
  assert.equal(pick(first.json, 'usage.input_tokens'), all - 10);
  assert.equal(pick(second.json, 'usage.cache_read_input_tokens'), 10);
  assert.equal(pick(second.json, 'usage.cache_creation_input_tokens'), 0);
  assert.equal(pick(first.json, 'usage.output_tokens'), tokensOf(echoOf('hi').length));
  const counted = await ask(provider, '/v1/messages/count_tokens', { model: 'claude-haiku-4-5', ...body });
  assert.deepEqual(counted.json, { input_tokens: all });
  const refused = await ask(provider, '/v1/messages/count_tokens', {
    model: 'claude-haiku-4-5',
    max_tokens: 5,
    ...body,
  });
  assert.match(refused.text, /max_tokens: Extra inputs/);
});

test('ends as told: refusal, pause, limit, stop sequence; pings and unknown events in between', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  const say = (words: string, rest = {}) => create(provider, { messages: [user(text(words))], ...rest });
  assert.equal(pick((await say('#refuse No.')).json, 'stop_reason'), 'refusal');
  assert.deepEqual(pick((await say('#block')).json, 'content'), []);
  assert.equal(pick((await say('#pause')).json, 'stop_reason'), 'pause_turn');
  assert.equal(pick((await say('#long 50', { max_tokens: 5 })).json, 'stop_reason'), 'max_tokens');
  const stopped = await say('#say one END two', { stop_sequences: ['END'] });
  assert.deepEqual([pick(stopped.json, 'stop_sequence'), pick(stopped.json, 'content.0.text')], ['END', 'one ']);
  const odd = await say('#ping #unknown #cite', { stream: true });
  assert.ok(odd.events.filter(({ event }) => event === 'ping').length >= 3);
  assert.ok(odd.events.some(({ event }) => event === 'sim_unknown_event'));
  assert.ok(odd.events.some(({ data }) => data.includes('citations_delta')));
});

test('lists models page by page in both directions', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic', models: ['a', 'b', 'c'], pageSize: 2 });
  const first = (await get(provider, '/v1/models')).json;
  assert.deepEqual([first['has_more'], first['first_id'], first['last_id']], [true, 'a', 'b']);
  const second = (await get(provider, '/v1/models?after_id=b&limit=5')).json;
  assert.deepEqual([second['has_more'], second['first_id']], [false, 'c']);
  assert.equal((await get(provider, '/v1/models?before_id=c&limit=1')).json['first_id'], 'b');
  assert.equal((await get(provider, '/v1/models?limit=0')).status, 400);
  assert.equal((await get(provider, '/v1/models/b')).json['id'], 'b');
  assert.equal((await get(provider, '/v1/models', { 'x-api-key': HEADERS.anthropic['x-api-key'] ?? '' })).status, 400);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf, recordOf } from '../../json.ts';
import { jsonEvents, pick } from '../../test-client.ts';
import type { SimProvider } from '../provider.ts';
import { ask, providerFor } from '../test-callers.ts';

const USER = { role: 'user', content: 'hello' };
const callOf = (id: string) => ({ type: 'function_call', call_id: id, name: 'get_weather', arguments: '{}' });
const outputOf = (id: string) => ({ type: 'function_call_output', call_id: id, output: '21 C' });
const TOOL = { type: 'function', name: 'get_weather', parameters: { type: 'object', properties: {} } };

const respond = (provider: SimProvider, body: object) =>
  ask(provider, '/v1/responses', { model: 'gpt-4o-mini', input: 'hello', ...body });

const RULES: readonly (readonly [rule: string, body: object, error: RegExp])[] = [
  ['a field that only engines know', { min_p: 0.1 }, /Unknown parameter: 'min_p'\..*unknown_parameter/],
  ['the limit of chat completions', { max_tokens: 5 }, /has moved to 'max_output_tokens'/],
  ['the format of chat completions', { response_format: {} }, /has moved to 'text\.format'/],
  ['a limit below 16', { max_output_tokens: 5 }, /Expected a value >= 16/],
  [
    'include_usage',
    { stream: true, stream_options: { include_usage: true } },
    /Unknown parameter: 'stream_options\.include_usage'/,
  ],
  ['something unknown to include', { include: ['all'] }, /'all' is not supported/],
  [
    'a temperature for a reasoner',
    { model: 'o4-mini', temperature: 0.5 },
    /'temperature' is not supported with this model/,
  ],
  [
    'an effort for a model that does not reason',
    { reasoning: { effort: 'low' } },
    /'reasoning\.effort' is not supported/,
  ],
  ['an unknown effort', { model: 'o4-mini', reasoning: { effort: 'huge' } }, /Invalid value: 'huge'/],
  [
    'a tool in the form of chat completions',
    { tools: [{ type: 'function', function: { name: 'f' } }] },
    /Missing required parameter: 'tools\[0\]\.name'/,
  ],
  ['a strict tool that is open', { tools: [{ ...TOOL, strict: true }] }, /'additionalProperties' is required/],
  [
    'a choice of a tool that is not there',
    { tools: [TOOL], tool_choice: { type: 'function', name: 'x' } },
    /not found in 'tools' parameter/,
  ],
  [
    'an output format without a name',
    { text: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    /text\.format\.name/,
  ],
  ['an item of another API', { input: [{ role: 'tool', content: 'x' }] }, /input\[0\]\.role/],
  ['an unknown item type', { input: [{ type: 'tool_result' }] }, /Invalid value: 'tool_result'/],
  [
    'a part of chat completions',
    { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
    /Supported values are: 'input_text', 'input_image', 'input_file'/,
  ],
  [
    'input parts from the assistant',
    { input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    /Supported values are: 'output_text', 'refusal'/,
  ],
  [
    'an output without its call',
    { input: [USER, outputOf('a')] },
    /No tool call found for function call output with call_id a/,
  ],
  ['a call without its output', { input: [USER, callOf('a')] }, /No tool output found for function call a/],
  [
    'a call id above 64 characters',
    { input: [USER, callOf('a'.repeat(65)), outputOf('a'.repeat(65))] },
    /maximum length 64/,
  ],
  [
    'an item id of another kind',
    { input: [USER, { ...callOf('a'), id: 'call_1' }, outputOf('a')] },
    /begins with 'fc'/,
  ],
  [
    'a thought with nothing behind it',
    { input: [USER, { type: 'reasoning', id: 'rs_1', summary: [] }] },
    /without its required following item/,
  ],
  [
    'a thought it did not have',
    { input: [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' }, callOf('a'), outputOf('a')] },
    /invalid_encrypted_content/,
  ],
  ['an unknown earlier response', { previous_response_id: 'resp_1' }, /previous_response_not_found/],
];

for (const [rule, body, error] of RULES) {
  test(`OpenAI responses refuses ${rule}`, async (context) => {
    const provider = await providerFor(context, { kind: 'openai' });
    const got = await respond(provider, body);
    assert.equal(got.status, 400, got.text);
    assert.match(got.text, error);
  });
}

const THINKING = {
  model: 'o4-mini',
  tools: [TOOL],
  reasoning: { effort: 'low', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  store: false,
};
const ASK = { role: 'user', content: '#tool:get_weather {"city": "Zürich"} #tool:get_weather' };

test('streams numbered events whose items are those of the completed response', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const got = await respond(provider, { ...THINKING, stream: true, input: [ASK] });
  const events = jsonEvents(got.events);
  assert.deepEqual(
    events.map((event) => pick(event, 'sequence_number')),
    events.map((_event, index) => index),
  );
  assert.ok(got.events.every(({ event, data }) => event === pick(JSON.parse(data), 'type')));
  const done = events.filter((event) => pick(event, 'type') === 'response.output_item.done');
  const last = events.at(-1);
  assert.equal(pick(last, 'type'), 'response.completed');
  assert.deepEqual(
    done.map((event) => pick(event, 'item')),
    pick(last, 'response.output'),
  );
  assert.deepEqual(
    listOf(pick(last, 'response.output')).map((item) => pick(item, 'type')),
    ['reasoning', 'function_call', 'function_call'],
  );
  const fragments = events.filter(
    (event) => pick(event, 'type') === 'response.function_call_arguments.delta' && pick(event, 'output_index') === 1,
  );
  assert.equal(fragments.map((event) => pick(event, 'delta')).join(''), '{"city": "Zürich"}');
});

test('takes its thoughts back with what they led to, unchanged, and not without each other', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const first = await respond(provider, { ...THINKING, input: [ASK] });
  const output = listOf(pick(first.json, 'output')).map(recordOf);
  const results = output.flatMap((item) =>
    item['type'] === 'function_call' ? [outputOf(String(item['call_id']))] : [],
  );
  const send = (items: readonly object[]) => respond(provider, { ...THINKING, input: [ASK, ...items, ...results] });
  const good = await send(output);
  assert.match(good.text, /Results: get_weather = 21 C; get_weather = 21 C/);
  assert.match((await send(output.slice(1))).text, /without its required 'reasoning' item/);
  const renamed = output.map((item) => (item['type'] === 'reasoning' ? { ...item, id: 'rs_0' } : item));
  assert.match((await send(renamed)).text, /item_id did not match/);
  const cut = output.map((item) => (item['type'] === 'reasoning' ? { ...item, encrypted_content: 'x' } : item));
  assert.match((await send(cut)).text, /could not be decrypted or parsed/);
});

test('goes on from a stored response, and not from one that was not to be stored', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const first = await respond(provider, { input: [ASK], tools: [TOOL] });
  const [one, two] = listOf(pick(first.json, 'output')).map((item) => String(pick(item, 'call_id')));
  const more = { previous_response_id: first.json['id'], input: [outputOf(one ?? ''), outputOf(two ?? '')] };
  assert.match((await respond(provider, more)).text, /Results: get_weather = 21 C/);
  const unstored = await respond(provider, { store: false });
  assert.match((await respond(provider, { previous_response_id: unstored.json['id'] })).text, /not found/);
});

test('says that it is incomplete, refuses, cites and answers by schema', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const cut = await respond(provider, { input: '#long 99', max_output_tokens: 16, stream: true });
  assert.equal(cut.events.at(-1)?.event, 'response.incomplete');
  assert.equal(
    pick((await respond(provider, { input: '#block' })).json, 'incomplete_details.reason'),
    'content_filter',
  );
  assert.equal(pick((await respond(provider, { input: '#refuse No.' })).json, 'output.0.content.0.refusal'), 'No.');
  assert.equal(
    pick((await respond(provider, { input: '#cite' })).json, 'output.0.content.0.annotations.0.type'),
    'url_citation',
  );
  const schema = { type: 'object', properties: { a: { enum: ['x'] } } };
  const text = { format: { type: 'json_schema', name: 'a', schema } };
  assert.equal(pick((await respond(provider, { text })).json, 'output.0.content.0.text'), '{"a":"x"}');
});

/** `POST /parse/…`: texts that models wrote, taken apart by the gateway, through the whole of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { REASONING_FORMAT_IDS } from '../../src/pipeline/parsers/reasoning/index.ts';
import { TOOL_FORMAT_IDS } from '../../src/pipeline/parsers/tool/index.ts';
import type { Gateway } from '../../src/app/build.ts';
import { gatewayFor, post } from '../support/rig.ts';

const TOOLS = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { days: { type: 'integer' } } } },
  },
];

function lonely(t: TestContext): Promise<Gateway> {
  return gatewayFor(t, [], { enableIgw: true });
}

async function ask(gateway: Gateway, path: string, body: unknown) {
  const answer = await post(gateway, path, body);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test('calls are found in a text, with arguments by the schemas of their tools', async (t) => {
  const gateway = await lonely(t);
  const text =
    'On my way.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nZürich\n</parameter>\n' +
    '<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>';
  const request = { text, tool_call_parser: 'qwen_xml', tools: TOOLS };
  const { status, body } = await ask(gateway, '/parse/function_call', request);
  assert.equal(status, 200);
  const [call, ...rest] = body['tool_calls'] as { id: string; type: string; function: Record<string, string> }[];
  assert.deepEqual([rest.length, call?.type, call?.function['name']], [0, 'function', 'get_weather']);
  assert.deepEqual(JSON.parse(call?.function['arguments'] ?? ''), { city: 'Zürich', days: 3 });
  assert.match(call?.id ?? '', /^call_\w+$/);
  assert.deepEqual([String(body['remaining_text']).trim(), body['success']], ['On my way.', true]);
});

test('models with ids of their own get them, counted', async (t) => {
  const one = '<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{}<|tool_call_end|>';
  const text = `<|tool_calls_section_begin|>${one}${one}<|tool_calls_section_end|>`;
  const request = { text, tool_call_parser: 'kimik2', tools: TOOLS };
  const { body } = await ask(await lonely(t), '/parse/function_call', request);
  const ids = (body['tool_calls'] as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(ids, ['functions.get_weather:0', 'functions.get_weather:1']);
});

test('what calls a tool that is not offered stays text, and so does all where nothing is to be found', async (t) => {
  const gateway = await lonely(t);
  const text = '<tool_call>\n{"name": "other", "arguments": {}}\n</tool_call>';
  for (const [format, tools] of [
    ['qwen', TOOLS],
    ['qwen', []],
    ['passthrough', TOOLS],
  ] as const) {
    const { body } = await ask(gateway, '/parse/function_call', { text, tool_call_parser: format, tools });
    assert.deepEqual(body, { remaining_text: text, tool_calls: [], success: true }, format);
  }
});

test('thoughts are told from the rest', async (t) => {
  const gateway = await lonely(t);
  const reasoning = (text: string, parser: string) =>
    ask(gateway, '/parse/reasoning', { text, reasoning_parser: parser }).then(({ body }) => body);
  const found = { normal_text: 'Done.', reasoning_text: 'Hm.', success: true };
  assert.deepEqual(await reasoning('<think>Hm.</think>Done.', 'qwen3'), found);
  assert.deepEqual(await reasoning('Hm.</think>Done.', 'deepseek_r1'), found, 'this one begins inside of a thought');
  assert.deepEqual(await reasoning('Hm.</think>Done.', 'passthrough'), {
    normal_text: 'Hm.</think>Done.',
    reasoning_text: '',
    success: true,
  });
});

test('every form that the flags take is taken here', async (t) => {
  const gateway = await lonely(t);
  for (const id of TOOL_FORMAT_IDS) {
    const { body } = await ask(gateway, '/parse/function_call', { text: 'a', tool_call_parser: id, tools: TOOLS });
    assert.deepEqual(body, { remaining_text: 'a', tool_calls: [], success: true }, id);
  }
  for (const id of REASONING_FORMAT_IDS) {
    const { body } = await ask(gateway, '/parse/reasoning', { text: 'a', reasoning_parser: id });
    assert.equal(`${String(body['normal_text'])}${String(body['reasoning_text'])}`, 'a', id);
  }
});

test('bodies that cannot be read are refused with the member that is wrong', async (t) => {
  const gateway = await lonely(t);
  const good = { text: 'a', tool_call_parser: 'json', tools: TOOLS };
  for (const [body, param] of [
    [{ ...good, text: 1 }, 'text'],
    [{ ...good, tool_call_parser: 'nope' }, 'tool_call_parser'],
    [{ ...good, tools: undefined }, 'tools'],
    [{ ...good, tools: [{}] }, 'tools[0]'],
    [{ ...good, tools: Array.from({ length: 1_025 }, () => TOOLS[0]) }, 'tools'],
    [{ ...good, reasoning_parser: 'qwen3' }, 'reasoning_parser'],
    [[], undefined],
  ] as const) {
    const { status, body: answer } = await ask(gateway, '/parse/function_call', body);
    const error = answer['error'] as { code: string; param?: string | null };
    assert.deepEqual([status, error.code, error.param ?? undefined], [400, 'invalid_request', param]);
  }
  const unknown = await ask(gateway, '/parse/reasoning', { text: 'a', reasoning_parser: 'nope' });
  assert.equal(unknown.status, 400);
  assert.match(JSON.stringify(unknown.body), /must be one of deepseek_r1, .*passthrough/);
});

/** Requests read and written: what every field becomes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import { openai } from '../../domain/providers/openai.ts';
import type { Provider } from '../../domain/providers/provider.ts';
import { xai } from '../../domain/providers/xai.ts';
import { responsesCodec } from './codec.ts';

const FACTS = { model: undefined, isStream: undefined, headers: {} };
const MODEL = 'gpt-5.6';

const decode = (body: object | string) =>
  responsesCodec.decodeRequest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), FACTS);

function encode(request: GenerationRequest, provider: Provider | undefined = openai, model = MODEL) {
  const { body, warnings } = responsesCodec.encodeRequest(request, { provider, model, maxOutputTokens: undefined });
  return {
    text: body.toString(),
    body: JSON.parse(body.toString()) as Record<string, unknown> & { input: Record<string, unknown>[] },
    warnings: warnings.map(({ kind, field }) => `${kind} ${field}`),
  };
}

/** A request of the hub with only what is given, as another API's client would have sent it. */
function hub(given: Partial<GenerationRequest> = {}): GenerationRequest {
  return { ...decode({ model: 'm', input: [{ role: 'user', content: 'Hi' }] }).request, ...given };
}

const refusal = (body: object) => {
  try {
    decode(body);
  } catch (error) {
    return error instanceof GatewayError ? `${error.code} ${error.param}` : error;
  }
};

test('what an API of responses keeps is refused by its name, storing alone is not', () => {
  const body = { model: 'm', input: 'Hi' };
  assert.equal(refusal({ ...body, previous_response_id: 'resp_1' }), 'invalid_request previous_response_id');
  assert.equal(refusal({ ...body, conversation: 'conv_1' }), 'invalid_request conversation');
  assert.equal(refusal({ ...body, conversation: { id: 'conv_1' } }), 'invalid_request conversation');
  assert.equal(refusal({ ...body, prompt: { id: 'pmpt_1' } }), 'invalid_request prompt');
  assert.equal(refusal({ ...body, background: true }), 'invalid_request background');
  assert.equal(
    refusal({ model: 'm', input: [{ type: 'item_reference', id: 'msg_1' }] }),
    'invalid_request input[0].id',
  );
  assert.equal(refusal({ model: 'm', input: [{ id: 'msg_1' }] }), 'invalid_request input[0].id');
  assert.equal(refusal({ ...body, background: false, store: true, previous_response_id: null }), undefined);
  assert.equal(decode({ ...body, store: true }).request.store, true);
});

test('a member of the wrong type or value is the client’s error, with its path', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ model: 1 }, 'model'],
    [{ model: 'm', input: [{ role: 'robot', content: '' }] }, 'input[0].role'],
    [{ model: 'm', input: [{ role: 'user' }] }, 'input[0].content'],
    [{ model: 'm', input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0].image_url'],
    [{ model: 'm', input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id'],
    [{ model: 'm', input: [{ type: 'function_call_output', call_id: 'c' }] }, 'input[0].output'],
    [{ model: 'm', tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ model: 'm', tool_choice: 'any' }, 'tool_choice'],
    [{ model: 'm', reasoning: { effort: 'huge' } }, 'reasoning.effort'],
    [{ model: 'm', text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ model: 'm', max_output_tokens: 1.5 }, 'max_output_tokens'],
  ];
  for (const [body, path] of wrong) assert.equal(refusal(body), `invalid_request ${path}`);
});

test('items of the assistant that follow each other are one turn, their results are turns of their own', () => {
  const input = [
    { role: 'user', content: 'Hi' },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'a' }],
    },
    { type: 'function_call', id: 'fc_1', status: 'completed', call_id: 'c1', name: 'f', arguments: '' },
    { type: 'function_call', call_id: 'c2', name: 'g', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c2', output: 'two' },
    { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'one' }] },
  ];
  const { request, warnings } = decode({ model: 'm', input });
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    request.turns.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)]),
    [
      ['user', 'text'],
      ['assistant', 'reasoning', 'text', 'tool_call', 'tool_call'],
      ['tool', 'tool_result'],
      ['tool', 'tool_result'],
    ],
  );
  const [, assistant, second, first] = request.turns;
  assert.deepEqual(
    [second, first].map((turn) => turn?.parts.map((part) => part.type === 'tool_result' && [part.name, part.isPlain])),
    [[['g', true]], [['f', false]]],
  );
  const call = assistant?.parts[2];
  assert.equal(call?.type === 'tool_call' && call.argumentsText, '{}');
});

test('the encrypted thoughts of a Grok model are xAI’s, and go to xAI only', () => {
  const input = [
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
    { type: 'message', role: 'assistant', content: 'Hi' },
  ];
  const grok = decode({ model: 'grok-4', input }).request;
  assert.deepEqual(encode(grok, openai).warnings, ['lost turns[0].parts[0]']);
  assert.deepEqual(encode(grok, xai, 'grok-4').body.input, input);
});

// As client of OpenAI and xAI: what other APIs' clients say.

const cache = undefined;
const signature = undefined;
const textPart = (value: string) => ({ type: 'text', text: value, cache, signature }) as const;
const turn = (role: 'system' | 'user' | 'assistant' | 'tool', ...parts: GenerationRequest['turns'][number]['parts']) =>
  ({ role, parts, isPlain: false, name: undefined }) as const;

test('functions of other APIs are not strict unless they say so, and a function without arguments takes none', () => {
  const tool = {
    type: 'function',
    name: 'f',
    description: undefined,
    schemaText: undefined,
    isStrict: undefined,
    cache,
  } as const;
  assert.deepEqual(encode(hub({ tools: [tool, { ...tool, name: 'g', isStrict: true }] })).body['tools'], [
    { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
    { type: 'function', name: 'g', parameters: { type: 'object', properties: {} }, strict: true },
  ]);
});

test('the name of a tool that the API refuses is the client’s error, with its path', () => {
  const tool = {
    type: 'function',
    name: 'a.b',
    description: undefined,
    schemaText: '{}',
    isStrict: undefined,
    cache,
  } as const;
  assert.throws(
    () => encode(hub({ tools: [tool] })),
    (error: unknown) => error instanceof GatewayError && error.param === 'tools[0].name',
  );
});

test('tool_choice: any of them, none, one, some', () => {
  const tool = {
    type: 'function',
    name: 'f',
    description: undefined,
    schemaText: '{}',
    isStrict: false,
    cache,
  } as const;
  const choice = (mode: 'auto' | 'none' | 'required' | 'named', ...names: string[]) =>
    encode(hub({ tools: [tool], toolChoice: { mode, names } })).body['tool_choice'];
  assert.deepEqual(
    [choice('auto'), choice('none'), choice('required'), choice('named', 'f'), choice('required', 'f', 'g')],
    [
      ...['auto', 'none', 'required'],
      ...[
        { type: 'function', name: 'f' },
        {
          type: 'allowed_tools',
          mode: 'required',
          tools: [
            { type: 'function', name: 'f' },
            { type: 'function', name: 'g' },
          ],
        },
      ],
    ],
  );
});

test('a tool result with an image and an error keeps its text and its image', () => {
  const result = {
    type: 'tool_result',
    callId: 'toolu_01',
    name: 'f',
    parts: [
      textPart('no disk'),
      { type: 'image', source: { kind: 'base64', base64: 'AAAA', mediaType: 'image/png' }, detail: undefined, cache },
    ],
    isPlain: false,
    isError: true,
    responseText: undefined,
    cache,
  } as const;
  const { body, warnings } = encode(hub({ turns: [turn('user', result, textPart('and?'))] }));
  assert.deepEqual(body.input, [
    {
      type: 'function_call_output',
      call_id: 'toolu_01',
      output: [
        { type: 'input_text', text: 'no disk' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
      ],
    },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'and?' }] },
  ]);
  assert.deepEqual(warnings, ['lost turns[0].parts[0].isError']);
});

test('ids of calls that are too long are shortened alike in the call and in its result', () => {
  const callId = `toolu_${'x'.repeat(100)}`;
  const call = { type: 'tool_call', callId, name: 'f', argumentsText: '{"cut', signature, cache } as const;
  const facts = { isPlain: true, isError: false, responseText: undefined, cache } as const;
  const result = { type: 'tool_result', callId, name: 'f', parts: [textPart('1')], ...facts } as const;
  const { body, warnings } = encode(hub({ turns: [turn('assistant', call), turn('tool', result)] }));
  const ids = body.input.map(({ call_id: id }) => String(id));
  assert.ok(ids[0] === ids[1] && (ids[0]?.length ?? 99) <= 64);
  assert.equal(body.input[0]?.['arguments'], '{"cut');
  assert.deepEqual(warnings, ['changed turns[0].parts[0].callId']);
});

test('thoughts and signatures of others are dropped with a warning, never said as the assistant’s words', () => {
  const foreign = { origin: 'anthropic', value: 'EqQB' } as const;
  const thought = {
    type: 'reasoning',
    text: 'secret',
    signature: foreign,
    isRedacted: false,
    itemId: undefined,
  } as const;
  const call = { type: 'tool_call', callId: 'c', name: 'f', argumentsText: '{}', signature: foreign, cache } as const;
  const { text: written, warnings } = encode(hub({ turns: [turn('assistant', thought, textPart('Hi'), call)] }));
  assert.ok(!written.includes('secret') && !written.includes('EqQB'));
  assert.deepEqual(warnings, ['lost turns[0].parts[0]', 'lost turns[0].parts[2].signature']);
});

test('a thought of OpenAI that went through another API comes back as an item with its own id', () => {
  const own = { origin: 'openai', value: 'rs_9:gAAA' } as const;
  const thought = { type: 'reasoning', text: 'a\n\nb', signature: own, isRedacted: false, itemId: undefined } as const;
  assert.deepEqual(encode(hub({ turns: [turn('assistant', thought, textPart('Hi'))] })).body.input[0], {
    type: 'reasoning',
    id: 'rs_9',
    summary: [{ type: 'summary_text', text: 'a\n\nb' }],
    encrypted_content: 'gAAA',
  });
});

test('a thought that nothing of the assistant follows is left out, because the API refuses it', () => {
  const own = { origin: 'openai', value: 'rs_9:gAAA' } as const;
  const thought = { type: 'reasoning', text: '', signature: own, isRedacted: false, itemId: undefined } as const;
  const turns = [
    turn('assistant', textPart('Hi'), thought),
    turn('user', textPart('and?')),
    turn('assistant', thought),
  ];
  const { body, warnings } = encode(hub({ turns }));
  assert.deepEqual(
    body.input.map(({ type }) => type),
    ['message', 'message'],
  );
  assert.deepEqual(warnings.sort(), ['lost turns[0].parts[1]', 'lost turns[2].parts[0]']);
});

test('the thoughts of an open model go back to an engine that speaks the API', () => {
  const thought = { type: 'reasoning', text: 'hm', signature, isRedacted: false, itemId: 'rs_1' } as const;
  const request = hub({ turns: [turn('assistant', thought, textPart('Hi'))] });
  const { body } = responsesCodec.encodeRequest(request, {
    provider: undefined,
    model: 'm',
    maxOutputTokens: undefined,
  });
  const { input } = JSON.parse(body.toString()) as { input: unknown[] };
  const content = [{ type: 'reasoning_text', text: 'hm' }];
  assert.deepEqual(input[0], { type: 'reasoning', id: 'rs_1', summary: [], content });
});

test('encrypted thoughts are asked for where the model thinks, and nothing is stored unless the client wants it', () => {
  const include = (model: string, provider: Provider = openai) => encode(hub(), provider, model).body['include'];
  for (const model of ['o3', 'o4-mini', 'gpt-5', 'gpt-5.2-codex', 'gpt-6'])
    assert.deepEqual(include(model), ['reasoning.encrypted_content'], model);
  for (const model of ['gpt-4o', 'gpt-4.1-mini', 'gpt-5-chat-latest', 'chatgpt-4o-latest'])
    assert.equal(include(model), undefined, model);
  assert.deepEqual(include('grok-4', xai), ['reasoning.encrypted_content']);
  assert.equal(encode(hub()).body['store'], false);
  assert.equal(encode(hub({ store: true })).body['store'], true);
});

test('efforts and budgets become an effort that the model takes', () => {
  const reasoning = { mode: undefined, effort: undefined, budgetTokens: undefined, summary: undefined } as const;
  const asked = (options: object, model: string, provider: Provider = openai) => {
    const { body, warnings } = encode(hub({ reasoning: { ...reasoning, ...options } }), provider, model);
    return [body['reasoning'], ...warnings];
  };
  assert.deepEqual(asked({ effort: 'high' }, 'o3'), [{ effort: 'high' }]);
  assert.deepEqual(asked({ effort: 'max' }, 'o3'), [{ effort: 'high' }, 'changed reasoning.effort']);
  assert.deepEqual(asked({ effort: 'max' }, 'gpt-5.6'), [{ effort: 'max' }]);
  assert.deepEqual(asked({ effort: 'xhigh' }, 'gpt-5.2'), [{ effort: 'xhigh' }]);
  assert.deepEqual(asked({ mode: 'off' }, 'gpt-5'), [{ effort: 'minimal' }, 'changed reasoning.effort']);
  assert.deepEqual(asked({ mode: 'off' }, 'gpt-4o'), [undefined]);
  assert.deepEqual(asked({ effort: 'low' }, 'gpt-4o'), [undefined, 'lost reasoning.effort']);
  assert.deepEqual(asked({ effort: 'high' }, 'unknown'), [{ effort: 'high' }]);
  assert.deepEqual(asked({ effort: 'max' }, 'grok-4.3', xai), [{ effort: 'high' }, 'changed reasoning.effort']);
  assert.deepEqual(asked({ effort: 'low' }, 'grok-4-fast', xai), [undefined, 'lost reasoning.effort']);
  assert.deepEqual(asked({ mode: 'on', budgetTokens: 8_000 }, 'o3'), [
    { effort: 'medium', summary: 'auto' },
    'changed reasoning.budget_tokens',
  ]);
  assert.deepEqual(asked({ mode: 'adaptive', summary: 'none' }, 'o3'), [undefined]);
});

test('models that think take no temperature, and the loss is told', () => {
  const asked = { temperature: 0.2, topP: 0.9, wantsLogprobs: true, topLogprobs: 3 } as const;
  assert.deepEqual(encode(hub(asked), openai, 'o3').warnings, [
    'lost temperature',
    'lost top_p',
    'lost top_logprobs',
    'lost logprobs',
  ]);
  const { body, warnings } = encode(hub(asked), openai, 'gpt-4.1');
  assert.deepEqual(
    [body['temperature'], body['top_p'], body['top_logprobs'], body['include'], warnings],
    [0.2, 0.9, 3, ['message.output_text.logprobs'], []],
  );
});

test('a limit of tokens is moved to where the model takes it', () => {
  assert.deepEqual(encode(hub({ maxTokens: 1 })).body['max_output_tokens'], 16);
  assert.deepEqual(encode(hub({ maxTokens: 1 })).warnings, ['changed max_tokens']);
  const target = { provider: openai, model: MODEL, maxOutputTokens: 100 };
  const { body } = responsesCodec.encodeRequest(hub({ maxTokens: 500 }), target);
  assert.equal((JSON.parse(body.toString()) as { max_output_tokens: number }).max_output_tokens, 100);
});

test('several systems stay where they stood, and instructions go to xAI as a message', () => {
  const { request } = decode({ model: 'grok-4', instructions: 'A', input: [{ role: 'system', content: 'B' }] });
  assert.deepEqual(encode(request, xai, 'grok-4').body.input, [
    { type: 'message', role: 'system', content: 'A' },
    { type: 'message', role: 'system', content: 'B' },
  ]);
  const own = encode(request).body;
  assert.deepEqual([own['instructions'], own.input.length], ['A', 1]);
  const turns = [
    turn('system', textPart('A'), textPart('B')),
    turn('user', textPart('Hi')),
    turn('system', textPart('C')),
  ];
  assert.deepEqual(
    encode(hub({ turns })).body.input.map(({ role }) => role),
    ['system', 'user', 'system'],
  );
});

test('documents: bytes, a URL, plain text, and what the API has no place for', () => {
  const file = { type: 'file', filename: undefined, title: 'Report', context: 'old', isCitable: true, cache } as const;
  const { body, warnings } = encode(
    hub({
      turns: [
        turn(
          'user',
          {
            ...file,
            source: { kind: 'base64', base64: 'AAAA', mediaType: 'application/pdf' },
            context: undefined,
            isCitable: undefined,
          },
          { ...file, source: { kind: 'base64', base64: 'AAAA', mediaType: 'application/pdf' }, title: undefined },
          {
            ...file,
            source: { kind: 'url', url: 'https://example.com/a.pdf', mediaType: undefined },
            isCitable: false,
          },
          { ...file, source: { kind: 'text', text: 'plain', mediaType: 'text/plain' } },
          { ...file, source: { kind: 'file_id', id: 'file_1', origin: 'anthropic' } },
        ),
      ],
    }),
  );
  assert.deepEqual(body.input[0]?.['content'], [
    { type: 'input_file', file_data: 'data:application/pdf;base64,AAAA', filename: 'Report' },
    { type: 'input_file', file_data: 'data:application/pdf;base64,AAAA', filename: 'document.pdf' },
    { type: 'input_file', file_url: 'https://example.com/a.pdf', filename: 'Report' },
    { type: 'input_text', text: 'plain' },
  ]);
  const at = (index: number) => `turns[0].parts[${index}]`;
  assert.deepEqual(warnings.sort(), [
    `changed ${at(1)}.filename`,
    `changed ${at(3)}`,
    `lost ${at(1)}.context`,
    `lost ${at(1)}.isCitable`,
    `lost ${at(2)}.context`,
    `lost ${at(3)}.context`,
    `lost ${at(3)}.isCitable`,
    `lost ${at(3)}.title`,
    `lost ${at(4)}`,
  ]);
});

test('cache marks go to models that take them, elsewhere they are told', () => {
  const part = { ...textPart('long'), cache: { ttl: '1h' } };
  const request = hub({ turns: [turn('user', part)] });
  const newer = encode(request, openai, 'gpt-5.6-sol');
  assert.deepEqual(newer.body.input[0]?.['content'], [
    { type: 'input_text', text: 'long', prompt_cache_breakpoint: { mode: 'explicit' } },
  ]);
  assert.deepEqual(newer.warnings, ['changed turns[0].parts[0].cache']);
  assert.deepEqual(encode(request, openai, 'gpt-5.1').warnings, ['changed turns[0].parts[0].cache']);
});

test('blocks, tools and fields of other APIs are told, and are not sent', () => {
  const request = hub({
    turns: [turn('assistant', { type: 'native', origin: 'anthropic-messages', name: 'server_tool_use', json: '{}' })],
    tools: [
      { type: 'native', origin: 'anthropic-messages', name: 'web_search', json: '{"type":"web_search_20250305"}' },
    ],
    extras: [
      { origin: 'openai-chat', name: 'prediction', json: '{}' },
      { origin: 'openai-chat', name: 'prompt_cache_retention', json: '"24h"' },
    ],
    choices: 3,
    serviceTier: 'standard_only',
  });
  const { body, warnings } = encode(request);
  assert.deepEqual(
    [body['tools'], body.input, body['prompt_cache_retention'], body['service_tier']],
    [undefined, [], '24h', 'default'],
  );
  assert.deepEqual(warnings, [
    'lost turns[0].parts[0]',
    'lost tools[0]',
    'changed service_tier',
    'lost prediction',
    'lost n',
  ]);
});

test('the end user is named as the provider names one', () => {
  const named = (provider: Provider, model: string, user = 'u1') => {
    const { body, warnings } = encode(hub({ user }), provider, model);
    return [body['safety_identifier'], body['user'], ...warnings];
  };
  assert.deepEqual(named(openai, MODEL), ['u1', undefined]);
  assert.deepEqual(named(xai, 'grok-4'), [undefined, 'u1']);
  const [long, , warning] = named(openai, MODEL, 'x'.repeat(200));
  assert.ok(typeof long === 'string' && long.length <= 128);
  assert.equal(warning, 'changed user');
});

test('structured output: the schema keeps its text, a name that is refused is mended', () => {
  const body = `{"model":"m","input":"Hi","text":{"format":{"type":"json_schema","name":"a b","schema":{ "z":1.0,"a":[ ] }}}}`;
  const { text: written, warnings } = encode(decode(body).request);
  assert.ok(written.includes('"name":"a_b","schema":{ "z":1.0,"a":[ ] }'));
  assert.deepEqual(warnings, ['changed response_format.name']);
});

test('the API fetches images and files by itself', () => {
  const target = { provider: openai, model: MODEL, maxOutputTokens: undefined };
  const source = { kind: 'url', url: 'https://example.com/a.png', mediaType: undefined } as const;
  for (const type of ['image', 'file', 'audio'] as const)
    assert.equal(responsesCodec.needsBytes(source, type, target), false);
});

test('a budget of thought for a model that does not think is told by its own name', () => {
  const reasoning = { mode: undefined, effort: undefined, budgetTokens: 2_000, summary: undefined };
  assert.deepEqual(encode(hub({ reasoning }), openai, 'gpt-4.1').warnings, ['lost reasoning.budget_tokens']);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEngine } from '../engine.ts';
import { chatBody, jsonEvents, pick, post, postEvents, postJson } from '../test-client.ts';

const engines = {
  sglang: await startEngine({ kind: 'sglang', speed: Infinity, models: ['sim-model', 'adapter'] }),
  vllm: await startEngine({ kind: 'vllm', speed: Infinity, models: ['sim-model', 'adapter'] }),
};
after(() => Promise.all(Object.values(engines).map((engine) => engine.close())));

const KINDS = ['sglang', 'vllm'] as const;
const TOOLS = [
  { type: 'function', function: { name: 'weather', parameters: { properties: { city: { type: 'string' } } } } },
];

function textOf(events: readonly unknown[], path: string, index = 0): string {
  const mine = events.filter((event) => pick(event, 'choices.0.index') === index);
  return mine.map((event) => pick(event, path) ?? '').join('');
}

for (const kind of KINDS) {
  const engine = engines[kind];

  test(`${kind} chat answers a whole completion with usage`, async () => {
    const answer = await postJson(engine, '/v1/chat/completions', chatBody('hello'));
    assert.equal(pick(answer, 'object'), 'chat.completion');
    assert.equal(pick(answer, 'model'), 'sim-model');
    assert.equal(pick(answer, 'choices.0.message.role'), 'assistant');
    assert.equal(String(pick(answer, 'choices.0.message.content')).length, 64);
    assert.equal(pick(answer, 'choices.0.finish_reason'), 'stop');
    assert.equal(pick(answer, 'usage.completion_tokens'), 16);
    const prompt = Number(pick(answer, 'usage.prompt_tokens'));
    assert.equal(pick(answer, 'usage.total_tokens'), prompt + 16);
    assert.equal(pick(answer, 'usage.prompt_tokens_details.cached_tokens'), 0);
  });

  test(`${kind} chat streams the same text that it answers whole, role first and usage last`, async () => {
    const body = chatBody('the same question', { max_tokens: 40 });
    const whole = await postJson(engine, '/v1/chat/completions', body);
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const frames = await postEvents(engine, '/v1/chat/completions', streamed);
    const events = jsonEvents(frames);
    assert.equal(frames.at(-1)?.data, '[DONE]');
    assert.equal(pick(events[0], 'choices.0.delta.role'), 'assistant');
    assert.equal(pick(events[0], 'choices.0.delta.content'), '');
    assert.equal(textOf(events, 'choices.0.delta.content'), pick(whole, 'choices.0.message.content'));
    assert.equal(pick(events.at(-2), 'choices.0.finish_reason'), 'length');
    assert.deepEqual(pick(events.at(-1), 'choices'), []);
    assert.equal(pick(events.at(-1), 'usage.completion_tokens'), 40);
    assert.equal(pick(events.at(-1), 'usage.prompt_tokens'), pick(whole, 'usage.prompt_tokens'));
  });

  test(`${kind} chat streams no usage unless it is asked for`, async () => {
    const events = jsonEvents(await postEvents(engine, '/v1/chat/completions', chatBody('x', { stream: true })));
    assert.ok(events.every((event) => pick(event, 'choices') !== undefined && !pick(event, 'usage')));
  });

  test(`${kind} chat answers several choices, each with a text of its own`, async () => {
    const body = chatBody('n choices', { n: 3, max_completion_tokens: 8 });
    const whole = await postJson(engine, '/v1/chat/completions', body);
    const texts = [0, 1, 2].map((index) => pick(whole, `choices.${index}.message.content`));
    assert.equal(new Set(texts).size, 3);
    assert.equal(pick(whole, 'usage.completion_tokens'), 24);
    const events = jsonEvents(await postEvents(engine, '/v1/chat/completions', { ...body, stream: true }));
    for (const index of [0, 1, 2]) assert.equal(textOf(events, 'choices.0.delta.content', index), texts[index]);
  });

  test(`${kind} chat calls a tool when the choice is required, whole and in fragments`, async () => {
    const body = chatBody('weather?', { tools: TOOLS, tool_choice: 'required' });
    const whole = await postJson(engine, '/v1/chat/completions', body);
    const call = 'choices.0.message.tool_calls.0';
    assert.equal(pick(whole, `${call}.function.name`), 'weather');
    assert.deepEqual(JSON.parse(String(pick(whole, `${call}.function.arguments`))), { city: 'Zürich' });
    assert.equal(pick(whole, 'choices.0.message.content'), null);
    assert.equal(pick(whole, 'choices.0.finish_reason'), 'tool_calls');
    const events = jsonEvents(await postEvents(engine, '/v1/chat/completions', { ...body, stream: true }));
    const delta = 'choices.0.delta.tool_calls.0';
    assert.equal(pick(events[1], `${delta}.function.name`), 'weather');
    assert.match(String(pick(events[1], `${delta}.id`)), /^call_[0-9a-f]{24}$/);
    assert.equal(textOf(events, `${delta}.function.arguments`), pick(whole, `${call}.function.arguments`));
    assert.equal(pick(events.at(-1), 'choices.0.finish_reason'), 'tool_calls');
  });

  test(`${kind} chat answers with an example of the schema that it is given, whole and streamed alike`, async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'number' } } };
    const format = { type: 'json_schema', json_schema: { name: 'weather', schema } };
    const body = chatBody('weather?', { response_format: format, max_tokens: 64 });
    const whole = await postJson(engine, '/v1/chat/completions', body);
    const text = String(pick(whole, 'choices.0.message.content'));
    assert.deepEqual(JSON.parse(text), { city: 'Zürich', degrees: 1.5 });
    assert.equal(pick(whole, 'choices.0.finish_reason'), 'stop');
    const events = jsonEvents(await postEvents(engine, '/v1/chat/completions', { ...body, stream: true }));
    assert.equal(textOf(events, 'choices.0.delta.content'), text);
  });

  test(`${kind} completions answer several prompts, whole and streamed alike`, async () => {
    const body = { model: 'sim-model', prompt: ['one', 'two'], max_tokens: 5, n: 2, seed: 7 };
    const whole = await postJson(engine, '/v1/completions', body);
    assert.equal(pick(whole, 'object'), 'text_completion');
    assert.equal(pick(whole, 'usage.prompt_tokens'), 2);
    assert.equal(pick(whole, 'usage.completion_tokens'), 20);
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const events = jsonEvents(await postEvents(engine, '/v1/completions', streamed));
    for (const index of [0, 1, 2, 3]) {
      assert.equal(textOf(events, 'choices.0.text', index), pick(whole, `choices.${index}.text`));
    }
    assert.equal(pick(events.at(-1), 'usage.completion_tokens'), 20);
  });

  test(`${kind} completions take token ids and count them`, async () => {
    const answer = await postJson(engine, '/v1/completions', { prompt: [11, 12, 13], max_tokens: 1 });
    assert.equal(pick(answer, 'usage.prompt_tokens'), 3);
  });

  test(`${kind} reports the cached part of a repeated prompt`, async () => {
    const body = chatBody('a long question '.repeat(40), { max_tokens: 2 });
    await postJson(engine, '/v1/chat/completions', body);
    const again = await postJson(engine, '/v1/chat/completions', body);
    const cached = Number(pick(again, 'usage.prompt_tokens_details.cached_tokens'));
    assert.ok(cached > 100 && cached % 16 === 0, String(cached));
  });

  test(`${kind} honours sim_output_tokens with a natural stop below the limit`, async () => {
    const body = chatBody('short', { max_tokens: 50, sim_output_tokens: 3 });
    const answer = await postJson(engine, '/v1/chat/completions', body);
    assert.equal(pick(answer, 'usage.completion_tokens'), 3);
    assert.equal(pick(answer, 'choices.0.finish_reason'), 'stop');
  });

  test(`${kind} serves its adapters and answers 404 for a model it does not serve`, async () => {
    const adapter = await postJson(engine, '/v1/chat/completions', { ...chatBody('x'), model: 'adapter' });
    assert.equal(pick(adapter, 'model'), 'adapter');
    const response = await post(engine, '/v1/chat/completions', { ...chatBody('x'), model: 'other' });
    assert.equal(response.status, 404);
    const body: unknown = await response.json();
    const error = kind === 'vllm' ? pick(body, 'error') : body;
    assert.equal(pick(error, 'message'), 'The model `other` does not exist.');
    assert.equal(pick(error, 'type'), 'NotFoundError');
    assert.equal(pick(error, 'code'), 404);
  });

  test(`${kind} answers 400 in its own words for bad JSON, a missing field and too long a prompt`, async () => {
    const errorOf = async (response: Response) => {
      assert.equal(response.status, 400);
      const body: unknown = await response.json();
      return String(pick(kind === 'vllm' ? pick(body, 'error') : body, 'message'));
    };
    const headers = { 'content-type': 'application/json' };
    const url = `${engine.url}/v1/chat/completions`;
    assert.match(await errorOf(await fetch(url, { method: 'POST', headers, body: '{"model":' })), /JSON decode error/);
    assert.match(await errorOf(await fetch(url, { method: 'POST', body: '{}' })), /Unsupported Media Type/);
    assert.match(await errorOf(await post(engine, '/v1/chat/completions', {})), /messages.*Field required/);
    const long = chatBody('x', { max_tokens: 200_000 });
    assert.match(await errorOf(await post(engine, '/v1/chat/completions', long)), /maximum context length of 131072/);
  });
}

test('vLLM leaves unset fields out of chunks, SGLang fills them with null', async () => {
  const body = chatBody('fields', { stream: true, max_tokens: 2 });
  const vllm = jsonEvents(await postEvents(engines.vllm, '/v1/chat/completions', body));
  assert.deepEqual(Object.keys(pick(vllm[1], 'choices.0.delta') as object), ['content']);
  assert.equal(pick(vllm[1], 'usage'), undefined);
  const sglang = jsonEvents(await postEvents(engines.sglang, '/v1/chat/completions', body));
  const nulls = { role: null, reasoning_content: null, tool_calls: null };
  assert.deepEqual(pick(sglang[1], 'choices.0.delta'), {
    ...nulls,
    content: pick(sglang[1], 'choices.0.delta.content'),
  });
  assert.equal(pick(sglang[1], 'usage'), null);
});

test('both engines give the same text for the same conversation in every API', async () => {
  const messages = [{ role: 'user', content: 'one question' }];
  const chat = await postJson(engines.sglang, '/v1/chat/completions', { messages });
  const expected = pick(chat, 'choices.0.message.content');
  for (const engine of Object.values(engines)) {
    const message = await postJson(engine, '/v1/messages', { messages, max_tokens: 100 });
    const response = await postJson(engine, '/v1/responses', { input: 'one question' });
    assert.equal(pick(message, 'content.0.text'), expected);
    assert.equal(pick(response, 'output.0.content.0.text'), expected);
  }
});

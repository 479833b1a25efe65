import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEngine } from '../engine.ts';
import { jsonEvents, pick, post, postEvents, postJson } from '../test-client.ts';

const sglang = await startEngine({ kind: 'sglang', speed: Infinity });
const vllm = await startEngine({ kind: 'vllm', speed: Infinity });
const both = [sglang, vllm];
after(() => Promise.all(both.map((engine) => engine.close())));

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };
const MESSAGES = [{ role: 'user', content: 'hello' }];
const MESSAGE_BODY = { model: 'sim-model', max_tokens: 100, messages: MESSAGES };

test('messages stream in Anthropic’s order and carry the text of the whole answer', async () => {
  for (const engine of both) {
    const whole = await postJson(engine, '/v1/messages', MESSAGE_BODY);
    assert.equal(pick(whole, 'type'), 'message');
    assert.equal(pick(whole, 'stop_reason'), 'end_turn');
    assert.equal(pick(whole, 'usage.output_tokens'), 16);
    const frames = await postEvents(engine, '/v1/messages', { ...MESSAGE_BODY, stream: true });
    const events = jsonEvents(frames);
    const names = frames.map(({ event }) => event).filter((name) => name !== 'content_block_delta');
    const expected = 'message_start content_block_start ping content_block_stop message_delta message_stop';
    assert.equal(names.join(' '), expected);
    assert.ok(frames.every(({ event }, index) => event === pick(events[index], 'type')));
    assert.equal(events.map((event) => pick(event, 'delta.text') ?? '').join(''), pick(whole, 'content.0.text'));
    assert.equal(pick(events.at(-2), 'usage.output_tokens'), 16);
  }
});

test('messages say max_tokens when the limit is short', async () => {
  const answer = await postJson(sglang, '/v1/messages', { ...MESSAGE_BODY, max_tokens: 3 });
  assert.equal(pick(answer, 'stop_reason'), 'max_tokens');
  assert.equal(pick(answer, 'usage.output_tokens'), 3);
});

test('messages call a tool as a block whose input streams as partial JSON', async () => {
  const tools = [{ name: 'weather', input_schema: SCHEMA }];
  const body = { ...MESSAGE_BODY, tools, tool_choice: { type: 'any' } };
  const whole = await postJson(sglang, '/v1/messages', body);
  assert.equal(pick(whole, 'content.0.type'), 'tool_use');
  assert.deepEqual(pick(whole, 'content.0.input'), { city: 'Zürich' });
  assert.equal(pick(whole, 'stop_reason'), 'tool_use');
  const events = jsonEvents(await postEvents(sglang, '/v1/messages', { ...body, stream: true }));
  const json = events.map((event) => pick(event, 'delta.partial_json') ?? '').join('');
  assert.deepEqual(JSON.parse(json), { city: 'Zürich' });
  assert.deepEqual(pick(events[1], 'content_block.input'), {});
});

test('messages errors have Anthropic’s shape on both engines', async () => {
  for (const engine of both) {
    const response = await post(engine, '/v1/messages', { ...MESSAGE_BODY, model: 'other' });
    assert.equal(response.status, 404);
    const error: unknown = await response.json();
    assert.equal(pick(error, 'type'), 'error');
    assert.equal(pick(error, 'error.type'), 'not_found_error');
    assert.equal((await post(engine, '/v1/messages', { messages: MESSAGES })).status, 400, 'max_tokens is obligatory');
  }
});

test('count_tokens counts what messages would read', async () => {
  const count = await postJson(sglang, '/v1/messages/count_tokens', { model: 'sim-model', messages: MESSAGES });
  const answer = await postJson(vllm, '/v1/messages', MESSAGE_BODY);
  assert.equal(pick(count, 'input_tokens'), pick(answer, 'usage.input_tokens'));
});

test('responses stream numbered, named events and end completed with the whole response', async () => {
  for (const engine of both) {
    const body = { model: 'sim-model', input: 'hello', instructions: 'Be kind.' };
    const whole = await postJson(engine, '/v1/responses', body);
    assert.equal(pick(whole, 'object'), 'response');
    assert.equal(pick(whole, 'status'), 'completed');
    assert.equal(pick(whole, 'usage.output_tokens'), 16);
    const frames = await postEvents(engine, '/v1/responses', { ...body, stream: true });
    const events = jsonEvents(frames);
    assert.deepEqual(
      events.map((event) => pick(event, 'sequence_number')),
      events.map((_event, index) => index),
    );
    assert.ok(frames.every(({ event }, index) => event === pick(events[index], 'type')));
    assert.equal(frames[0]?.event, 'response.created');
    assert.equal(frames.at(-1)?.event, 'response.completed');
    const text = pick(whole, 'output.0.content.0.text');
    assert.equal(events.map((event) => pick(event, 'delta') ?? '').join(''), text);
    assert.equal(pick(events.at(-1), 'response.output.0.content.0.text'), text);
  }
});

test('responses call a function and stream its arguments', async () => {
  const tools = [{ type: 'function', name: 'weather', parameters: SCHEMA }];
  const body = { input: 'weather?', tools, tool_choice: 'required', stream: true };
  const events = jsonEvents(await postEvents(vllm, '/v1/responses', body));
  const done = events.find((event) => pick(event, 'type') === 'response.function_call_arguments.done');
  assert.deepEqual(JSON.parse(String(pick(done, 'arguments'))), { city: 'Zürich' });
  assert.equal(pick(events.at(-1), 'response.output.0.type'), 'function_call');
});

test('responses do not know earlier responses', async () => {
  const response = await post(sglang, '/v1/responses', { input: 'x', previous_response_id: 'resp_1' });
  assert.equal(response.status, 404);
  assert.match(String(pick(await response.json(), 'error.message')), /resp_1/);
});

test('embeddings are unit vectors that follow from the text, as floats or base64', async () => {
  for (const engine of both) {
    const body = { model: 'sim-model', input: ['one', 'two', 'one'] };
    const answer = await postJson(engine, '/v1/embeddings', body);
    const vectors = [0, 1, 2].map((index) => pick(answer, `data.${index}.embedding`) as number[]);
    assert.equal(vectors[0]?.length, 64);
    assert.deepEqual(vectors[0], vectors[2]);
    assert.notDeepEqual(vectors[0], vectors[1]);
    assert.ok(Math.abs(Math.hypot(...(vectors[0] ?? [])) - 1) < 1e-9);
    assert.equal(pick(answer, 'usage.prompt_tokens'), 3);
    const packed = await postJson(engine, '/v1/embeddings', { ...body, encoding_format: 'base64', dimensions: 8 });
    assert.equal(Buffer.from(String(pick(packed, 'data.0.embedding')), 'base64').length, 32);
  }
});

test('rerank answers a bare list on SGLang and results with usage on vLLM, best first', async () => {
  const body = { query: 'red fox', documents: ['blue sea', 'a red fox', 'red sky'], top_n: 2 };
  for (const path of ['/v1/rerank', '/rerank']) {
    const list = await postJson(sglang, path, body);
    assert.deepEqual([pick(list, '0.index'), pick(list, '1.index')], [1, 2]);
    assert.equal(pick(list, '0.document'), 'a red fox');
    assert.equal(pick(list, '2'), undefined);
    const results = await postJson(vllm, path, body);
    assert.deepEqual([pick(results, 'results.0.index'), pick(results, 'results.1.index')], [1, 2]);
    assert.equal(pick(results, 'results.0.document.text'), 'a red fox');
    assert.ok(Number(pick(results, 'results.0.relevance_score')) > Number(pick(results, 'results.1.relevance_score')));
    assert.ok(Number(pick(results, 'usage.prompt_tokens')) > 0);
  }
  const bare = await postJson(sglang, '/v1/rerank', { ...body, return_documents: false });
  assert.equal(pick(bare, '0.document'), undefined);
  assert.equal((await post(sglang, '/v1/rerank', { query: ' ', documents: ['a'] })).status, 400);
  assert.equal((await post(vllm, '/v1/rerank', { query: 'a', documents: [] })).status, 400);
});

test('score answers label probabilities on SGLang and one score per pair on vLLM', async () => {
  const labels = await postJson(sglang, '/v1/score', { query: 'q', items: ['a', 'b'], label_token_ids: [1, 2] });
  assert.equal(pick(labels, 'object'), 'scoring');
  const [first = 0, second = 0] = pick(labels, 'scores.0') as number[];
  assert.ok(Math.abs(first + second - 1) < 1e-9);
  const pairs = await postJson(vllm, '/v1/score', { text_1: 'red', text_2: ['red', 'blue'] });
  assert.equal(pick(pairs, 'data.0.object'), 'score');
  assert.ok(Number(pick(pairs, 'data.0.score')) > Number(pick(pairs, 'data.1.score')));
});

test('classify answers a label and its probabilities', async () => {
  for (const engine of both) {
    const answer = await postJson(engine, '/v1/classify', { model: 'sim-model', input: ['good', 'bad'] });
    assert.match(String(pick(answer, 'data.0.label')), /^LABEL_[01]$/);
    assert.equal(pick(answer, 'data.1.num_classes'), 2);
  }
});

test('reading-only work goes through the batch and generates nothing', async () => {
  sglang.resetStats();
  await postJson(sglang, '/v1/embeddings', { input: ['a', 'b'] });
  const stats = sglang.stats();
  assert.equal(stats.sequencesFinished, 2);
  assert.equal(stats.tokensGenerated, 0);
});

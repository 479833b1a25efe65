import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEngine } from '../engine.ts';
import { getJson, jsonEvents, pick, post, postEvents, postJson } from '../test-client.ts';

const sglang = await startEngine({
  kind: 'sglang',
  speed: Infinity,
  models: ['base', 'adapter'],
  maxModelTokens: 4096,
});
const vllm = await startEngine({ kind: 'vllm', speed: Infinity, models: ['base', 'adapter'], maxModelTokens: 4096 });
after(() => Promise.all([sglang.close(), vllm.close()]));

test('SGLang generate answers text with meta_info and streams the text so far', async () => {
  const body = { text: 'Once', sampling_params: { max_new_tokens: 4 } };
  const whole = await postJson(sglang, '/generate', body);
  assert.deepEqual(pick(whole, 'meta_info.finish_reason'), { type: 'length', length: 4 });
  assert.equal(pick(whole, 'meta_info.prompt_tokens'), 1);
  assert.equal(pick(whole, 'meta_info.completion_tokens'), 4);
  assert.equal((pick(whole, 'output_ids') as unknown[]).length, 4);
  const frames = await postEvents(sglang, '/generate', { ...body, stream: true });
  const events = jsonEvents(frames);
  assert.equal(events.length, 4);
  assert.equal(frames.at(-1)?.data, '[DONE]');
  assert.equal(pick(events[0], 'meta_info.finish_reason'), null);
  assert.equal(pick(events.at(-1), 'text'), pick(whole, 'text'));
});

test('SGLang generate answers a batch with a list and takes token ids', async () => {
  const batch = await postJson(sglang, '/generate', { text: ['a', 'b'], sampling_params: { max_new_tokens: 1 } });
  assert.equal((batch as unknown[]).length, 2);
  const ids = await postJson(sglang, '/generate', { input_ids: [1, 2, 3], sampling_params: { max_new_tokens: 1 } });
  assert.equal(pick(ids, 'meta_info.prompt_tokens'), 3);
  assert.equal((await post(sglang, '/generate', {})).status, 400);
});

test('vLLM generate answers the prompt with its continuation, also line by line', async () => {
  const body = { prompt: 'Once', max_tokens: 3 };
  const whole = await postJson(vllm, '/generate', body);
  const text = String(pick(whole, 'text.0'));
  assert.ok(text.startsWith('Once') && text.length === 16);
  const lines = (await (await post(vllm, '/generate', { ...body, stream: true })).text()).trimEnd().split('\n');
  assert.equal(lines.length, 3);
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), whole);
});

test('models lists base and adapters under the engine’s name', async () => {
  for (const engine of [sglang, vllm]) {
    const models = await getJson(engine, '/v1/models');
    assert.equal(pick(models, 'object'), 'list');
    assert.equal(pick(models, 'data.0.id'), 'base');
    assert.equal(pick(models, 'data.0.owned_by'), engine.kind);
    assert.equal(pick(models, 'data.0.max_model_len'), 4096);
    assert.equal(pick(models, 'data.1.id'), 'adapter');
    assert.equal(pick(models, 'data.1.parent'), 'base');
    assert.equal(pick(await getJson(engine, '/v1/models/adapter'), 'id'), 'adapter');
    assert.equal((await fetch(`${engine.url}/v1/models/nobody`)).status, 404);
  }
});

test('each engine has its own self-description and not the other’s', async () => {
  assert.match(String(pick(await getJson(vllm, '/version'), 'version')), /^\d+\.\d+\.\d+$/);
  for (const path of ['/server_info', '/get_server_info']) {
    const facts = await getJson(sglang, path);
    assert.equal(pick(facts, 'served_model_name'), 'base');
    assert.equal(pick(facts, 'max_total_num_tokens'), 524_288);
    assert.equal(pick(facts, 'context_length'), 4096);
  }
  for (const path of ['/model_info', '/get_model_info']) {
    assert.equal(pick(await getJson(sglang, path), 'is_generation'), true);
  }
  for (const path of ['/health', '/health_generate']) assert.equal((await fetch(sglang.url + path)).status, 200);
  assert.equal((await fetch(`${vllm.url}/health`)).status, 200);
  for (const path of ['/server_info', '/model_info', '/v1/loads', '/get_load', '/health_generate']) {
    assert.equal((await fetch(vllm.url + path)).status, 404, path);
  }
  assert.equal((await fetch(`${sglang.url}/version`)).status, 404);
  assert.equal((await fetch(`${sglang.url}/v1/chat/completions`)).status, 405);
});

test('loads and metrics speak of running and waiting work under the engines’ names', async () => {
  const loads = await getJson(sglang, '/v1/loads?include=core,queues');
  assert.equal(pick(loads, 'loads.0.num_running_reqs'), 0);
  assert.equal(pick(loads, 'loads.0.max_total_num_tokens'), 524_288);
  assert.equal(pick(loads, 'loads.0.queues.waiting'), 0);
  assert.equal(pick(loads, 'loads.0.memory'), undefined);
  assert.equal(pick(loads, 'aggregate.total_reqs'), 0);
  assert.equal(pick(await getJson(sglang, '/get_load'), '0.num_reqs'), 0);
  const ours = await (await fetch(`${sglang.url}/metrics`)).text();
  for (const name of ['num_running_reqs', 'num_queue_reqs', 'token_usage', 'gen_throughput', 'cache_hit_rate']) {
    assert.match(ours, new RegExp(`^sglang:${name}\\{[^}]*model_name="base"[^}]*\\} [\\d.]+$`, 'm'));
  }
  const theirs = await (await fetch(`${vllm.url}/metrics`)).text();
  for (const name of ['num_requests_running', 'num_requests_waiting', 'kv_cache_usage_perc']) {
    assert.match(theirs, new RegExp(`^vllm:${name}\\{engine="0",model_name="base"\\} [\\d.]+$`, 'm'));
  }
  assert.match(theirs, /^process_start_time_seconds \d+/m);
});

test('a flushed cache no longer helps the next prompt', async () => {
  const body = { prompt: 'x'.repeat(1000), max_tokens: 1 };
  const cached = async () =>
    Number(pick(await postJson(sglang, '/v1/completions', body), 'usage.prompt_tokens_details.cached_tokens'));
  await cached();
  assert.ok((await cached()) > 0);
  assert.equal((await fetch(`${sglang.url}/flush_cache`, { method: 'POST' })).status, 200);
  assert.equal(await cached(), 0);
  assert.equal((await fetch(`${vllm.url}/reset_prefix_cache`, { method: 'POST' })).status, 200);
});

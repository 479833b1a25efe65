import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents, pick } from '../../test-client.ts';
import { ask, get, KEY, providerFor } from '../test-callers.ts';

const USER = { role: 'user', content: 'hello' };
const body = (rest = {}) => ({ model: 'llama-3.3-70b', messages: [USER], ...rest });

test('Groq: its base path, its refused fields, its word for thoughts', async (context) => {
  const provider = await providerFor(context, { kind: 'compatible', preset: 'groq' });
  const path = '/openai/v1/chat/completions';
  assert.equal((await ask(provider, path, body())).status, 200);
  assert.equal((await ask(provider, '/v1/chat/completions', body())).status, 404);
  assert.match((await ask(provider, path, body({ logprobs: true }))).text, /property 'logprobs' is not supported/);
  const named = body({ messages: [{ ...USER, name: 'x' }] });
  assert.match((await ask(provider, path, named)).text, /messages\[0\]\.name/);
  const thought = await ask(
    provider,
    path,
    body({ model: 'deepseek-r1', messages: [{ role: 'user', content: '#think hm' }] }),
  );
  assert.equal(pick(thought.json, 'choices.0.message.reasoning'), 'hm');
  assert.equal((await get(provider, '/openai/v1/models')).status, 200);
});

test('OpenRouter takes engine fields, Mistral refuses stream options', async (context) => {
  const router = await providerFor(context, { kind: 'compatible', preset: 'openrouter' });
  assert.equal((await ask(router, '/api/v1/chat/completions', body({ top_k: 5, min_p: 0.1 }))).status, 200);
  const mistral = await providerFor(context, { kind: 'compatible', preset: 'mistral' });
  const streamed = body({ stream: true, stream_options: { include_usage: true } });
  const refused = await ask(mistral, '/v1/chat/completions', streamed);
  assert.equal(refused.status, 422);
  assert.deepEqual(pick(refused.json, 'message.detail.0.loc'), ['body', 'stream_options']);
  assert.equal((await ask(mistral, '/v1/chat/completions', body({ top_k: 5 }))).status, 422);
});

test('thoughts come back where the cloud has a field for them, and nowhere else', async (context) => {
  const messages = [
    USER,
    { role: 'assistant', content: 'x', reasoning_content: 'hm' },
    { role: 'user', content: '#recall' },
  ];
  const deepseek = await providerFor(context, { kind: 'compatible', preset: 'deepseek' });
  const got = await ask(deepseek, '/v1/chat/completions', body({ messages }));
  assert.match(String(pick(got.json, 'choices.0.message.content')), /^thinking: hm$/m);
  const mistral = await providerFor(context, { kind: 'compatible', preset: 'mistral' });
  assert.equal((await ask(mistral, '/v1/chat/completions', body({ messages }))).status, 422);
  const openai = await providerFor(context, { kind: 'openai' });
  const refused = await ask(openai, '/v1/chat/completions', { model: 'gpt-4o-mini', messages });
  assert.match(refused.text, /messages\[1\]\.reasoning_content/);
});

test('Azure: deployments in the path, the version in the query, the bare key in its own header', async (context) => {
  const provider = await providerFor(context, { kind: 'compatible', preset: 'azure', models: ['gpt-4o'], keys: [KEY] });
  const path = '/openai/deployments/gpt-4o/chat/completions';
  const key = { 'api-key': KEY };
  const asked = (where: string, headers: Record<string, string>) =>
    ask(provider, where, { messages: [USER], stream: true }, headers);
  const good = await asked(`${path}?api-version=2024-10-21`, key);
  assert.deepEqual(pick(jsonEvents(good.events)[0], 'choices'), [], 'the first chunk has no choices');
  assert.equal((await asked(path, key)).status, 404);
  assert.match(
    (await asked(`${path}?api-version=2024-10-21`, { authorization: `Bearer ${KEY}` })).text,
    /Access denied/,
  );
  const missing = await asked('/openai/deployments/none/chat/completions?api-version=2024-10-21', key);
  assert.equal(pick(missing.json, 'error.code'), 'DeploymentNotFound');
  assert.equal((await get(provider, '/openai/models?api-version=2024-10-21', key)).status, 200);
});

test('a cloud by hand: no base path, a header of its own, no list of models', async (context) => {
  const compatible = { basePath: '', keyHeader: 'x-api-key', refusedFields: ['seed'], hasModels: false };
  const provider = await providerFor(context, { kind: 'compatible', compatible });
  const headers = { 'x-api-key': KEY };
  assert.equal((await ask(provider, '/chat/completions', body(), headers)).status, 200);
  assert.equal((await ask(provider, '/chat/completions', body({ seed: 1 }), headers)).status, 400);
  assert.equal((await get(provider, '/models', headers)).status, 404);
});

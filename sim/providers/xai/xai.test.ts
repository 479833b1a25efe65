import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents, pick } from '../../test-client.ts';
import { ask, get, KEY, providerFor } from '../test-callers.ts';

const messages = [{ role: 'user', content: '#think hm 🤔 #say x' }];
const CHAT = '/v1/chat/completions';

test('shows thoughts in messages and deltas', async (context) => {
  const provider = await providerFor(context, { kind: 'xai' });
  const whole = await ask(provider, CHAT, { model: 'grok-4', messages });
  assert.equal(pick(whole.json, 'choices.0.message.reasoning_content'), 'hm 🤔');
  const streamed = jsonEvents((await ask(provider, CHAT, { model: 'grok-4', messages, stream: true })).events);
  const thought = streamed.map((chunk) => pick(chunk, 'choices.0.delta.reasoning_content') ?? '');
  assert.equal(thought.join(''), 'hm 🤔');
});

test('reasoners refuse penalties and stop, in words of its own', async (context) => {
  const provider = await providerFor(context, { kind: 'xai' });
  const got = await ask(provider, CHAT, { model: 'grok-4', messages, presence_penalty: 0.5 });
  assert.deepEqual([got.status, pick(got.json, 'code')], [400, 'Client specified an invalid argument']);
  assert.match(String(got.json['error']), /presence_penalty/);
  assert.equal((await ask(provider, CHAT, { model: 'grok-3', messages, stop: ['x'] })).status, 200);
  const summary = { model: 'grok-4', input: 'x', reasoning: { summary: 'auto' } };
  assert.equal((await ask(provider, '/v1/responses', summary)).status, 200);
});

test('answers responses and lists models; a wrong key is a bad argument', async (context) => {
  const provider = await providerFor(context, { kind: 'xai', keys: [KEY] });
  assert.equal((await ask(provider, '/v1/responses', { model: 'grok-3', input: 'x' })).status, 200);
  assert.equal(pick((await get(provider, '/v1/models')).json, 'data.0.owned_by'), 'xai');
  const wrong = await get(provider, '/v1/models', { authorization: 'Bearer xai-secret-wrong' });
  assert.deepEqual([wrong.status, wrong.text.includes('secret')], [400, false]);
  assert.equal((await get(provider, '/v1/models', {})).status, 401);
});

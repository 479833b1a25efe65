/** The official Anthropic client on `/v1/messages`, unpatched, passed through to engines that speak it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { KEYS, keyFlags } from '../support/keys.ts';
import { rigFor } from '../support/rig.ts';
import type { Rig } from '../support/rig.ts';

async function clientFor(t: TestContext): Promise<{ client: Anthropic; rig: Rig }> {
  const rig = await rigFor(t, 2, { policy: 'round_robin' });
  return { rig, client: new Anthropic({ baseURL: rig.gateway.url, apiKey: 'any', maxRetries: 0 }) };
}

const request = {
  model: 'sim-model',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Say something.' }],
};

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

test('answers a message and counts its tokens', async (t) => {
  const { client } = await clientFor(t);
  const message = await client.messages.create(request);
  assert.equal(message.role, 'assistant');
  assert.ok(textOf(message).length > 0);
  assert.ok(message.usage.output_tokens > 0);
  const { max_tokens: _, ...question } = request;
  assert.ok((await client.messages.countTokens(question)).input_tokens > 0);
});

test('streams a message whose pieces make the whole', async (t) => {
  const { client } = await clientFor(t);
  const whole = textOf(await client.messages.create(request));
  const streamed = await client.messages.stream(request).finalMessage();
  assert.equal(textOf(streamed), whole);
  assert.equal(streamed.stop_reason, 'end_turn');
});

test('calls a tool, whole and streamed', async (t) => {
  const { client } = await clientFor(t);
  const tools = [
    { name: 'weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
  ];
  const withTools = { ...request, tools, tool_choice: { type: 'any' as const } };
  const whole = (await client.messages.create(withTools)).content.find((block) => block.type === 'tool_use');
  const streamed = (await client.messages.stream(withTools).finalMessage()).content.find(
    (block) => block.type === 'tool_use',
  );
  assert.deepEqual(streamed?.input, whole?.input);
  assert.equal(whole?.name, 'weather');
});

test('an abort frees the engine', async (t) => {
  const { client, rig } = await clientFor(t);
  for (const engine of rig.engines) engine.setFaults([{ kind: 'hang_after', events: 4, rate: 1 }]);
  const stream = client.messages.stream(request);
  await Promise.race(rig.engines.map((engine) => engine.waitFor((stats) => stats.faultsFired['hang_after'] === 1)));
  stream.abort();
  await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
  await Promise.any(
    rig.engines.map((engine) => engine.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0)),
  );
});

test('errors arrive as the client types them', async (t) => {
  const { client, rig } = await clientFor(t);
  await assert.rejects(client.messages.create({ ...request, model: 'none' }), (error: unknown) => {
    assert.ok(error instanceof Anthropic.NotFoundError);
    assert.equal((error.error as { error: { type: string } }).error.type, 'not_found_error');
    return true;
  });
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 529, rate: 1 }]);
  await assert.rejects(
    client.messages.create(request),
    (error: unknown) => error instanceof Anthropic.InternalServerError && error.status === 529,
  );
});

test('a stream that breaks raises', async (t) => {
  const { client, rig } = await clientFor(t);
  for (const engine of rig.engines) engine.setFaults([{ kind: 'reset_after', events: 5, rate: 1 }]);
  await assert.rejects(client.messages.stream(request).finalMessage(), Anthropic.APIError);
});

test('a key of the gateway works as API key and as auth token, and any other raises', async (t) => {
  const rig = await rigFor(t, 1, keyFlags('api', 'tenant'));
  const baseURL = rig.gateway.url;
  const sent = () => new Map(rig.engines[0]?.lastRequest()?.headers).get('authorization');
  const byKey = new Anthropic({ baseURL, apiKey: KEYS.tenant, maxRetries: 0 });
  const byToken = new Anthropic({ baseURL, apiKey: null, authToken: KEYS.api, maxRetries: 0 });
  for (const client of [byKey, byToken]) {
    assert.ok(textOf(await client.messages.create(request)).length > 0);
    assert.equal(sent(), undefined);
  }
  await byKey.messages.create(request, { headers: { 'x-smg-provider-key': 'mine' } });
  assert.equal(sent(), 'Bearer mine');
  const wrong = new Anthropic({ baseURL, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(wrong.messages.create(request), (error: unknown) => {
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.type, 'authentication_error');
    return true;
  });
  await assert.rejects(wrong.messages.stream(request).finalMessage(), Anthropic.AuthenticationError);
});

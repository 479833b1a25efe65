/** The official `openai` client through the gateway, unpatched, against two engines. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import OpenAI from 'openai';
import { KEYS, keyFlags } from '../support/keys.ts';
import { rigFor } from '../support/rig.ts';
import type { GatewayFlags, Rig } from '../support/rig.ts';

async function clientFor(t: TestContext, flags: GatewayFlags = {}): Promise<{ client: OpenAI; rig: Rig }> {
  const rig = await rigFor(t, 2, { policy: 'round_robin', ...flags });
  return { rig, client: new OpenAI({ baseURL: `${rig.gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 }) };
}

const messages = [{ role: 'user' as const, content: 'Say something.' }];
const model = 'sim-model';

test('lists models and answers a chat over both engines', async (t) => {
  const { client, rig } = await clientFor(t);
  const models = await client.models.list();
  assert.deepEqual(
    models.data.map(({ id }) => id),
    [model],
  );
  assert.equal((await client.models.retrieve(model)).id, model);
  for (let call = 0; call < 4; call += 1) {
    const answer = await client.chat.completions.create({ model, messages, seed: call });
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.usage?.completion_tokens, 16);
    assert.match(answer._request_id ?? '', /^chatcmpl-/);
  }
  assert.deepEqual(
    rig.engines.map((engine) => engine.stats().requestsByPath['/v1/chat/completions']),
    [2, 2],
  );
});

test('streams a chat with usage, and the pieces make the whole', async (t) => {
  const { client } = await clientFor(t);
  const whole = await client.chat.completions.create({ model, messages });
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let tokens = 0;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    tokens = chunk.usage?.completion_tokens ?? tokens;
  }
  assert.equal(text, whole.choices[0]?.message.content);
  assert.equal(tokens, 16);
});

test('calls tools, whole and streamed', async (t) => {
  const { client } = await clientFor(t);
  const tools = [
    {
      type: 'function' as const,
      function: {
        name: 'weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ];
  const request = { model, messages, tools, tool_choice: 'required' as const };
  const whole = (await client.chat.completions.create(request)).choices[0]?.message.tool_calls?.[0];
  assert.ok(whole?.type === 'function' && whole.function.name === 'weather');
  const runner = client.chat.completions.stream(request);
  const streamed = (await runner.finalChatCompletion()).choices[0]?.message.tool_calls?.[0];
  assert.ok(streamed?.type === 'function');
  assert.deepEqual(JSON.parse(streamed.function.arguments), JSON.parse(whole.function.arguments));
});

test('completes text, whole and streamed', async (t) => {
  const { client } = await clientFor(t);
  const whole = await client.completions.create({ model, prompt: 'Once' });
  let text = '';
  for await (const chunk of await client.completions.create({ model, prompt: 'Once', stream: true }))
    text += chunk.choices[0]?.text ?? '';
  assert.equal(text, whole.choices[0]?.text);
});

test('embeds one text and many', async (t) => {
  const { client } = await clientFor(t);
  const one = await client.embeddings.create({ model, input: 'a', encoding_format: 'float' });
  const many = await client.embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' });
  assert.deepEqual(many.data[0]?.embedding, one.data[0]?.embedding);
  assert.equal(many.data.length, 2);
});

test('creates a response, whole and streamed', async (t) => {
  const { client } = await clientFor(t);
  const whole = await client.responses.create({ model, input: 'Hello' });
  const types: string[] = [];
  let text = '';
  for await (const event of await client.responses.create({ model, input: 'Hello', stream: true })) {
    types.push(event.type);
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  assert.equal(text, whole.output_text);
  assert.equal(types.at(-1), 'response.completed');
});

test('an abort in the middle of a stream frees the engine', async (t) => {
  const { client, rig } = await clientFor(t);
  const stream = await client.chat.completions.create({ model, messages, stream: true, max_tokens: 50_000, seed: 1 });
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    break;
  }
  const engine = rig.engines.find((other) => (other.stats().requestsByPath['/v1/chat/completions'] ?? 0) === 1);
  await engine?.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0);
});

test('an abort before the first token frees the engine', async (t) => {
  const { client, rig } = await clientFor(t);
  for (const engine of rig.engines) engine.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const controller = new AbortController();
  const pending = client.chat.completions.create({ model, messages, stream: true }, { signal: controller.signal });
  await Promise.race(
    rig.engines.map((engine) => engine.waitFor((stats) => stats.faultsFired['hang_before_headers'] === 1)),
  );
  controller.abort();
  await assert.rejects(pending, OpenAI.APIUserAbortError);
  await Promise.any(
    rig.engines.map((engine) => engine.waitFor((stats) => stats.aborted === 1 && stats.inFlight === 0)),
  );
});

test('errors arrive as the client types them', async (t) => {
  const { client, rig } = await clientFor(t, { retryInitialBackoffMs: 1 });
  await assert.rejects(client.chat.completions.create({ model: 'none', messages }), (error: unknown) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.deepEqual([error.code, error.param, error.type], ['model_not_found', 'model', 'not_found_error']);
    return true;
  });
  await assert.rejects(client.chat.completions.create({ model, messages: [], n: -1 }), OpenAI.BadRequestError);
  for (const engine of rig.engines) engine.setFaults([{ kind: 'status', status: 429, retryAfter: 30, rate: 1 }]);
  await assert.rejects(client.chat.completions.create({ model, messages }), (error: unknown) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers?.get('retry-after'), '30');
    return true;
  });
});

test('a stream that breaks raises, in chat and in responses', async (t) => {
  const { client, rig } = await clientFor(t);
  for (const engine of rig.engines) engine.setFaults([{ kind: 'reset_after', events: 6, rate: 1 }]);
  const drain = async (stream: AsyncIterable<unknown>) => {
    let events = 0;
    for await (const event of stream) events += event ? 1 : 0;
    return events;
  };
  await assert.rejects(
    async () => drain(await client.chat.completions.create({ model, messages, stream: true })),
    OpenAI.APIError,
  );
  await assert.rejects(
    async () => drain(await client.responses.create({ model, input: 'Hello', stream: true })),
    OpenAI.APIError,
  );
});

test('a key of the gateway is the key of the client, any other raises, and the provider’s own goes beside it', async (t) => {
  const { rig } = await clientFor(t, keyFlags('api', 'tenant', 'control'));
  const clientWith = (apiKey: string, defaultHeaders: Record<string, string> = {}) =>
    new OpenAI({ baseURL: `${rig.gateway.url}/v1`, apiKey, defaultHeaders, maxRetries: 0 });
  const sent = () => rig.engines.map((engine) => new Map(engine.lastRequest()?.headers).get('authorization'));
  for (const key of Object.values(KEYS)) {
    const answer = await clientWith(key).chat.completions.create({ model, messages });
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
  }
  assert.deepEqual(sent(), [undefined, undefined]);
  const mine = clientWith(KEYS.tenant, { 'x-smg-provider-key': 'sk-mine' });
  for (let call = 0; call < 2; call += 1) await mine.chat.completions.create({ model, messages });
  assert.deepEqual(sent(), ['Bearer sk-mine', 'Bearer sk-mine']);
  await assert.rejects(clientWith('wrong').chat.completions.create({ model, messages }), (error: unknown) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.deepEqual([error.code, error.type], ['invalid_key', 'authentication_error']);
    return true;
  });
  await assert.rejects(
    clientWith('wrong').responses.create({ model, input: 'Hello', stream: true }),
    OpenAI.AuthenticationError,
  );
  await assert.rejects(clientWith(KEYS.tenant).get('/../workers'), OpenAI.PermissionDeniedError);
});

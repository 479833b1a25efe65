/**
 * A provider that fails in every way, with another model or account behind it and without: what the client sees. The
 * table of docs/guides/failures.md is this page in words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { FaultSpec } from '../../sim/providers/provider.ts';
import { bearer } from '../support/keys.ts';
import { cloudFields, simulatedCloudFor, gatewayWith } from '../support/simulated-clouds.ts';
import { always, ask, cases, chatsOf, FLAGS, NO_QUOTA } from '../support/provider-failures.ts';
import { chatBody, engineFor, payloads, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';

/** OpenAI, and xAI behind it in the chain `fast`. */
async function chainFor(t: TestContext, fault: FaultSpec) {
  const [openai, xai] = [await simulatedCloudFor(t, { kind: 'openai' }), await simulatedCloudFor(t, { kind: 'xai' })];
  const { gateway } = await gatewayWith(t, [cloudFields(openai, 'gpt-4o-mini'), cloudFields(xai, 'grok-3')], {
    ...FLAGS,
    modelAlias: ['fast=gpt-4o-mini,grok-3'],
  });
  openai.setFaults([always(fault)]);
  return { gateway, openai, xai };
}

for (const { name, fault, only, rests, why } of cases) {
  test(`a provider that ${name}: the next model of the chain answers, and the client notices nothing`, async (t) => {
    const { gateway, openai } = await chainFor(t, fault);
    for (const stream of [false, true]) {
      if (only === (stream ? 'whole' : 'stream')) continue;
      const { status, model, text, decision } = await ask(gateway, { model: 'fast', stream });
      assert.deepEqual([status, model], [200, 'grok-3'], text);
      assert.match(text, /Echo/);
      if (stream) assert.equal(payloads(text).at(-1), '[DONE]');
      assert.ok(decision.endsWith(` chain=gpt-4o-mini:${why}`), decision);
    }
    const asked = chatsOf(openai);
    await ask(gateway, { model: 'fast', stream: only === 'stream' });
    assert.equal(chatsOf(openai) > asked, !rests, rests ? 'it rests' : 'it is asked again until its breaker opens');
  });
}

for (const { name, fault, only, alone, words = /./ } of cases) {
  test(`a provider that ${name}, and nobody else: the client gets ${alone.join(' ')}`, async (t) => {
    const openai = await simulatedCloudFor(t, { kind: 'openai' });
    const { gateway } = await gatewayWith(t, [cloudFields(openai, 'gpt-4o-mini')], { ...FLAGS, disableRetries: true });
    openai.setFaults([always(fault)]);
    for (const stream of [false, true]) {
      if (only === (stream ? 'whole' : 'stream')) continue;
      // Each with a key of its own: what rests is the key of the other.
      const { status, header, text } = await ask(
        gateway,
        { model: 'gpt-4o-mini', stream },
        bearer(`sk-proj-${stream}`),
      );
      assert.deepEqual([status, header('x-smg-error-code')], alone);
      assert.match(text, words);
      if ('retryAfter' in fault) assert.equal(header('retry-after'), '30');
    }
  });
}

test('a provider that answers 429 with a short Retry-After, and nobody else: it is waited out, and the answer comes', async (t) => {
  const openai = await simulatedCloudFor(t, { kind: 'openai' });
  const { gateway } = await gatewayWith(t, [cloudFields(openai, 'gpt-4o-mini')], FLAGS);
  for (const stream of [false, true]) {
    openai.setFaults([always({ kind: 'status', status: 429, retryAfter: 1, times: 1 })]);
    const before = chatsOf(openai);
    const { status, text } = await ask(gateway, { model: 'gpt-4o-mini', stream });
    assert.deepEqual([status, chatsOf(openai) - before], [200, 2]);
    assert.match(text, /Echo/);
  }
});

test('a prompt that is too long is no better off with another account: it is not asked', async (t) => {
  const accounts = [await simulatedCloudFor(t, { kind: 'openai' }), await simulatedCloudFor(t, { kind: 'openai' })];
  const workers = accounts.map((account) => cloudFields(account, 'gpt-4o-mini'));
  const { gateway } = await gatewayWith(t, workers, FLAGS);
  const body = { error: { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' } };
  for (const account of accounts) account.setFaults([always({ kind: 'status', status: 400, body })]);
  for (const stream of [false, true]) {
    const { status, text } = await ask(gateway, { model: 'gpt-4o-mini', stream });
    assert.equal(status, 400);
    assert.match(text, /context_length_exceeded/);
  }
  assert.equal(
    accounts.reduce((sum, account) => sum + chatsOf(account), 0),
    2,
  );
});

test('a key that is refused, and a request that is: the client’s answer, and no other model is asked', async (t) => {
  for (const status of [400, 401, 403, 404, 422]) {
    const { gateway, xai } = await chainFor(t, { kind: 'status', status });
    for (const stream of [false, true]) {
      const reply = await ask(gateway, { model: 'fast', stream });
      assert.deepEqual([reply.status, reply.model, chatsOf(xai)], [status, 'gpt-4o-mini', 0]);
    }
  }
});

test('a provider that cuts its answer in the middle: an honest end, and nobody else is asked', async (t) => {
  const { gateway, xai } = await chainFor(t, { kind: 'reset_after', events: 3 });
  const { status, model, text } = await ask(gateway, { model: 'fast', stream: true });
  assert.deepEqual([status, model, chatsOf(xai)], [200, 'gpt-4o-mini', 0]);
  assert.match(payloads(text).at(-1) ?? '', /"code":"upstream_broken"/);
  assert.ok(!text.includes('[DONE]'));
});

test('a refusal of the content is an answer: no other model is asked to do better', async (t) => {
  const { gateway, xai } = await chainFor(t, { kind: 'status', status: 500, rate: 0 });
  const messages = [{ role: 'user', content: '#refuse I cannot help with that.' }];
  for (const stream of [false, true]) {
    const { status, model, text } = await ask(gateway, { model: 'fast', stream, messages });
    assert.deepEqual([status, model, chatsOf(xai)], [200, 'gpt-4o-mini', 0]);
    assert.match(text, /refusal/);
  }
});

test('a wrong request is told by the provider that was asked first', async (t) => {
  const { gateway, xai } = await chainFor(t, { kind: 'status', status: 500, rate: 0 });
  const { status, model, text } = await ask(gateway, { model: 'fast', temperature: 'hot' });
  assert.deepEqual([status, model, chatsOf(xai)], [400, 'gpt-4o-mini', 0]);
  assert.match(text, /temperature/);
});

test('two accounts of one provider: an overload of one is answered by the other, in the client’s own API', async (t) => {
  const accounts = [
    await simulatedCloudFor(t, { kind: 'anthropic' }),
    await simulatedCloudFor(t, { kind: 'anthropic' }),
  ] as const;
  const { gateway, ids } = await gatewayWith(
    t,
    accounts.map((account) => cloudFields(account, 'claude-haiku-4-5')),
    { ...FLAGS, policy: 'passthrough' },
  );
  accounts[0].setFaults([{ kind: 'status', status: 529, rate: 1, path: '/v1/messages' }]);
  const body = { model: 'claude-haiku-4-5', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] };
  for (const stream of [false, true]) {
    const reply = await post(gateway, '/v1/messages', { ...body, stream });
    assert.deepEqual([reply.status, reply.headers.get('x-smg-worker')], [200, ids[1]]);
    assert.match(await reply.text(), /Echo/);
  }
  accounts[1].setFaults([{ kind: 'status', status: 529, rate: 1, path: '/v1/messages' }]);
  const reply = await post(gateway, '/v1/messages', body);
  assert.equal(reply.status, 529);
  assert.match(await reply.text(), /overloaded_error/);
});

test('credit that is used up rests one account; a caller with a key of its own still uses that worker', async (t) => {
  const anthropic = await simulatedCloudFor(t, { kind: 'anthropic' });
  const { gateway } = await gatewayWith(t, [cloudFields(anthropic, 'claude-haiku-4-5')], FLAGS);
  const message = 'Your credit balance is too low to access the Anthropic API.';
  const fault = {
    kind: 'status',
    status: 400,
    body: { type: 'error', error: { type: 'invalid_request_error', message } },
  };
  anthropic.setFaults([{ ...fault, rate: 1, path: '/v1/messages', key: 'sk-ant-of-the-gateway' } as FaultSpec]);
  const body = { model: 'claude-haiku-4-5', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] };
  const statusAs = async (headers: Record<string, string>) =>
    (await post(gateway, '/v1/messages', body, { headers })).status;
  assert.deepEqual([await statusAs({}), await statusAs({})], [400, 429]);
  assert.equal(await statusAs({ 'x-api-key': 'sk-ant-of-a-caller' }), 200);
});

/** An engine of one's own and a cloud, both with the model. */
async function tiersFor(t: TestContext, own: Record<string, unknown> = {}, flags: GatewayFlags = {}) {
  const model = 'llama-3.3-70b';
  const engine = await engineFor(t, { models: [model] });
  const cloud = await simulatedCloudFor(t, { kind: 'compatible' });
  const { gateway, ids } = await gatewayWith(
    t,
    [{ url: engine.url, priority: 100, ...own }, cloudFields(cloud, model, { priority: 50 })],
    { ...FLAGS, responseHeadersTimeoutSecs: 600, ...flags },
  );
  const served = async () => {
    const reply = await post(gateway, '/v1/chat/completions', chatBody({ model }));
    assert.equal(reply.status, 200, await reply.text());
    return ids.indexOf(reply.headers.get('x-smg-worker') ?? '');
  };
  const OWN = 0;
  const CLOUD = 1;
  return { gateway, engine, cloud, served, model, OWN, CLOUD };
}

test('one’s own engine serves first, the cloud while that is full, and then the engine again', async (t) => {
  const { gateway, engine, served, model, OWN, CLOUD } = await tiersFor(t, { max_in_flight: 1 });
  for (let call = 0; call < 3; call += 1) assert.equal(await served(), OWN);
  engine.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const leaving = new AbortController();
  const held = post(gateway, '/v1/chat/completions', chatBody({ model }), { signal: leaving.signal });
  await engine.waitFor(({ inFlight }) => inFlight === 1);
  for (let call = 0; call < 3; call += 1) assert.equal(await served(), CLOUD);
  await engine.clearFaults();
  leaving.abort();
  await assert.rejects(held);
  await engine.waitFor(({ inFlight }) => inFlight === 0);
  assert.equal(await served(), OWN);
});

test('one’s own engine that goes down is replaced by the cloud within the call, and serves again when it is back', async (t) => {
  const { engine, served, OWN, CLOUD } = await tiersFor(t, {}, { disableCircuitBreaker: true });
  assert.equal(await served(), OWN);
  await engine.refuse(true);
  for (let call = 0; call < 3; call += 1) assert.equal(await served(), CLOUD);
  await engine.refuse(false);
  assert.equal(await served(), OWN);
});

test('with one’s own engine full and nobody else the client hears at once that there is no room', async (t) => {
  const engine = await engineFor(t);
  const { gateway } = await gatewayWith(t, [{ url: engine.url, max_in_flight: 1 }], FLAGS);
  engine.setFaults([{ kind: 'hang_before_headers', rate: 1, times: 1 }]);
  const leaving = new AbortController();
  const held = post(gateway, '/v1/chat/completions', chatBody(), { signal: leaving.signal });
  await engine.waitFor(({ inFlight }) => inFlight === 1);
  for (const stream of [false, true]) {
    const { status, header } = await ask(gateway, { stream });
    assert.deepEqual([status, header('x-smg-error-code')], [503, 'no_available_workers']);
  }
  leaving.abort();
  await assert.rejects(held);
});

test('with one’s own engine full and the cloud without quota the client is told when to come again', async (t) => {
  const { gateway, engine, cloud, model } = await tiersFor(t, { max_in_flight: 1 });
  engine.setFaults([{ kind: 'hang_before_headers', rate: 1 }]);
  const leaving = new AbortController();
  const held = post(gateway, '/v1/chat/completions', chatBody({ model }), { signal: leaving.signal });
  await engine.waitFor(({ inFlight }) => inFlight === 1);
  cloud.setFaults([always({ kind: 'status', status: 429, body: NO_QUOTA })]);
  const first = await ask(gateway, { model });
  assert.deepEqual([first.status, first.header('x-smg-error-code')], [429, 'upstream_error']);
  const second = await ask(gateway, { model });
  assert.deepEqual([second.status, second.header('x-smg-error-code')], [503, 'no_available_workers']);
  assert.equal(chatsOf(cloud), 1, 'a key without quota is not asked again');
  leaving.abort();
  await assert.rejects(held);
});

test('a chain from one’s own engine to two clouds takes what is left at every moment', async (t) => {
  const engine = await engineFor(t, { models: ['llama'] });
  const [openai, xai] = [await simulatedCloudFor(t, { kind: 'openai' }), await simulatedCloudFor(t, { kind: 'xai' })];
  const workers = [{ url: engine.url }, cloudFields(openai, 'gpt-4o-mini'), cloudFields(xai, 'grok-3')];
  const { gateway } = await gatewayWith(t, workers, { ...FLAGS, modelAlias: ['fast=llama,gpt-4o-mini,grok-3'] });
  const answered = async () => (await ask(gateway, { model: 'fast' })).model;
  assert.equal(await answered(), 'llama');
  await engine.refuse(true);
  assert.equal(await answered(), 'gpt-4o-mini');
  openai.setFaults([always({ kind: 'status', status: 429, body: NO_QUOTA })]);
  assert.equal(await answered(), 'grok-3');
  await engine.refuse(false);
  assert.equal(await answered(), 'llama');
});

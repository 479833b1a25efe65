/**
 * A provider that fails while it is asked in another API than the client's, and what broken streams end with in every
 * client API. The table of docs/guides/failures.md is this page and failover-cloud.test.ts in words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { FaultSpec } from '../../sim/providers/provider.ts';
import { troubleOf } from '../../sim/providers/trouble.ts';
import { bearer } from '../support/keys.ts';
import { always, ask, cases, chatsOf, FLAGS, NO_QUOTA } from '../support/provider-failures.ts';
import type { Case } from '../support/provider-failures.ts';
import { engineFor, payloads, post } from '../support/rig.ts';
import { cloudFields, gatewayWith, simulatedCloudFor } from '../support/simulated-clouds.ts';

/** OpenAI and Anthropic, each with a model of its own. */
async function bothFor(t: TestContext, alias: string) {
  const [openai, anthropic] = [
    await simulatedCloudFor(t, { kind: 'openai' }),
    await simulatedCloudFor(t, { kind: 'anthropic' }),
  ];
  const workers = [cloudFields(openai, 'gpt-4o-mini'), cloudFields(anthropic, 'claude-haiku-4-5')];
  const { gateway } = await gatewayWith(t, workers, { ...FLAGS, modelAlias: [alias] });
  return { gateway, openai, anthropic };
}

test('a model of another provider’s API answers in the client’s own', async (t) => {
  const { gateway, openai } = await bothFor(t, 'fast=gpt-4o-mini,claude-haiku-4-5');
  openai.setFaults([always({ kind: 'status', status: 429, body: NO_QUOTA })]);
  for (const stream of [false, true]) {
    const { status, model, text, header } = await ask(gateway, { model: 'fast', stream });
    assert.deepEqual([status, model], [200, 'claude-haiku-4-5'], text);
    assert.equal(header('x-smg-translation'), 'openai-chat>anthropic-messages');
    assert.match(text, /"object":"chat\.completion/);
    assert.match(text, /Echo/);
  }
});

/** A spent quota in Anthropic’s words; everything else is the same for all. */
const inAnthropicsWords = ({ why, fault }: Case): FaultSpec => ({
  ...(why === 'quota' ? troubleOf('anthropic').outOfQuota : fault),
  rate: 1,
  path: '/v1/messages',
});

for (const each of cases) {
  const { name, only, rests, why } = each;
  test(`a translated provider that ${name}: the next model answers, in the client’s own API`, async (t) => {
    const { gateway, anthropic } = await bothFor(t, 'fast=claude-haiku-4-5,gpt-4o-mini');
    anthropic.setFaults([inAnthropicsWords(each)]);
    for (const stream of [false, true]) {
      if (only === (stream ? 'whole' : 'stream')) continue;
      const { status, model, text, decision, header } = await ask(gateway, { model: 'fast', stream });
      assert.deepEqual([status, model, header('x-smg-translation')], [200, 'gpt-4o-mini', null], text);
      if (stream) assert.equal(payloads(text).at(-1), '[DONE]');
      assert.ok(decision.endsWith(` chain=claude-haiku-4-5:${why}`), decision);
    }
    const asked = chatsOf(anthropic);
    await ask(gateway, { model: 'fast', stream: only === 'stream' });
    assert.equal(chatsOf(anthropic) > asked, !rests, rests ? 'it rests' : 'it is asked again');
  });

  test(`a translated provider that ${name}, and nobody else: the client hears it in its own API`, async (t) => {
    const anthropic = await simulatedCloudFor(t, { kind: 'anthropic' });
    const workers = [cloudFields(anthropic, 'claude-haiku-4-5')];
    const { gateway } = await gatewayWith(t, workers, { ...FLAGS, disableRetries: true });
    anthropic.setFaults([inAnthropicsWords(each)]);
    for (const stream of [false, true]) {
      if (only === (stream ? 'whole' : 'stream')) continue;
      const key = bearer(`sk-ant-${stream}`);
      const { status, header, text } = await ask(gateway, { model: 'claude-haiku-4-5', stream }, key);
      const [ownStatus, code] = each.alone;
      // Chat has no 529, and Anthropic words a spent credit as a wrong request.
      const expected = why === 'quota' ? 400 : ownStatus === 529 ? 503 : ownStatus;
      assert.deepEqual([status, header('x-smg-error-code')], [expected, code], text);
      assert.match(text, /^\{"error":\{"message":"/);
    }
  });
}

for (const [name, fault] of [
  ['says that the prompt is too long', { kind: 'status', status: 400, body: tooLong() }],
] as const) {
  test(`a translated provider that ${name}: the next model answers`, async (t) => {
    const { gateway, anthropic } = await bothFor(t, 'fast=claude-haiku-4-5,gpt-4o-mini');
    anthropic.setFaults([{ rate: 1, path: '/v1/messages', ...fault }]);
    const { status, model, text, header } = await ask(gateway, { model: 'fast', stream: true });
    assert.deepEqual([status, model, header('x-smg-translation')], [200, 'gpt-4o-mini', null], text);
    assert.equal(payloads(text).at(-1), '[DONE]');
  });
}

function tooLong(): object {
  const message = 'prompt is too long: 208310 tokens > 200000 maximum';
  return { type: 'error', error: { type: 'invalid_request_error', message } };
}

test('a translated answer that is cut in the middle ends honestly, and nobody else is asked', async (t) => {
  const { gateway, openai, anthropic } = await bothFor(t, 'fast=claude-haiku-4-5,gpt-4o-mini');
  anthropic.setFaults([{ kind: 'reset_after', events: 4, rate: 1, path: '/v1/messages' }]);
  const { status, model, text } = await ask(gateway, { model: 'fast', stream: true });
  assert.deepEqual([status, model, chatsOf(openai)], [200, 'claude-haiku-4-5', 0]);
  assert.match(payloads(text).at(-1) ?? '', /"code":"upstream_broken"/);
});

test('one’s own engine and a cloud of another API share a model by priority', async (t) => {
  const engine = await engineFor(t, { models: ['claude-haiku-4-5'] });
  const cloud = await simulatedCloudFor(t, { kind: 'anthropic' });
  const { gateway, ids } = await gatewayWith(
    t,
    [{ url: engine.url, priority: 100 }, cloudFields(cloud, 'claude-haiku-4-5', { priority: 50 })],
    { ...FLAGS, responseHeadersTimeoutSecs: 600, disableCircuitBreaker: true },
  );
  const served = async () => {
    const { status, text, header } = await ask(gateway, { model: 'claude-haiku-4-5' });
    assert.equal(status, 200, text);
    return [ids.indexOf(header('x-smg-worker') ?? ''), header('x-smg-translation')];
  };
  assert.deepEqual(await served(), [0, null]);
  await engine.refuse(true);
  assert.deepEqual(await served(), [1, 'openai-chat>anthropic-messages']);
  await engine.refuse(false);
  assert.deepEqual(await served(), [0, null]);
});

/** How each client API says that a stream broke, beside chat, and what it must not say. */
const dialects = [
  {
    kind: 'anthropic',
    path: '/v1/messages',
    body: {
      model: 'claude-haiku-4-5',
      max_tokens: 500,
      stream: true,
      messages: [{ role: 'user', content: '#long 99' }],
    },
    last: /^\{"type":"error","error":\{"type":"api_error"/,
    never: 'message_stop',
  },
  {
    kind: 'openai',
    path: '/v1/responses',
    body: { model: 'gpt-4o-mini', stream: true, input: '#long 99' },
    last: /^\{"type":"response\.failed"/,
    never: 'response.completed',
  },
  {
    kind: 'gemini',
    path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    body: { contents: [{ role: 'user', parts: [{ text: '#long 99' }] }] },
    last: /^\{"error":\{"code":502/,
    never: 'finishReason":"STOP',
  },
] as const;

const MODEL_OF = { anthropic: 'claude-haiku-4-5', openai: 'gpt-4o-mini', gemini: 'gemini-2.5-flash' } as const;

for (const { kind, path, body, last, never } of dialects) {
  test(`a provider that cuts its answer in the middle, in the API of ${kind}: what came, then an error`, async (t) => {
    const accounts = [await simulatedCloudFor(t, { kind }), await simulatedCloudFor(t, { kind })];
    const workers = accounts.map((account) => cloudFields(account, MODEL_OF[kind]));
    const { gateway } = await gatewayWith(t, workers, FLAGS);
    for (const account of accounts) account.setFaults([{ kind: 'reset_after', events: 5, rate: 1 }]);
    const reply = await post(gateway, path, body);
    const text = (await reply.text()).replaceAll('\r\n', '\n');
    assert.equal(reply.status, 200);
    assert.match(payloads(text).at(-1) ?? '', last);
    assert.ok(!text.includes(never) && payloads(text).length > 1, text);
    assert.equal(
      accounts.reduce((sum, account) => sum + chatsOf(account), 0),
      1,
    );
  });
}

test('an array of Gemini’s that is cut ends with an error, passed and translated', async (t) => {
  const body = { contents: [{ role: 'user', parts: [{ text: '#long 99' }] }] };
  const ask = async (kind: 'gemini' | 'anthropic') => {
    const cloud = await simulatedCloudFor(t, { kind });
    const { gateway } = await gatewayWith(t, [cloudFields(cloud, MODEL_OF[kind])], FLAGS);
    cloud.setFaults([{ kind: 'reset_after', events: 5, rate: 1 }]);
    return post(gateway, `/v1beta/models/${MODEL_OF[kind]}:streamGenerateContent`, body);
  };
  for (const kind of ['gemini', 'anthropic'] as const) {
    const members = (await (await ask(kind)).json()) as { error?: { code: number } }[];
    assert.ok(members.length > 1);
    assert.equal(members.at(-1)?.error?.code, 502, kind);
  }
});

/** What hostile clients and careless providers send: what of it crosses the gateway, and in what form. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { bearer } from '../support/keys.ts';
import { post } from '../support/rig.ts';
import type { Script } from '../support/scripted-worker.ts';
import { saying, scriptedWorkerFor } from '../support/scripted-worker.ts';
import { gatewayWith } from '../support/simulated-clouds.ts';

const MESSAGES = [{ role: 'user', content: 'x' }];

/** A provider on a socket that notes what comes, and a gateway before it with a stored key. */
async function cloudFor(t: TestContext, provider: string, script: Script = saying('hello'), path = '') {
  const worker = await scriptedWorkerFor(t, { models: [] }, script);
  const { gateway } = await gatewayWith(t, [{ url: worker.url + path, provider, api_key: 'stored' }]);
  return { worker, gateway };
}

const LEAVING = [
  'gemini-x/../../../v1/secret',
  'gemini-x/..',
  'gemini-x/./y',
  'gemini-\ud800',
  'gemini-x//y',
  'gemini-x/',
];

test('a model of a path cannot lead to another path', async (t) => {
  const { worker, gateway } = await cloudFor(t, 'gemini');
  for (const model of LEAVING) {
    const reply = await post(gateway, '/v1/chat/completions', { model, messages: MESSAGES });
    assert.equal(reply.status, 400, model);
    const { error } = (await reply.json()) as { error: { param: string } };
    assert.equal(error.param, 'model');
  }
  const inPath = 'gemini-x%2f..%2f..%2fsecret';
  assert.equal((await post(gateway, `/v1beta/models/${inPath}:generateContent`, { contents: [] })).status, 400);
  assert.equal(worker.calls.length, 0);
  await post(gateway, '/v1/chat/completions', { model: 'gemini-x?a=b#c\r\nd: e%2f..', messages: MESSAGES });
  const [call] = worker.calls;
  assert.equal(call?.path, '/v1beta/models/gemini-x%3Fa%3Db%23c%0D%0Ad%3A%20e%252f..:generateContent');
  assert.equal(call.headers['d'], undefined);
});

test('a deployment of Azure cannot lead to another path', async (t) => {
  const { worker, gateway } = await cloudFor(t, 'azure', saying('hello'), '?api-version=2024-10-21');
  for (const model of ['azure/..', 'azure/../../x', 'azure/.'])
    assert.equal((await post(gateway, '/v1/chat/completions', { model, messages: MESSAGES })).status, 400, model);
  assert.deepEqual(worker.calls, []);
});

/** What a provider behind a content network says of its own host. */
const OF_THEIR_HOST = {
  'set-cookie': '__cf_bm=1; Domain=api.example.com',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'alt-svc': 'h3=":443"; ma=86400',
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'clear-site-data': '"*"',
  nel: '{"report_to":"x"}',
  'report-to': '{"group":"x"}',
};

test('what a provider says of its own host is not said of the gateway', async (t) => {
  const { gateway } = await cloudFor(t, 'openai', (response, call) => {
    for (const [name, value] of Object.entries(OF_THEIR_HOST)) response.setHeader(name, value);
    response.setHeader('x-ratelimit-remaining-requests', '9');
    return saying('hello')(response, call);
  });
  for (const stream of [false, true]) {
    for (const [path, extra] of [
      ['/v1/chat/completions', {}],
      ['/v1/messages', { max_tokens: 9 }],
    ] as const) {
      const reply = await post(gateway, path, { model: 'gpt-4o', messages: MESSAGES, stream, ...extra });
      assert.equal(reply.status, 200);
      for (const name of Object.keys(OF_THEIR_HOST)) assert.equal(reply.headers.get(name), null, name);
      assert.equal(reply.headers.get('x-ratelimit-remaining-requests'), '9');
      await reply.text();
    }
  }
});

test('whose organization pays is said with a key of the caller only', async (t) => {
  const { worker, gateway } = await cloudFor(t, 'openai');
  const account = { 'openai-organization': 'org-x', 'openai-project': 'proj-y', 'openai-beta': 'b' };
  await post(gateway, '/v1/chat/completions', { model: 'gpt-4o', messages: MESSAGES }, { headers: account });
  const own = { ...account, ...bearer('sk-proj-own') };
  await post(gateway, '/v1/chat/completions', { model: 'gpt-4o', messages: MESSAGES }, { headers: own });
  const seen = worker.calls.map(({ headers }) => Object.keys(account).map((name) => headers[name]));
  assert.deepEqual(seen, [
    [undefined, undefined, 'b'],
    ['org-x', 'proj-y', 'b'],
  ]);
});

test('bytes in headers that providers do not take end in an answer', async (t) => {
  const { worker, gateway } = await cloudFor(t, 'anthropic');
  const body = { model: 'claude-x', messages: MESSAGES, max_tokens: 9 };
  const reply = await post(gateway, '/v1/messages', body, { headers: { 'anthropic-beta': 'caf\u00e9' } });
  assert.ok(reply.status < 500 || reply.status === 502, String(reply.status));
  assert.ok(worker.calls.length <= 1);
});

const DEPTH = 60_000;
const DEEP = `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`;

test('an answer nested beyond all measure is an error for its client, not a hang', { timeout: 20_000 }, async (t) => {
  const call = `{"id":"c","type":"function","index":0,"function":{"name":"f","arguments":${DEEP}}}`;
  const { gateway } = await cloudFor(t, 'openai', (response, { body: { stream } }) => {
    if (stream === true) {
      response.setHeader('content-type', 'text/event-stream');
      response.write(`data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[${call}]}}]}\n\n`);
      return response.end('data: [DONE]\n\n');
    }
    response.setHeader('content-type', 'application/json');
    const choice = `{"index":0,"message":{"role":"assistant","tool_calls":[${call}]},"finish_reason":"tool_calls"}`;
    return response.end(`{"id":"c","object":"chat.completion","choices":[${choice}]}`);
  });
  for (const stream of [false, true]) {
    const body = { model: 'gpt-4o', messages: MESSAGES, max_tokens: 9, stream };
    const reply = await post(gateway, '/v1/messages', body);
    assert.equal(reply.status, 502, `stream ${stream}`);
    assert.equal(reply.headers.get('x-smg-error-code'), 'upstream_invalid_answer');
    assert.match(await reply.text(), /"error"/);
  }
});

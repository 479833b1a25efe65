import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf } from '../json.ts';
import { getJson, pick } from '../test-client.ts';
import { PROVIDER_KINDS, type ProviderKind } from './options.ts';
import type { SimProvider } from './provider.ts';
import { ask, type Got, HEADERS, providerFor } from './test-callers.ts';
import { troubleOf } from './trouble.ts';

/** A request that each kind answers. */
const ASKS: Readonly<Record<ProviderKind, readonly [path: string, body: object]>> = {
  openai: ['/v1/chat/completions', { model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: 'hi' }] }],
  xai: ['/v1/chat/completions', { model: 'grok-3', stream: true, messages: [{ role: 'user', content: 'hi' }] }],
  compatible: [
    '/v1/chat/completions',
    { model: 'llama-3.3-70b', stream: true, messages: [{ role: 'user', content: 'hi' }] },
  ],
  anthropic: [
    '/v1/messages',
    { model: 'claude-haiku-4-5', max_tokens: 99, stream: true, messages: [{ role: 'user', content: 'hi' }] },
  ],
  gemini: [
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    { contents: [{ parts: [{ text: 'hi' }] }] },
  ],
};

function askUsual(provider: SimProvider, headers = HEADERS[provider.kind]): Promise<Got> {
  const [path, body] = ASKS[provider.kind];
  return ask(provider, path, body, headers);
}

for (const kind of PROVIDER_KINDS) {
  test(`${kind}: a status fault is worded by the provider, with the headers given`, async (context) => {
    const provider = await providerFor(context, { kind });
    provider.setFaults([{ kind: 'status', status: 503, retryAfter: 7, headers: { 'X-Extra': 'yes' }, times: 1 }]);
    const got = await askUsual(provider);
    assert.deepEqual([got.status, got.headers.get('retry-after'), got.headers.get('x-extra')], [503, '7', 'yes']);
    assert.match(got.text, /on purpose/);
    assert.equal((await askUsual(provider)).status, 200);
    assert.deepEqual(provider.violations(), [], 'a fault is no violation');
  });

  test(`${kind}: an error before content stands in the stream, without its end`, async (context) => {
    const provider = await providerFor(context, { kind });
    provider.setFaults([
      { kind: 'error_event', events: 0, code: kind === 'anthropic' ? 529 : 503, message: 'no luck' },
    ]);
    const got = await askUsual(provider);
    assert.equal(got.status, 200);
    assert.match(got.text, /"error":.*no luck/);
    assert.doesNotMatch(got.text, /DONE|message_stop|STOP/);
    assert.equal(got.events.length, 1);
  });

  test(`${kind}: a cut stream is cut, and counted as neither complete nor left`, async (context) => {
    const provider = await providerFor(context, { kind });
    provider.setFaults([{ kind: 'reset_after', events: 2 }]);
    await assert.rejects(askUsual(provider));
    await provider.waitFor((stats) => stats.inFlight === 0);
    assert.deepEqual([provider.stats().completed, provider.stats().aborted], [0, 0]);
  });

  test(`${kind}: overloads and quotas are told apart by their bodies`, async (context) => {
    const provider = await providerFor(context, { kind });
    const { overloaded, rateLimited, outOfQuota } = troubleOf(kind);
    const answers: Got[] = [];
    for (const fault of [overloaded, rateLimited(9), outOfQuota]) {
      provider.setFaults([fault]);
      answers.push(await askUsual(provider));
    }
    const [busy, limited, empty] = answers;
    assert.equal(busy?.status, kind === 'anthropic' ? 529 : 503);
    assert.equal(limited?.status, 429);
    assert.match(kind === 'gemini' ? (limited?.text ?? '') : (limited?.headers.get('retry-after') ?? ''), /9/);
    assert.notEqual(empty?.text, limited?.text);
  });
}

test('a fault may strike one key only', async (context) => {
  const provider = await providerFor(context, { kind: 'anthropic' });
  provider.setFaults([{ ...troubleOf('anthropic').rateLimited(5), key: 'busy' }]);
  const with_ = (key: string) => askUsual(provider, { ...HEADERS.anthropic, 'x-api-key': key });
  assert.deepEqual([(await with_('busy')).status, (await with_('free')).status], [429, 200]);
});

test('hanging before headers and before content ends when the caller leaves', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  const [path, body] = ASKS.openai;
  for (const kind of ['hang_before_headers', 'hang_before_first_byte'] as const) {
    provider.setFaults([{ kind }]);
    const leave = new AbortController();
    const headers = { ...HEADERS.openai, 'content-type': 'application/json' };
    const asked = fetch(provider.url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: leave.signal,
    });
    if (kind === 'hang_before_first_byte') assert.equal((await asked).status, 200);
    else await provider.waitFor((stats) => stats.faultsFired.hang_before_headers === 1);
    leave.abort();
    await asked.catch(() => undefined);
    await provider.waitFor((stats) => stats.inFlight === 0);
  }
  assert.equal(provider.stats().aborted, 2);
});

test('remembers requests to the byte, credentials wherever they stand, and violations; forgets on demand', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  await askUsual(provider);
  await fetch(`${provider.url}/v1/models?key=in-query`, {
    headers: { 'X-Api-Key': 'other', authorization: 'Bearer one' },
  });
  const [first, second] = provider.requests();
  assert.deepEqual(JSON.parse(Buffer.from(first?.bodyBase64 ?? '', 'base64').toString()), ASKS.openai[1]);
  assert.deepEqual([second?.method, second?.path], ['GET', '/v1/models?key=in-query']);
  assert.deepEqual(
    provider.keysSeen().map(({ header, value }) => `${header}=${value}`),
    ['authorization=test-key', 'x-api-key=other', 'authorization=one', '?key=in-query'],
  );
  assert.deepEqual(
    provider.violations().map(({ status }) => status),
    [401],
  );
  assert.equal(listOf(await getJson(provider, '/_sim/keys')).length, 4);
  assert.equal(pick(await getJson(provider, '/_sim/violations'), '0.path'), '/v1/models');
  assert.equal(pick(await getJson(provider, '/_sim/requests'), '1.method'), 'GET');
  assert.equal(pick(await getJson(provider, '/_sim/stats'), 'requestsTotal'), 2);
  provider.forget();
  assert.deepEqual([provider.requests(), provider.keysSeen(), provider.violations()], [[], [], []]);
});

test('refuses connections and takes them again, changes models and keys, and dies', async (context) => {
  const provider = await providerFor(context, { kind: 'openai' });
  await provider.refuse(true);
  await assert.rejects(askUsual(provider));
  await provider.refuse(false);
  provider.setModels(['other']);
  assert.equal((await askUsual(provider)).status, 404);
  provider.setKeys(['another']);
  assert.equal((await askUsual(provider)).status, 401);
  provider.kill();
  await assert.rejects(askUsual(provider));
});

test('answers with the bytes a body asks for, own fields being no violation', async (context) => {
  const provider = await providerFor(context, { kind: 'gemini' });
  const [path, body] = ASKS.gemini;
  const wanted = { ...body, sim_answer_base64: Buffer.from('{"a": 1}').toString('base64') };
  assert.equal((await ask(provider, path, wanted)).text, '{"a": 1}');
  assert.equal((await ask(provider, path, { ...body, sim_fault: { kind: 'status', status: 500 } })).status, 500);
  assert.equal((await ask(provider, path, '[1]')).status, 400);
});

test('answers unknown paths and methods with the provider’s own 404', async (context) => {
  for (const kind of PROVIDER_KINDS) {
    const provider = await providerFor(context, { kind });
    const got = await ask(provider, '/v1/nothing', {});
    assert.deepEqual([got.status, got.json['error'] === undefined], [404, false]);
  }
});

test('bad options are refused', async () => {
  const { startProvider } = await import('./provider.ts');
  await assert.rejects(startProvider({ kind: 'openai', models: [] }), RangeError);
});

/** Calls that reach a provider through another API than the client's: every pair, whole and streaming, and what breaks. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startProvider } from '../../sim/providers/provider.ts';
import type { SimProvider } from '../../sim/providers/provider.ts';
import type { Gateway } from '../../src/app/build.ts';
import { allReady, engineFor, gatewayFor, payloads, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';

type Kind = 'openai' | 'anthropic' | 'gemini' | 'xai';

const MODELS: Readonly<Record<Kind, string>> = {
  openai: 'gpt-4o-mini',
  anthropic: 'claude-haiku-4-5',
  gemini: 'gemini-2.5-flash',
  xai: 'grok-3',
};
const KEYS: Readonly<Record<Kind, string>> = {
  openai: 'sk-proj-of-the-test',
  anthropic: 'sk-ant-of-the-test',
  gemini: 'AIzaOfTheTest',
  xai: 'xai-of-the-test',
};

interface Rig {
  readonly gateway: Gateway;
  readonly provider: SimProvider;
}

async function rigWith(t: TestContext, kind: Kind, flags: GatewayFlags = {}): Promise<Rig> {
  const provider = await startProvider({ kind, keys: [KEYS[kind]] });
  t.after(() => provider.close());
  const workers = [{ url: provider.url, provider: kind, api_key: KEYS[kind] }];
  const gateway = await gatewayFor(t, [], { workers, retryInitialBackoffMs: 1, ...flags });
  await allReady(gateway, 1);
  return { gateway, provider };
}

/** One client API: how a text is asked for, and what of an answer is its text. */
interface ClientApi {
  readonly name: string;
  path(model: string, isStream: boolean): string;
  body(model: string, text: string, isStream: boolean): Record<string, unknown>;
  textOf(answer: unknown): string;
  /** Of one event of a stream. */
  deltaOf(event: unknown): string;
  /** What ends a whole stream, as the last payload. */
  readonly terminator: RegExp;
  readonly dialect: RegExp;
}

interface Json {
  readonly [name: string]: Json | undefined;
}

/** The texts of all members with this name, in order. */
function texts(value: unknown, name: string): string {
  if (Array.isArray(value)) return value.map((item) => texts(item, name)).join('');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, member]) => (key === name && typeof member === 'string' ? member : texts(member, name)))
    .join('');
}

const chat: ClientApi = {
  name: 'openai-chat',
  path: () => '/v1/chat/completions',
  body: (model, text, stream) => ({ model, stream, messages: [{ role: 'user', content: text }] }),
  textOf: (answer) => texts(answer, 'content'),
  deltaOf: (event) => texts(event, 'content'),
  terminator: /^\[DONE\]$/,
  dialect: /^\{"error":\{"message":".*","type":"/,
};
const messages: ClientApi = {
  name: 'anthropic-messages',
  path: () => '/v1/messages',
  body: (model, text, stream) => ({ model, stream, max_tokens: 512, messages: [{ role: 'user', content: text }] }),
  textOf: (answer) => texts((answer as Json)['content'], 'text'),
  deltaOf: (event) => texts((event as Json)['delta'], 'text'),
  terminator: /"message_stop"/,
  dialect: /^\{"type":"error","error":\{"type":"/,
};
const responses: ClientApi = {
  name: 'openai-responses',
  path: () => '/v1/responses',
  body: (model, text, stream) => ({ model, stream, input: text }),
  textOf: (answer) => texts((answer as Json)['output'], 'text'),
  deltaOf: (event) => ((event as { type: string }).type === 'response.output_text.delta' ? texts(event, 'delta') : ''),
  terminator: /"response.completed"/,
  dialect: /^\{"error":\{"message":".*","type":"/,
};
const gemini: ClientApi = {
  name: 'gemini',
  path: (model, isStream) =>
    `/v1beta/models/${model}:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  body: (_model, text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
  textOf: (answer) => texts((answer as Json)['candidates'], 'text'),
  deltaOf: (event) => texts((event as Json)['candidates'], 'text'),
  terminator: /"finishReason":"STOP"/,
  dialect: /^\{"error":\{"code":\d+,"message":"/,
};
const clients = [chat, messages, responses, gemini];
const kinds: readonly Kind[] = ['openai', 'anthropic', 'gemini', 'xai'];

function ask(gateway: Gateway, api: ClientApi, model: string, text: string, isStream = false, headers = {}) {
  return post(gateway, api.path(model, isStream), api.body(model, text, isStream), { headers });
}

/** What a stream says, and its last payload. */
function streamOf(api: ClientApi, body: string): { readonly text: string; readonly last: string } {
  const all = payloads(body);
  const json = all.filter((payload) => payload.startsWith('{'));
  return { text: json.map((payload) => api.deltaOf(JSON.parse(payload))).join(''), last: all.at(-1) ?? '' };
}

const WORDS = 'Grüße 日本 🙂';

for (const kind of kinds) {
  for (const api of clients) {
    test(`${api.name} -> ${kind}: a text, whole and streaming`, async (t) => {
      const { gateway, provider } = await rigWith(t, kind);
      const whole = await ask(gateway, api, MODELS[kind], WORDS);
      const body = await whole.text();
      assert.equal(whole.status, 200, body);
      assert.match(api.textOf(JSON.parse(body)), new RegExp(`Echo: ${WORDS}`));
      const streamed = await ask(gateway, api, MODELS[kind], WORDS, true);
      assert.match(streamed.headers.get('content-type') ?? '', /^text\/event-stream/);
      const { text, last } = streamOf(api, await streamed.text());
      assert.match(text, new RegExp(`Echo: ${WORDS}`));
      assert.match(last, api.terminator);
      assert.deepEqual(provider.violations(), []);
    });
  }
}

test('the same API on both sides: the provider gets the client’s bytes, and the client the provider’s', async (t) => {
  for (const [kind, api] of [
    ['openai', chat],
    ['openai', responses],
    ['anthropic', messages],
    ['gemini', gemini],
  ] as const) {
    const { gateway, provider } = await rigWith(t, kind);
    const body = ` ${JSON.stringify(api.body(MODELS[kind], WORDS, false), undefined, 1)} `;
    const reply = await post(gateway, api.path(MODELS[kind], false), body);
    assert.equal(reply.status, 200, await reply.text());
    assert.equal(provider.lastRequest()?.sha256, createHash('sha256').update(body).digest('hex'));
    assert.equal(reply.headers.get('x-smg-translation'), null);
    assert.equal(reply.headers.get('x-smg-translation-warnings'), null);
  }
});

test('a self-hosted engine is asked in chat for Gemini’s clients', async (t) => {
  const engine = await engineFor(t);
  const gateway = await gatewayFor(t, [engine.url]);
  await allReady(gateway, 1);
  const reply = await ask(gateway, gemini, 'sim-model', 'Say something.');
  assert.equal(reply.status, 200);
  assert.notEqual(gemini.textOf(await reply.json()), '');
  assert.equal(reply.headers.get('x-smg-translation'), 'gemini>openai-chat');
  const streamed = await ask(gateway, gemini, 'sim-model', 'Say something.', true);
  assert.match(streamOf(gemini, await streamed.text()).last, /"finishReason"/);
});

for (const api of clients) {
  const kind = api === gemini ? 'anthropic' : 'gemini';
  test(`${api.name} -> ${kind}: an error comes with its status, in the client’s dialect and words of the provider`, async (t) => {
    const { gateway, provider } = await rigWith(t, kind);
    provider.setFaults([{ kind: 'status', status: 400, rate: 1 }]);
    const refused = await ask(gateway, api, MODELS[kind], WORDS);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), api.dialect);
    provider.setFaults([{ kind: 'status', status: 429, rate: 1, retryAfter: 7 }]);
    const limited = await ask(gateway, api, MODELS[kind], WORDS, true);
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7']);
    assert.match(await limited.text(), api.dialect);
  });

  test(`${api.name} -> ${kind}: a stream that is cut ends with an error and without its terminator`, async (t) => {
    const { gateway, provider } = await rigWith(t, kind);
    provider.setFaults([{ kind: 'reset_after', events: 4, rate: 1 }]);
    const reply = await ask(gateway, api, MODELS[kind], `#long 200`, true);
    const { last } = streamOf(api, await reply.text());
    assert.match(last, /error/i);
    assert.doesNotMatch(last, api.terminator);
  });
}

test('an overload inside a stream before its content is tried on another worker, unseen', async (t) => {
  const providers = await Promise.all([0, 1].map(() => startProvider({ kind: 'anthropic', keys: [KEYS.anthropic] })));
  for (const each of providers) t.after(() => each.close());
  const workers = providers.map(({ url }, at) => {
    return { url, provider: 'anthropic', api_key: KEYS.anthropic, priority: at === 0 ? 90 : 10 };
  });
  const gateway = await gatewayFor(t, [], { workers, retryInitialBackoffMs: 1 });
  await allReady(gateway, 2);
  providers[0]?.setFaults([{ kind: 'error_event', events: 0, code: 529, rate: 1 }]);
  const reply = await ask(gateway, chat, MODELS.anthropic, WORDS, true);
  const { text, last } = streamOf(chat, await reply.text());
  assert.match(text, new RegExp(WORDS));
  assert.match(last, /\[DONE\]/);
  const posts = (provider: SimProvider | undefined) =>
    provider?.requests().filter(({ method }) => method === 'POST').length;
  assert.deepEqual(providers.map(posts), [1, 1]);
});

test('losses are told in a header, and refused in strict mode or when the client says so', async (t) => {
  const lossy = { ...chat.body(MODELS.anthropic, WORDS, false), seed: 7, logit_bias: { 5: 1 } };
  const { gateway, provider } = await rigWith(t, 'anthropic');
  const reply = await post(gateway, '/v1/chat/completions', lossy);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('x-smg-translation'), 'openai-chat>anthropic-messages');
  assert.match(reply.headers.get('x-smg-translation-warnings') ?? '', /seed: .*logit_bias: /);
  const before = provider.requests().length;
  const strict = await post(gateway, '/v1/chat/completions', lossy, {
    headers: { 'x-smg-strict-translation': 'true' },
  });
  assert.deepEqual([strict.status, strict.headers.get('x-smg-error-code')], [400, 'translation_loss']);
  const { error } = (await strict.json()) as { error: { param: string } };
  assert.match(error.param, /^(seed|logit_bias)$/);
  assert.equal(provider.requests().length, before, 'nothing was sent');
  const own = await rigWith(t, 'anthropic', { strictTranslation: true });
  assert.equal((await post(own.gateway, '/v1/chat/completions', lossy)).status, 400);
  assert.equal((await ask(own.gateway, chat, MODELS.anthropic, WORDS)).status, 200);
});

test('an API that nobody can be asked in is refused with both names', async (t) => {
  const { gateway } = await rigWith(t, 'anthropic');
  const reply = await post(gateway, '/v1/completions', { model: MODELS.anthropic, prompt: 'x' });
  assert.deepEqual([reply.status, reply.headers.get('x-smg-error-code')], [400, 'not_translatable']);
  assert.match(await reply.text(), /openai-completions.*Anthropic/);
});

test('tokens are counted by Anthropic and Gemini themselves, and estimated with a mark elsewhere', async (t) => {
  const question = { messages: [{ role: 'user', content: 'x'.repeat(400) }] };
  const native = await rigWith(t, 'anthropic');
  const path = '/v1/messages/count_tokens';
  const counted = await post(native.gateway, path, { model: MODELS.anthropic, ...question });
  assert.equal(counted.headers.get('x-smg-token-count'), null);
  assert.deepEqual(await counted.json(), { input_tokens: 100 });
  const google = await rigWith(t, 'gemini');
  const asked = await post(google.gateway, path, { model: MODELS.gemini, ...question });
  assert.deepEqual([asked.headers.get('x-smg-token-count'), await asked.json()], [null, { input_tokens: 100 }]);
  assert.equal(asked.headers.get('x-smg-translation'), 'anthropic-count-tokens>gemini-count-tokens');
  const contents = [{ role: 'user', parts: [{ text: 'x'.repeat(400) }] }];
  const back = await post(native.gateway, `/v1beta/models/${MODELS.anthropic}:countTokens`, { contents });
  assert.deepEqual(await back.json(), { totalTokens: 100 });
  const other = await rigWith(t, 'openai');
  const guessed = await post(other.gateway, path, { model: MODELS.openai, ...question });
  assert.equal(guessed.headers.get('x-smg-token-count'), 'estimated');
  const { input_tokens: tokens } = (await guessed.json()) as { input_tokens: number };
  assert.ok(tokens > 90 && tokens < 130, String(tokens));
});

test('embeddings of OpenAI’s form come from Gemini', async (t) => {
  const { gateway, provider } = await rigWith(t, 'gemini');
  const body = { model: 'gemini-embedding-001', input: ['one', 'two'] };
  const reply = await post(gateway, '/v1/embeddings', body);
  const answer = (await reply.json()) as { data: { index: number; embedding: number[] }[]; model: string };
  assert.equal(reply.status, 200, JSON.stringify(answer));
  assert.deepEqual(
    answer.data.map(({ index, embedding }) => [index, embedding.length > 0]),
    [
      [0, true],
      [1, true],
    ],
  );
  assert.deepEqual([answer.model, provider.violations()], ['gemini-embedding-001', []]);
});

/** Weather, by its name in each API. */
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

test('thoughts of Claude and Gemini come back with the tool calls of a client that has no place for them', async (t) => {
  for (const kind of ['anthropic', 'gemini'] as const) {
    const model = kind === 'gemini' ? 'gemini-3-flash-preview' : MODELS.anthropic;
    const { gateway, provider } = await rigWith(t, kind);
    const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
    const question = { role: 'user', content: '#think Where is it? #tool:weather {"city":"Bern"}' };
    const thinking = { model, tools, reasoning_effort: 'low', max_completion_tokens: 4_000 };
    const first = await post(gateway, '/v1/chat/completions', { ...thinking, messages: [question] });
    const answer = (await first.json()) as {
      choices: [{ message: Record<string, unknown> & { tool_calls: [{ id: string }] } }];
    };
    const { tool_calls: calls } = answer.choices[0].message;
    const result = { role: 'tool', tool_call_id: calls[0].id, content: 'Rain' };
    const assistant = { role: 'assistant', content: null, tool_calls: calls };
    const second = await post(gateway, '/v1/chat/completions', {
      ...thinking,
      messages: [question, assistant, result],
    });
    assert.match(await second.text(), /Results: weather = Rain/, kind);
    assert.deepEqual(provider.violations(), []);
    const sent = Buffer.from(provider.lastRequest()?.bodyBase64 ?? '', 'base64').toString();
    assert.match(sent, kind === 'gemini' ? /"thoughtSignature":"/ : /"signature":"/);
    assert.doesNotMatch(sent, /skip_thought_signature_validator/);
  }
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test('a picture that is named by URL is fetched for Gemini, from hosts that may be asked only', async (t) => {
  const server = createServer((_request, response) => response.end(PNG));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`;
  const body = {
    model: MODELS.gemini,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url } },
          { type: 'text', text: 'Look' },
        ],
      },
    ],
  };
  const open = await rigWith(t, 'gemini', { mediaAllowHost: ['127.0.0.1'] });
  const reply = await post(open.gateway, '/v1/chat/completions', body);
  assert.match(await reply.text(), /image\/png/);
  assert.match(Buffer.from(open.provider.lastRequest()?.bodyBase64 ?? '', 'base64').toString(), /"inlineData"/);
  const closed = await rigWith(t, 'gemini');
  const refused = await post(closed.gateway, '/v1/chat/completions', body);
  assert.deepEqual([refused.status, refused.headers.get('x-smg-error-code')], [400, 'media_unreachable']);
  assert.match(await refused.text(), /does not lead to a public address/);
});

test('a client that leaves while its picture is fetched ends the fetch, and nobody is asked', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const server = createServer((request) => {
    arrived.resolve();
    request.socket.on('close', () => ended.resolve());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`;
  const { gateway, provider } = await rigWith(t, 'gemini', { mediaAllowHost: ['127.0.0.1'] });
  const content = [{ type: 'image_url', image_url: { url } }];
  const leaving = new AbortController();
  const body = { model: MODELS.gemini, messages: [{ role: 'user', content }] };
  const call = post(gateway, '/v1/chat/completions', body, { signal: leaving.signal });
  await arrived.promise;
  leaving.abort();
  await assert.rejects(call);
  await ended.promise;
  await gateway.stop({ settle: false });
  assert.deepEqual(
    provider.requests().filter(({ method }) => method === 'POST'),
    [],
  );
});

test('a client of Gemini’s API may give its key in the query; it goes to Gemini as a header', async (t) => {
  const provider = await startProvider({ kind: 'gemini', keys: ['AIza-own'] });
  t.after(() => provider.close());
  const workers = [{ url: provider.url, provider: 'gemini', models: [MODELS.gemini], api_key: 'AIza-own' }];
  const gateway = await gatewayFor(t, [], { workers });
  await allReady(gateway, 1);
  provider.setKeys(['AIza-caller']);
  const path = `/v1beta/models/${MODELS.gemini}:generateContent?key=AIza-caller`;
  const reply = await post(gateway, path, gemini.body('', WORDS, false));
  assert.equal(reply.status, 200, await reply.text());
  const last = provider.lastRequest();
  assert.doesNotMatch(last?.path ?? '', /key/);
  assert.deepEqual(provider.keysSeen().at(-1), { header: 'x-goog-api-key', value: 'AIza-caller' });
});

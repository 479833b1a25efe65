/**
 * The same API on both sides: every API of every provider, 200 odd bodies each, whole and streaming. What the client
 * sent is what arrives, and what was answered is what the client gets, byte for byte; so prompt caches see every prefix
 * as it was. Where a value must change, everything around it stays.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import type { ProtocolName } from '../../src/domain/call.ts';
import { providers } from '../../src/domain/providers/index.ts';
import type { Provider } from '../../src/domain/providers/provider.ts';
import { answeringCloudFor, sha256 } from '../support/answering-cloud.ts';
import { oddMembers, oddSpace, pick } from '../support/odd-json.ts';
import { post } from '../support/rig.ts';
import { gatewayWith } from '../support/simulated-clouds.ts';
import type { GatewayFlags } from '../support/rig.ts';

const BODIES = 200;
const MODEL = 'a-model';

/** What clients send in an API, and frames of a stream around the odd members that they get. */
interface Api {
  readonly protocol: ProtocolName;
  readonly path: string;
  readonly streamPath?: string;
  /** Members that the API cannot do without, beside the model. */
  readonly fields: string;
  /** Frames of a whole stream; none: the API has no streams. */
  frames?(odd: () => string): readonly string[];
}

const data = (odd: string, rest: string) => `{${odd},${rest}}`;

const chat: Api = {
  protocol: 'openai-chat',
  path: '/v1/chat/completions',
  fields: '"messages":[{"role":"user", "content":"caf\\u00e9"}]',
  frames: (odd) => [
    data(odd(), '"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]'),
    data(odd(), '"choices":[{"index":0,"delta":{"content":"\\u00e9"},"finish_reason":"stop"}]'),
    '[DONE]',
  ],
};
const completions: Api = {
  protocol: 'openai-completions',
  path: '/v1/completions',
  fields: '"prompt":"caf\\u00e9"',
  frames: (odd) => [
    data(odd(), '"choices":[{"index":0,"text":"a"}]'),
    data(odd(), '"choices":[{"index":0,"text":"","finish_reason":"stop"}]'),
    '[DONE]',
  ],
};
const responses: Api = {
  protocol: 'openai-responses',
  path: '/v1/responses',
  fields: '"input":"caf\\u00e9"',
  frames: (odd) => [
    data(odd(), '"type":"response.created","response":{"id":"r"}'),
    data(odd(), '"type":"response.output_text.delta","delta":"a"'),
    data(odd(), '"type":"response.completed","response":{"id":"r","status":"completed"}'),
  ],
};
const messages: Api = {
  protocol: 'anthropic-messages',
  path: '/v1/messages',
  fields: '"max_tokens":1e2,"messages":[{"role":"user", "content":"caf\\u00e9"}]',
  frames: (odd) => [
    data(odd(), '"type":"message_start","message":{"id":"m","role":"assistant","content":[]}'),
    data(odd(), '"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}'),
    data(odd(), '"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}'),
    data(odd(), '"type":"content_block_stop","index":0'),
    data(odd(), '"type":"message_delta","delta":{"stop_reason":"end_turn"}'),
    data(odd(), '"type":"message_stop"'),
  ],
};
const gemini: Api = {
  protocol: 'gemini',
  path: `/v1beta/models/${MODEL}:generateContent`,
  streamPath: `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`,
  fields: '"contents":[{"role":"user", "parts":[{"text":"caf\\u00e9"}]}]',
  frames: (odd) => [
    data(odd(), '"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]'),
    data(odd(), '"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]'),
  ],
};
const APIS: readonly Api[] = [
  chat,
  completions,
  responses,
  messages,
  gemini,
  { protocol: 'openai-embeddings', path: '/v1/embeddings', fields: '"input":["caf\\u00e9"]' },
  { protocol: 'rerank', path: '/v1/rerank', fields: '"query":"caf\\u00e9","documents":["b"]' },
  { protocol: 'anthropic-count-tokens', path: '/v1/messages/count_tokens', fields: '"messages":[]' },
  { protocol: 'gemini-count-tokens', path: `/v1beta/models/${MODEL}:countTokens`, fields: '"contents":[]' },
];

const hasModelInPath = ({ protocol }: Api) => protocol.startsWith('gemini');

/** A body with everything odd, and the model at any place in it. */
function oddBody(random: Random, api: Api, stream: boolean, model = MODEL): string {
  const space = () => oddSpace(random);
  const named = hasModelInPath(api) ? [] : [`"model"${space()}:${space()}"${model}"`];
  const streaming = stream && !api.streamPath ? [`"stream"${space()}:${space()}true`] : [];
  const parts = [oddMembers(random), ...named, api.fields, ...streaming, `"of_tomorrow":{"a" : [1.0 ,2e0]}`];
  // Any order.
  const rotated = [...parts.splice(Math.floor(random.next() * parts.length)), ...parts];
  return `${space()}{${space()}${rotated.join(`${space()},${space()}`)}${space()}}${space()}`;
}

const LINE_ENDS = ['\n', '\r\n', '\r'] as const;

/** Events with every line end and comment that the format allows. */
function oddStream(random: Random, frames: readonly string[]): string {
  const end = pick(random, LINE_ENDS);
  const comment = () => (random.next() < 0.3 ? `: still here é${end}${end}` : '');
  const name = (frame: string) => /"type":"((?:message|content|response)[a-z_.]*)"/.exec(frame)?.[1];
  return frames
    .map((frame) => {
      const lines = frame.split(/\r\n|[\r\n]/).map((line) => `data:${pick(random, ['', ' '])}${line}${end}`);
      const type = name(frame);
      return `${comment()}${type === undefined ? '' : `event: ${type}${end}`}${lines.join('')}${end}`;
    })
    .join('');
}

async function rigFor(t: TestContext, provider: Provider, flags: GatewayFlags = {}) {
  const cloud = await answeringCloudFor(t);
  // A name that nobody knows is a compatible cloud only where it is said to be outside.
  const fields = { url: cloud.url, provider: provider.name, runtime: 'external', api_key: 'k', models: [MODEL] };
  const { gateway } = await gatewayWith(t, [fields], flags);
  return { cloud, gateway };
}

/** The provider's APIs that clients can speak. */
const pairs = providers.flatMap((provider) =>
  APIS.filter(({ protocol }) => provider.apis.some((api) => api.protocol === protocol)).map((api) => ({
    provider,
    api,
  })),
);

for (const [at, { provider, api }] of pairs.entries()) {
  test(`${api.protocol} to ${provider.name}: ${BODIES} odd bodies and answers pass byte for byte`, async (t) => {
    const { cloud, gateway } = await rigFor(t, provider);
    const random = seededRandom(7_000 + at);
    for (let round = 0; round < BODIES; round += 1) {
      const isStream = api.frames !== undefined && round % 2 === 1;
      const body = oddBody(random, api, isStream);
      const odd = () => oddMembers(random);
      const answer = Buffer.from(isStream ? oddStream(random, api.frames?.(odd) ?? []) : `{${odd()}}`);
      const contentType = isStream ? 'text/event-stream; odd=1' : 'application/json; odd=1';
      const pieceBytes = 1 + Math.floor(random.next() * 40);
      cloud.answer({ contentType, bytes: answer, ...(isStream ? { pieceBytes } : {}) });
      const reply = await post(gateway, isStream ? (api.streamPath ?? api.path) : api.path, body);
      const got = Buffer.from(await reply.arrayBuffer());
      assert.equal(reply.status, 200, `${got.toString()} for ${body}`);
      assert.equal(got.toString(), answer.toString(), `answer ${round}`);
      assert.deepEqual([sha256(got), reply.headers.get('content-type')], [sha256(answer), contentType]);
      assert.equal(cloud.seen()?.body, body, `body ${round}`);
      assert.equal(cloud.seen()?.sha256, sha256(body));
      for (const name of ['x-smg-translation', 'x-smg-translation-warnings'])
        assert.equal(reply.headers.get(name), null, `${name} ${round}`);
      assert.equal(reply.headers.get('x-of-the-cloud'), 'yes');
    }
  });
}

/** By what providers find the cache of a conversation again, and in which account and version of the API. */
const CACHE_HEADERS: Readonly<Record<string, readonly string[]>> = {
  openai: ['openai-organization', 'openai-project', 'openai-beta'],
  anthropic: ['anthropic-version', 'anthropic-beta'],
  xai: ['x-grok-conv-id'],
  openrouter: ['x-session-id', 'anthropic-beta'],
  fireworks: ['x-session-affinity', 'x-multi-turn-session-id', 'x-prompt-cache-isolation-key'],
  deepseek: ['anthropic-beta'],
};

for (const provider of providers.filter(({ name }) => CACHE_HEADERS[name])) {
  test(`what ${provider.name} finds its cache by reaches it as it was sent, and nobody else’s does`, async (t) => {
    const { cloud, gateway } = await rigFor(t, provider);
    const own = CACHE_HEADERS[provider.name] ?? [];
    const all = [...new Set(Object.values(CACHE_HEADERS).flat())];
    const sent = Object.fromEntries(all.map((name) => [name, `of-the-client/${name} 1.0`]));
    const api = APIS.find(({ protocol }) => provider.apis[0]?.protocol === protocol) ?? chat;
    // Who names an account pays for it: these go along with a key of the caller's own.
    const key: Record<string, string> = provider.name === 'openai' ? { authorization: 'Bearer sk-proj-own' } : {};
    await post(gateway, api.path, oddBody(seededRandom(1), api, false), { headers: { ...sent, ...key } });
    const seen = cloud.seen()?.headers ?? {};
    for (const name of own) assert.equal(seen[name], sent[name], name);
    for (const name of all.filter((each) => !provider.passHeaders.includes(each))) assert.equal(seen[name], undefined);
  });
}

test('a name that stands for a model is put right, and every other byte stays', async (t) => {
  for (const [at, { provider, api }] of pairs.filter((pair) => !hasModelInPath(pair.api)).entries()) {
    const { cloud, gateway } = await rigFor(t, provider, { modelAlias: [`my/näme=${MODEL}`] });
    const random = seededRandom(8_000 + at);
    for (let round = 0; round < 20; round += 1) {
      const body = oddBody(random, api, false, 'my/n\\u00e4me');
      const reply = await post(gateway, api.path, body);
      assert.equal(reply.status, 200, await reply.text());
      assert.equal(cloud.seen()?.body, body.replace('my/n\\u00e4me', MODEL), `${provider.name} ${api.protocol}`);
      assert.equal(reply.headers.get('x-smg-model'), MODEL);
    }
  }
});

test('a field that a provider refuses is cut out or renamed, and every other byte stays', async (t) => {
  let shown = 0;
  for (const [at, { provider, api }] of pairs.entries()) {
    const quirks = provider.quirks.filter(
      ({ protocol, models, name }) => protocol === api.protocol && !models && !name.includes('[]'),
    );
    if (quirks.length === 0) continue;
    const { cloud, gateway } = await rigFor(t, provider);
    const random = seededRandom(9_000 + at);
    for (const { name, act } of quirks) {
      const space = oddSpace(random);
      const rest = oddBody(random, api, false);
      const [before = '', ...after] = rest.split('"of_tomorrow"');
      const behind = `"of_tomorrow"${after.join('"of_tomorrow"')}`;
      const member = (key: string) => `"${key}"${space}:${space}[1.0 ,"\\u00e9"]${space},${space}`;
      const kept = act === 'remove' ? '' : member(act.rename);
      const reply = await post(gateway, api.path, before + member(name) + behind);
      assert.equal(reply.status, 200, await reply.text());
      assert.equal(cloud.seen()?.body, before + kept + behind, `${provider.name} ${api.protocol} ${name}`);
      shown += 1;
    }
  }
  assert.ok(shown > 500, `${shown} fields`);
});

test(`Gemini’s arrays: ${BODIES} odd bodies and answers that grow piece by piece pass byte for byte`, async (t) => {
  const provider = providers.find(({ name }) => name === 'gemini');
  assert.ok(provider);
  const { cloud, gateway } = await rigFor(t, provider);
  const random = seededRandom(6_000);
  for (let round = 0; round < BODIES; round += 1) {
    const body = oddBody(random, gemini, true);
    const frames = gemini.frames?.(() => oddMembers(random)) ?? [];
    const bytes = Buffer.from(`[${oddSpace(random)}${frames.join(`${oddSpace(random)},\r\n`)}${oddSpace(random)}]\n`);
    const contentType = 'application/json; charset=UTF-8';
    cloud.answer({ contentType, bytes, pieceBytes: 1 + Math.floor(random.next() * 40) });
    const reply = await post(gateway, `/v1beta/models/${MODEL}:streamGenerateContent`, body);
    assert.equal(sha256(Buffer.from(await reply.arrayBuffer())), sha256(bytes), `answer ${round}`);
    assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, contentType]);
    assert.equal(cloud.seen()?.body, body, `body ${round}`);
    assert.equal(cloud.seen()?.path, `/v1beta/models/${MODEL}:streamGenerateContent`);
  }
});

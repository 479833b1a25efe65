/** Workers of providers, from their registration to a call, with servers that pose as providers. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import { bearer, KEYS, keyFlags } from '../support/keys.ts';
import type { Cloud, CloudOptions } from '../support/cloud.ts';
import { cloudFor } from '../support/cloud.ts';
import { chatBody, engineFor, gatewayFor, post } from '../support/rig.ts';
import type { GatewayFlags } from '../support/rig.ts';

const HOSTS = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
  gemini: 'generativelanguage.googleapis.com',
} as const;

type Name = keyof typeof HOSTS;

const MODELS = { openai: 'gpt-4o', anthropic: 'claude-haiku-4-5', gemini: 'gemini-2.5-flash' } as const;

interface Clouds {
  readonly gateway: Gateway;
  readonly clouds: Readonly<Record<Name, Cloud>>;
}

/** A gateway that finds every provider's host at a server of the test. */
async function cloudsFor(
  t: TestContext,
  flags: GatewayFlags = {},
  keys: Partial<Record<Name, CloudOptions['keys']>> = {},
): Promise<Clouds> {
  const of = (name: Name) =>
    cloudFor(t, { form: name, models: [MODELS[name]], ...(keys[name] ? { keys: keys[name] } : {}) });
  const clouds = { openai: await of('openai'), anthropic: await of('anthropic'), gemini: await of('gemini') };
  const mapHost = Object.entries(HOSTS).map(([name, host]) => `${host}=${clouds[name as Name].url}`);
  const gateway = await gatewayFor(t, [], { enableIgw: true, mapHost, ...flags });
  return { gateway, clouds };
}

async function register({ gateway }: Pick<Clouds, 'gateway'>, body: object): Promise<Record<string, unknown>> {
  const reply = await post(gateway, '/workers?wait=10', body);
  const answer = (await reply.json()) as Record<string, unknown>;
  assert.equal(reply.status, 200, JSON.stringify(answer));
  return answer;
}

async function modelsOf({ gateway }: Clouds, headers: Record<string, string> = {}, query = ''): Promise<string[][]> {
  const reply = await fetch(`${gateway.url}/v1/models${query}`, { headers });
  assert.equal(reply.status, 200);
  const { data } = (await reply.json()) as { data: { id: string; owned_by: string }[] };
  return data.map(({ id, owned_by: owner }) => [id, owner]);
}

const call = ({ gateway }: Pick<Clouds, 'gateway'>, model: string, headers: Record<string, string> = {}) =>
  post(gateway, '/v1/chat/completions', chatBody({ model }), { headers });

test('a registered provider is found out in its own form, over the mapped host, and keeps its URL', async (t) => {
  const rig = await cloudsFor(t);
  const bodies = {
    openai: { url: 'https://api.openai.com/v1', api_key: 'sk-stored', runtime_type: 'external', provider: 'openai' },
    anthropic: { url: 'https://api.anthropic.com/v1', provider: 'anthropic', api_key: 'sk-ant-stored' },
    gemini: { url: 'https://generativelanguage.googleapis.com/v1beta', api_key: 'AIza-stored' },
  };
  for (const [name, body] of Object.entries(bodies)) {
    const shown = await register(rig, body);
    assert.deepEqual(
      [shown['url'], shown['provider'], shown['models'], shown['runtime_type'], shown['has_api_key']],
      [`https://${HOSTS[name as Name]}`, name, [MODELS[name as Name]], 'external', true],
    );
    assert.ok(!JSON.stringify(shown).includes('stored'));
  }
  const { openai, anthropic, gemini } = rig.clouds;
  assert.deepEqual(openai.credentials(), ['authorization: Bearer sk-stored']);
  assert.deepEqual(anthropic.credentials(), ['x-api-key: sk-ant-stored']);
  assert.equal(anthropic.seen[0]?.headers['anthropic-version'], '2023-06-01');
  assert.deepEqual(gemini.credentials(), ['x-goog-api-key: AIza-stored']);
  assert.deepEqual(
    [openai, anthropic, gemini].map(({ seen }) => seen.length),
    [1, 1, 1],
  );
  assert.deepEqual(await modelsOf(rig), [
    ['claude-haiku-4-5', 'anthropic'],
    ['gemini-2.5-flash', 'gemini'],
    ['gpt-4o', 'openai'],
  ]);
});

test('the stored key serves those who bring none; the caller’s own goes before it', async (t) => {
  const rig = await cloudsFor(t);
  await register(rig, { url: 'https://api.openai.com', api_key: 'sk-stored' });
  assert.equal((await call(rig, 'gpt-4o')).status, 200);
  assert.equal((await call(rig, 'gpt-4o', bearer('sk-mine'))).status, 200);
  const keys = rig.clouds.openai.seen.map(({ headers }) => headers.authorization);
  assert.deepEqual(keys, ['Bearer sk-stored', 'Bearer sk-stored', 'Bearer sk-mine']);
});

test('a worker without a key is asked nothing, and serves callers who bring theirs, by the model’s name', async (t) => {
  const rig = await cloudsFor(t);
  const shown = await register(rig, { url: 'https://api.openai.com' });
  assert.deepEqual([shown['status'], shown['models'], shown['has_api_key']], ['ready', [], false]);
  assert.deepEqual(rig.clouds.openai.seen, []);
  for (const model of ['gpt-4o', 'o3-mini', 'chatgpt-4o-latest'])
    assert.equal((await call(rig, model, bearer('sk-mine'))).status, 200, model);
  assert.equal((await call(rig, 'llama-3')).status, 404);
  assert.deepEqual(rig.clouds.openai.credentials(), ['authorization: Bearer sk-mine']);
});

test('a key that names another provider is not sent; the stored one is, or none', async (t) => {
  const rig = await cloudsFor(t);
  await register(rig, { url: 'https://api.openai.com', api_key: 'sk-stored' });
  for (const key of ['sk-ant-mine', 'AIza-mine', 'xai-mine', 'gsk_mine']) await call(rig, 'gpt-4o', bearer(key));
  assert.deepEqual(rig.clouds.openai.credentials(), ['authorization: Bearer sk-stored']);
});

test('a bad stored key keeps the worker from being ready, with the reason, and no part of the key', async (t) => {
  const rig = await cloudsFor(t, {}, { openai: ['sk-right'] });
  const reply = await post(rig.gateway, '/workers?wait=1', { url: 'https://api.openai.com', api_key: 'CANARY-wrong' });
  const text = await reply.text();
  assert.equal(reply.status, 504);
  assert.match(text, /GET \/v1\/models answered 401; it refuses the key that it was given/);
  assert.doesNotMatch(text + (await (await fetch(`${rig.gateway.url}/workers`)).text()), /CANARY/);
});

test('own engines and a provider share the pool of a model that both list', async (t) => {
  const rig = await cloudsFor(t, { policy: 'round_robin' });
  const engine = await engineFor(t, { models: ['gpt-4o'] });
  await register(rig, { url: engine.url });
  await register(rig, { url: 'https://api.openai.com', api_key: 'sk-stored' });
  for (let i = 0; i < 4; i += 1) assert.equal((await call(rig, 'gpt-4o')).status, 200);
  assert.equal(rig.clouds.openai.seen.filter(({ method }) => method === 'POST').length, 2);
  assert.deepEqual(await modelsOf(rig), [['gpt-4o', 'self_hosted']]);
});

async function allThree(t: TestContext, flags: GatewayFlags = {}): Promise<Clouds> {
  const rig = await cloudsFor(t, flags, { anthropic: ['sk-ant-mine', 'sk-ant-stored'], openai: ['sk-mine'] });
  for (const name of ['anthropic', 'openai', 'gemini'] as const) {
    const headers = flags['controlPlaneApiKeys'] ? bearer(KEYS.admin) : {};
    const body = { url: `https://${HOSTS[name]}` };
    assert.equal((await post(rig.gateway, '/workers?wait=10', body, { headers })).status, 200);
  }
  return rig;
}

test('the list for a caller’s key is asked of its provider alone', async (t) => {
  const rig = await allThree(t);
  const { openai, anthropic, gemini } = rig.clouds;
  assert.deepEqual(await modelsOf(rig, { 'x-api-key': 'sk-ant-mine' }), [['claude-haiku-4-5', 'anthropic']]);
  assert.deepEqual([openai.seen.length, gemini.seen.length], [0, 0]);
  // Of no telling shape: for the first provider that has such keys, and for no other.
  assert.deepEqual(await modelsOf(rig, bearer('sk-mine')), [['gpt-4o', 'far']]);
  assert.deepEqual(anthropic.credentials(), ['x-api-key: sk-ant-mine']);
  assert.deepEqual(openai.credentials(), ['authorization: Bearer sk-mine']);
  assert.deepEqual(gemini.seen, []);
});

test('without a key, with one that shows nothing, and with one for nobody here, the list is our own', async (t) => {
  const rig = await allThree(t);
  const engine = await engineFor(t, { models: ['own'] });
  await register(rig, { url: engine.url });
  const own = [['own', 'self_hosted']];
  for (const headers of [{}, bearer('sk-ant-wrong'), bearer('xai-nobody')])
    assert.deepEqual(await modelsOf(rig, headers), own);
  assert.deepEqual(await modelsOf(rig, bearer('sk-ant-mine')), [['claude-haiku-4-5', 'anthropic']]);
  assert.deepEqual(await modelsOf(rig, bearer('sk-ant-mine'), '?scope=all'), [
    ['claude-haiku-4-5', 'anthropic'],
    ...own,
  ]);
  assert.equal((await fetch(`${rig.gateway.url}/v1/models?scope=some`)).status, 400);
});

test('one model of the caller’s can be asked for by its id, in a form that suits both kinds of clients', async (t) => {
  const rig = await allThree(t);
  const reply = await fetch(`${rig.gateway.url}/v1/models/claude-haiku-4-5`, { headers: bearer('sk-ant-mine') });
  const model = (await reply.json()) as Record<string, unknown>;
  assert.deepEqual(model, {
    id: 'claude-haiku-4-5',
    object: 'model',
    created: 1_770_163_200,
    owned_by: 'anthropic',
    type: 'model',
    display_name: 'claude-haiku-4-5',
    created_at: '2026-02-04T00:00:00Z',
  });
  assert.equal((await fetch(`${rig.gateway.url}/v1/models/claude-haiku-4-5`)).status, 404);
});

test('where calls need a key, a list is asked for with x-smg-provider-key only, and by those who may call', async (t) => {
  const rig = await allThree(t, keyFlags('api', 'control'));
  const provider = { 'x-smg-provider-key': 'sk-ant-mine' };
  assert.deepEqual(await modelsOf(rig, { ...bearer(KEYS.api), ...provider }), [['claude-haiku-4-5', 'anthropic']]);
  for (const headers of [bearer('sk-ant-mine'), provider, bearer(KEYS.api), bearer(`${KEYS.api}x`)])
    assert.deepEqual(await modelsOf(rig, headers), []);
  assert.deepEqual(rig.clouds.anthropic.credentials(), ['x-api-key: sk-ant-mine']);
  const ours = { ...bearer(KEYS.api), 'x-smg-provider-key': KEYS.api };
  assert.equal((await fetch(`${rig.gateway.url}/v1/models`, { headers: ours })).status, 400);
});

test('a provider that was meant otherwise is told of', async (t) => {
  const { gateway } = await cloudsFor(t);
  const reply = await post(gateway, '/workers', { url: 'https://mine.example', provider: 'opnai', models: ['m'] });
  assert.match(((await reply.json()) as { message: string }).message, /did you mean openai\?$/);
});

test('while its calls fail a provider is shown as unwell, and is asked whether it is there', async (t) => {
  const rig = await cloudsFor(t, { cbFailureThreshold: 2, disableRetries: true });
  const away = await cloudFor(t, { form: 'openai', models: ['gone'], failsCalls: true });
  await register(rig, { url: away.url, provider: 'openai', api_key: 'sk-stored' });
  for (let i = 0; i < 2; i += 1) assert.equal((await call(rig, 'gone')).status, 500);
  const { workers } = (await (await fetch(`${rig.gateway.url}/workers`)).json()) as {
    workers: Record<string, unknown>[];
  };
  assert.deepEqual([workers[0]?.['circuit_breaker'], workers[0]?.['is_healthy']], ['open', false]);
  const lists = () => away.seen.filter(({ method }) => method === 'GET').length;
  while (lists() < 2) await new Promise((resolve) => setImmediate(resolve));
  // Nobody is sent there for his models either.
  assert.deepEqual(await modelsOf(rig, bearer('sk-mine')), [['gone', 'openai']]);
  assert.deepEqual(away.credentials(), ['authorization: Bearer sk-stored']);
});

test('a mapped host may be below a path of a relay, and for one port only', async (t) => {
  const relay = await cloudFor(t, { form: 'openai', models: ['m'], listPath: '/relay/base/v1/models' });
  const rig = await cloudsFor(t, { mapHost: [`cloud.example:8443=${relay.url}/relay/`] });
  const shown = await register(rig, { url: 'https://cloud.example:8443/base/v1', provider: 'mine', api_key: 'k' });
  assert.deepEqual([shown['url'], shown['models']], ['https://cloud.example:8443/base', ['m']]);
  assert.equal((await call(rig, 'm')).status, 200);
  assert.deepEqual(
    relay.seen.map(({ url }) => url),
    ['/relay/base/v1/models', '/relay/base/v1/chat/completions'],
  );
});

test('a chain passes over a model for which the call has no key, and asks it when one comes', async (t) => {
  const modelAlias = ['fast=gpt-4o-mini,claude-haiku-4-5', 'bare=gpt-4o-mini,gpt-4.1'];
  const openai = await startProvider({ kind: 'openai', keys: ['sk-proj-mine'] });
  const anthropic = await startProvider({ kind: 'anthropic', keys: ['sk-ant-stored', 'sk-ant-mine'] });
  t.after(() => Promise.all([openai.close(), anthropic.close()]));
  const mapHost = [`${HOSTS.openai}=${openai.url}`, `${HOSTS.anthropic}=${anthropic.url}`];
  const gateway = await gatewayFor(t, [], { enableIgw: true, mapHost, modelAlias });
  const rig = { gateway };
  await register(rig, { url: 'https://api.openai.com' });
  await register(rig, { url: 'https://api.anthropic.com', api_key: 'sk-ant-stored' });
  const ask = async (model: string, headers: Record<string, string> = {}): Promise<unknown> => {
    const reply = await call(rig, model, { 'x-smg-explain': 'true', ...headers });
    const chain = /chain=\S+/.exec(reply.headers.get('x-smg-decision') ?? '')?.[0];
    return [reply.status, reply.headers.get('x-smg-model'), chain];
  };
  assert.deepEqual(await ask('fast'), [200, 'claude-haiku-4-5', 'chain=gpt-4o-mini:no_key']);
  assert.deepEqual(await ask('fast', bearer('sk-ant-mine')), [200, 'claude-haiku-4-5', 'chain=gpt-4o-mini:no_key']);
  assert.deepEqual(await ask('fast', bearer('sk-proj-mine')), [200, 'gpt-4o-mini', undefined]);
  assert.deepEqual(
    await ask('bare'),
    [401, 'gpt-4.1', 'chain=gpt-4o-mini:no_key'],
    'the last one says what is missing',
  );
});

test('a cloud without a key serves those who bring one; all others stay with who can do without', async (t) => {
  const engine = await engineFor(t, { models: ['shared'] });
  const rig = await cloudsFor(t, {}, { openai: ['sk-proj-mine'] });
  await register(rig, { url: engine.url, priority: 10 });
  const cloud = await register(rig, { url: 'https://api.openai.com', priority: 90, models: ['shared'] });
  const worker = async (headers: Record<string, string> = {}) =>
    (await call(rig, 'shared', headers)).headers.get('x-smg-worker') === cloud['id'];
  assert.deepEqual([await worker(), await worker(bearer('sk-proj-mine'))], [false, true]);
});

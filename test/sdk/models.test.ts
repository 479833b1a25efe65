/** The list of models, read by the official clients, unpatched: each with a key of its own provider, and with none. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { Gateway } from '../../src/app/build.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import { allReady, engineFor, gatewayFor } from '../support/rig.ts';

const CLOUDS = [
  { kind: 'openai', host: 'api.openai.com', key: 'sk-proj-mine', models: ['gpt-4o-mini', 'gpt-4.1'] },
  {
    kind: 'anthropic',
    host: 'api.anthropic.com',
    key: 'sk-ant-mine',
    models: ['claude-haiku-4-5', 'claude-sonnet-4-5'],
  },
  { kind: 'gemini', host: 'generativelanguage.googleapis.com', key: 'AQ.mine', models: ['gemini-2.5-flash'] },
] as const;

/** An engine, and workers of providers without keys. */
async function gatewayOf(t: TestContext): Promise<Gateway> {
  const mapHost: string[] = [];
  for (const { kind, host, key, models } of CLOUDS) {
    const provider = await startProvider({ kind, keys: [key], models });
    t.after(() => provider.close());
    mapHost.push(`${host}=${provider.url}`);
  }
  const engine = await engineFor(t, { models: ['own'] });
  const gateway = await gatewayFor(t, [engine.url, ...CLOUDS.map(({ host }) => `https://${host}`)], { mapHost });
  await allReady(gateway, 1 + CLOUDS.length);
  return gateway;
}

test('the client of OpenAI lists and gets the models of its key', async (t) => {
  const { url } = await gatewayOf(t);
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-proj-mine', maxRetries: 0 });
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, CLOUDS[0].models);
  const model = await client.models.retrieve('gpt-4o-mini');
  assert.deepEqual([model.object, typeof model.created, typeof model.owned_by], ['model', 'number', 'string']);
  await assert.rejects(client.models.retrieve('claude-haiku-4-5'), OpenAI.NotFoundError);
});

test('the client of Anthropic lists and gets the models of its key', async (t) => {
  const { url } = await gatewayOf(t);
  const client = new Anthropic({ baseURL: url, apiKey: 'sk-ant-mine', maxRetries: 0 });
  const ids: string[] = [];
  for await (const model of client.models.list({ limit: 1 })) ids.push(model.id);
  assert.deepEqual(ids, CLOUDS[1].models);
  const model = await client.models.retrieve('claude-haiku-4-5');
  assert.deepEqual([model.type, typeof model.display_name], ['model', 'string']);
  assert.ok(Number.isFinite(Date.parse(model.created_at)));
});

test('the client of Google lists and gets the models of its key', async (t) => {
  const { url } = await gatewayOf(t);
  const client = new GoogleGenAI({ apiKey: 'AQ.mine', httpOptions: { baseUrl: url } });
  const names: (string | undefined)[] = [];
  for await (const model of await client.models.list()) names.push(model.name);
  assert.deepEqual(names, ['models/gemini-2.5-flash']);
  const model = await client.models.get({ model: 'gemini-2.5-flash' });
  assert.deepEqual([model.name, typeof model.inputTokenLimit], ['models/gemini-2.5-flash', 'number']);
});

test('all of them read what the gateway has itself', async (t) => {
  const { url } = await gatewayOf(t);
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'gsk_for-nobody-here', maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: url, apiKey: 'gsk_for-nobody-here', maxRetries: 0 });
  assert.deepEqual(
    (await openai.models.list()).data.map(({ id, owned_by: owner }) => [id, owner]),
    [['own', 'self_hosted']],
  );
  const page = await anthropic.models.list();
  assert.deepEqual([page.data.map(({ id }) => id), page.has_more, page.last_id], [['own'], false, 'own']);
  const google = new GoogleGenAI({ apiKey: 'gsk_for-nobody-here', httpOptions: { baseUrl: url } });
  assert.equal((await google.models.list()).page[0]?.name, 'models/own');
});

test('the client of Google embeds with a model of Gemini', async (t) => {
  const provider = await startProvider({ kind: 'gemini', keys: ['AQ.mine'], models: ['gemini-embedding-001'] });
  t.after(() => provider.close());
  const mapHost = [`generativelanguage.googleapis.com=${provider.url}`];
  const gateway = await gatewayFor(t, ['https://generativelanguage.googleapis.com'], { mapHost });
  await allReady(gateway, 1);
  const client = new GoogleGenAI({ apiKey: 'AQ.mine', httpOptions: { baseUrl: gateway.url } });
  const contents = ['one', 'two'];
  const { embeddings = [] } = await client.models.embedContent({ model: 'gemini-embedding-001', contents });
  assert.equal(embeddings.filter(({ values = [] }) => values.length > 0).length, 2);
});

/** The data of the providers, and what is made of it: whose a worker is, where its APIs are, whose a model is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWorkerUrl } from '../worker-url.ts';
import type { Runtime } from '../worker.ts';
import { providerNamed, providerOf, providers } from './index.ts';
import { mistral } from './mistral.ts';
import { nameAtProvider, ownersOf } from './model-names.ts';
import { apiOf, listingPathOf, upstreamPathOf } from './path.ts';
import type { Provider } from './provider.ts';
import { xai } from './xai.ts';

function ofUrl(url: string, rest: { provider?: string; runtime?: Runtime } = {}): Provider | undefined {
  return providerOf({ url, provider: rest.provider, runtime: rest.runtime });
}

test('every provider is listed once, with a name that a worker may have, and with data that fits together', () => {
  assert.equal(new Set(providers.map(({ name }) => name)).size, providers.length);
  for (const { name, url, hosts, basePath, apis, keyShapes, models, vendors, listing } of providers) {
    assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
    if (url !== undefined) assert.equal(ofUrl(url)?.name, name);
    for (const host of hosts) assert.match(host, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
    for (const path of [basePath, ...apis.map((api) => api.path), listing?.path ?? '/']) assert.match(path, /^(\/|$)/);
    assert.ok(apis.length > 0 && new Set(apis.map(({ protocol }) => protocol)).size === apis.length);
    assert.ok(keyShapes.every((shape) => shape.length >= 3));
    assert.ok(models === undefined || (!models.global && !models.test('')));
    assert.ok(vendors.every((vendor) => !vendor.includes('/')));
  }
});

const owners: readonly (readonly [url: string, rest: { provider?: string; runtime?: Runtime }, name?: string])[] = [
  ['https://api.openai.com', {}, 'openai'],
  ['https://eu.api.openai.com', {}, 'openai'],
  ['https://notopenai.com', {}],
  ['https://api.openai.com.evil.org', {}],
  ['https://evil.org/api.openai.com', {}],
  ['api.openai.com', {}, 'openai'],
  ['api.anthropic.com:443', {}, 'anthropic'],
  ['https://api.x.ai', {}, 'xai'],
  ['https://max.ai', {}],
  ['https://generativelanguage.googleapis.com', {}, 'gemini'],
  ['https://storage.googleapis.com', {}],
  ['https://mine.openai.azure.com', {}, 'azure'],
  ['https://api.groq.com/openai', {}, 'groq'],
  ['http://localhost:8000', { provider: 'anthropic' }, 'anthropic'],
  ['https://api.openai.com', { provider: 'groq' }, 'groq'],
  ['https://api.openai.com', { provider: 'my-cloud' }, 'my-cloud'],
  ['http://localhost:8000', { provider: 'my-cloud', runtime: 'external' }, 'my-cloud'],
  ['http://localhost:8000', { provider: 'my-cloud' }],
  ['http://localhost:8000', {}],
  ['http://localhost:8000', { runtime: 'external' }, 'compatible'],
  ['https://relay.example', { runtime: 'external' }, 'openai'],
  ['https://relay.example', {}],
  ['http://localhost:8000', { runtime: 'sglang', provider: 'openai' }],
  ['https://api.openai.com', { runtime: 'vllm' }],
];

for (const [url, rest, name] of owners) {
  test(`${url} ${JSON.stringify(rest)} is ${name ?? 'a self-hosted engine'}`, () => {
    assert.equal(ofUrl(url, rest)?.name, name);
  });
}

/** From the URL as a person writes it to the URL that a call of chat completions goes to. */
function chatUrl(given: string, provider?: string, model = 'm'): string {
  const reading = readWorkerUrl(given);
  assert.ok(reading.ok, given);
  const { url } = reading;
  const address = { url, provider: ofUrl(url, provider === undefined ? {} : { provider }) };
  const api = apiOf(address.provider, 'openai-chat');
  assert.ok(api, given);
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/$/, '') + upstreamPathOf(address, api, model, false);
}

const places: readonly (readonly [given: string, called: string, provider?: string])[] = [
  ['https://api.openai.com', 'https://api.openai.com/v1/chat/completions'],
  ['https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
  ['https://api.openai.com/v1/', 'https://api.openai.com/v1/chat/completions'],
  ['https://api.groq.com', 'https://api.groq.com/openai/v1/chat/completions'],
  ['https://api.groq.com/openai', 'https://api.groq.com/openai/v1/chat/completions'],
  ['https://api.groq.com/openai/v1', 'https://api.groq.com/openai/v1/chat/completions'],
  ['https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/chat/completions'],
  ['https://openrouter.ai', 'https://openrouter.ai/api/v1/chat/completions'],
  ['https://api.fireworks.ai/inference/v1', 'https://api.fireworks.ai/inference/v1/chat/completions'],
  ['https://relay/groq/v1', 'https://relay/groq/v1/chat/completions', 'groq'],
  ['http://localhost:11434/v1', 'http://localhost:11434/v1/chat/completions', 'ollama'],
  ['https://api.perplexity.ai', 'https://api.perplexity.ai/chat/completions'],
  ['https://a.openai.azure.com', 'https://a.openai.azure.com/openai/v1/chat/completions'],
  ['https://a.openai.azure.com/openai/v1/', 'https://a.openai.azure.com/openai/v1/chat/completions'],
  [
    'https://a.openai.azure.com?api-version=2025-01-01-preview',
    'https://a.openai.azure.com/openai/deployments/m/chat/completions?api-version=2025-01-01-preview',
  ],
  [
    'https://a.openai.azure.com/openai?api-version=2024-06-01',
    'https://a.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-06-01',
  ],
  [
    'https://a.openai.azure.com/openai/deployments/four/chat/completions?api-version=2024-06-01',
    'https://a.openai.azure.com/openai/deployments/four/chat/completions?api-version=2024-06-01',
  ],
  [
    'https://a.openai.azure.com/openai/deployments/four',
    'https://a.openai.azure.com/openai/deployments/four/chat/completions?api-version=2024-10-21',
  ],
];

for (const [given, called, provider] of places) {
  test(`${given}${provider === undefined ? '' : ` of ${provider}`} is called at ${called}`, () => {
    assert.equal(chatUrl(given, provider), called);
  });
}

test('Gemini is called at the path of its model, encoded, and streams have a path of their own', () => {
  for (const given of [
    'https://generativelanguage.googleapis.com',
    'https://generativelanguage.googleapis.com/v1beta/',
  ]) {
    const reading = readWorkerUrl(given);
    assert.ok(reading.ok);
    const address = { url: reading.url, provider: ofUrl(reading.url) };
    const api = apiOf(address.provider, 'gemini');
    assert.ok(api);
    const path = (model: string, isStream = false) => upstreamPathOf(address, api, model, isStream);
    assert.equal(path('gemini-2.5-pro'), '/v1beta/models/gemini-2.5-pro:generateContent');
    assert.equal(path('models/gemini-2.5-pro', true), '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse');
    assert.equal(path('tunedModels/mine'), '/v1beta/tunedModels/mine:generateContent');
    assert.equal(path('a?b#c%$&'), '/v1beta/models/a%3Fb%23c%25%24%26:generateContent');
    assert.equal(listingPathOf(address), '/v1beta/models?pageSize=1000');
  }
});

test('an engine is called where OpenAI’s API has it, and has no Gemini', () => {
  assert.equal(apiOf(undefined, 'anthropic-messages')?.path, '/v1/messages');
  assert.equal(apiOf(undefined, 'gemini'), undefined);
  assert.equal(listingPathOf({ url: 'http://w', provider: undefined }), undefined);
});

const names: readonly (readonly [model: string, ...owners: string[]])[] = [
  ['gpt-4o', 'openai', 'azure'],
  ['chatgpt-4o-latest', 'openai', 'azure'],
  ['o1-mini', 'openai', 'azure'],
  ['o4-mini', 'openai', 'azure'],
  ['codex-mini-latest', 'openai', 'azure'],
  ['text-embedding-3-small', 'openai', 'azure'],
  ['claude-haiku-4-5', 'anthropic'],
  ['grok-4', 'xai'],
  ['gemini-2.5-flash', 'gemini'],
  ['mistral-small-latest', 'mistral'],
  ['anthropic/claude-sonnet-4', 'anthropic'],
  ['openai/gpt-4o', 'openai'],
  ['azure/gpt-4o', 'azure'],
  ['someone/gpt-4o', 'openai', 'azure'],
  ['x-ai/grok-4', 'xai'],
  ['groq/llama-3.3-70b', 'groq'],
  ['openrouter/auto', 'openrouter'],
  ['meta-llama/Llama-3.1-8B'],
  ['llama'],
  ['ollama'],
  ['opt-125m'],
];

for (const [model, ...expected] of names) {
  test(`${model} belongs to ${expected.join(' and ') || 'nobody'}`, () => {
    assert.deepEqual(
      ownersOf(model, providers).map(({ name }) => name),
      expected,
    );
  });
}

test('a vendor before the slash is not sent, unless the worker lists the name so', () => {
  const at = (name: string, model: string, isListed = false) => nameAtProvider(providerNamed(name), model, isListed);
  assert.equal(at('anthropic', 'anthropic/claude-sonnet-4'), 'claude-sonnet-4');
  assert.equal(at('openai', 'someone/gpt-4o'), 'gpt-4o');
  assert.equal(at('groq', 'groq/meta-llama/llama-4'), 'meta-llama/llama-4');
  assert.equal(at('groq', 'meta-llama/llama-4'), 'meta-llama/llama-4');
  assert.equal(at('openrouter', 'openrouter/auto'), 'openrouter/auto');
  assert.equal(at('openrouter', 'openai/gpt-4o'), 'openai/gpt-4o');
  assert.equal(at('fireworks', 'accounts/fireworks/models/x'), 'accounts/fireworks/models/x');
  assert.equal(at('openai', 'openai/gpt-4o', true), 'openai/gpt-4o');
  assert.equal(at('openai', 'openai/'), 'openai/');
  assert.equal(nameAtProvider(undefined, 'openai/gpt-oss', false), 'openai/gpt-oss');
});

test('reasoning models of xAI are sent no stop sequences and no penalties, its others are', () => {
  const refusedBy = (model: string) => xai.quirks.filter(({ models }) => models?.test(model)).map(({ name }) => name);
  for (const model of ['grok-4', 'grok-4-1-fast-reasoning', 'grok-3-mini', 'grok-code-fast-1'])
    assert.deepEqual(refusedBy(model), ['stop', 'presence_penalty', 'frequency_penalty'], model);
  for (const model of ['grok-3', 'grok-4.20-non-reasoning', 'grok-2']) assert.deepEqual(refusedBy(model), [], model);
});

test('Mistral is sent no names of participants, which it refuses', () => {
  assert.ok(mistral.quirks.some(({ name, act }) => name === 'messages[].name' && act === 'remove'));
});

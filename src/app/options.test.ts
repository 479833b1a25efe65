/** The workers of the start: whose they are, and with which key each is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import type { Sources } from '../config/resolve.ts';
import { workerSpecs } from './options.ts';

const ENV = { OPENAI_API_KEY: 'sk-proj-env', ANTHROPIC_API_KEY: ' sk-ant-env\n', GOOGLE_API_KEY: 'AIza-env' };

function specs(sources: Sources): (string | undefined)[][] {
  const loaded = loadConfig(sources);
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.join('\n'));
  return workerSpecs(loaded.config).map(({ url, provider, apiKey }) => [url, provider, apiKey]);
}

const flags = (workerUrls: readonly string[], rest: object = {}) => ({ workerUrls, ...rest });

test('workers of providers take the key of their provider from the environment, engines take --worker-api-key', () => {
  const urls = ['http://w:1', 'https://api.openai.com/v1', 'https://api.anthropic.com', 'https://api.x.ai'];
  assert.deepEqual(specs({ flags: flags(urls, { workerApiKey: 'mine' }), env: ENV }), [
    ['http://w:1', undefined, 'mine'],
    ['https://api.openai.com', undefined, 'sk-proj-env'],
    ['https://api.anthropic.com', undefined, 'sk-ant-env'],
    ['https://api.x.ai', undefined, undefined],
  ]);
});

test('the second name of a variable counts when the first is not set', () => {
  const gemini = ['https://generativelanguage.googleapis.com'];
  assert.equal(specs({ flags: flags(gemini), env: ENV })[0]?.[2], 'AIza-env');
  assert.equal(specs({ flags: flags(gemini), env: { ...ENV, GEMINI_API_KEY: 'AIza-1' } })[0]?.[2], 'AIza-1');
});

test('--worker-api-key goes to a provider only where it can be meant for nobody else', () => {
  const key = (urls: readonly string[], workerApiKey: string) =>
    specs({ flags: flags(urls, { workerApiKey }) }).map((s) => s[2]);
  assert.deepEqual(key(['https://api.groq.com'], 'any'), ['any']);
  assert.deepEqual(key(['https://api.groq.com', 'http://w'], 'any'), [undefined, 'any']);
  assert.deepEqual(key(['https://api.groq.com', 'https://api.x.ai'], 'xai-1'), [undefined, 'xai-1']);
});

test('--backend says whose API it is where the host does not, and alone means the provider itself', () => {
  const urls = ['https://relay.example', 'https://api.anthropic.com'];
  assert.deepEqual(specs({ flags: flags(urls, { backend: 'openai' }), env: ENV }), [
    ['https://relay.example', 'openai', 'sk-proj-env'],
    ['https://api.anthropic.com', undefined, 'sk-ant-env'],
  ]);
  assert.deepEqual(specs({ flags: { backend: 'anthropic' }, env: ENV }), [
    ['https://api.anthropic.com', undefined, 'sk-ant-env'],
  ]);
  assert.deepEqual(specs({ flags: flags(['http://w:1'], { backend: 'sglang' }) }), [
    ['http://w:1', undefined, undefined],
  ]);
});

test('workers of the file take keys alike, unless they have their own; a stranger gets none of OpenAI’s', () => {
  const workers = [
    { url: 'https://api.openai.com', api_key: 'own' },
    { url: 'https://eu.api.openai.com' },
    { url: 'https://relay.example', runtime: 'external' },
    { url: 'http://w:1', provider: 'gemini' },
  ];
  assert.deepEqual(
    specs({ flags: { workers }, env: ENV }).map((spec) => spec[2]),
    ['own', 'sk-proj-env', undefined, 'AIza-env'],
  );
});

test('what can be no key is told without being shown, and ignored', () => {
  const loaded = loadConfig({ flags: { backend: 'openai' }, env: { OPENAI_API_KEY: 'CANARY 1', XAI_API_KEY: '' } });
  assert.ok(loaded.ok);
  assert.equal(loaded.config.providerKeys.size, 0);
  assert.deepEqual(loaded.warnings, [
    'environment variable OPENAI_API_KEY: the value (not shown) can be no key, it is ignored',
  ]);
});

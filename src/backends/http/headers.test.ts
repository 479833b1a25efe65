/** What travels in the headers of a call: to a provider in its own form, to an engine as it came; one credential. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpstreamRequest } from '../../domain/ports.ts';
import { providerNamed, providers } from '../../domain/providers/index.ts';
import { upstreamHeaders } from './headers.ts';

const CLIENT = {
  accept: 'application/json',
  'content-type': 'application/json; charset=utf-8',
  authorization: 'Bearer client',
  'x-api-key': 'client',
  'x-goog-api-key': 'client',
  'api-key': 'client',
  'x-smg-provider-key': 'client',
  'x-smg-routing-key': 'session',
  'x-smg-priority': 'interactive',
  'x-smg-target-worker': '0',
  cookie: 'a=b',
  host: 'gateway',
  'user-agent': 'client',
  baggage: 'user=me',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'x-correlation-id': 'c',
  'x-request-id-span': 's',
  'anthropic-version': '2024-01-01',
  'anthropic-beta': 'files-api',
  'openai-organization': 'org',
  'openai-beta': 'assistants=v2',
  'x-grok-conv-id': 'conv',
  'http-referer': 'https://site',
  'x-title': 'site',
  'x-stainless-lang': 'js',
} as const;

const BASIS: UpstreamRequest = {
  method: 'POST',
  path: '/v1/x',
  clientHeaders: CLIENT,
  requestId: 'req-1',
  key: 'the-key',
  body: Buffer.from('{}'),
};

function sent(name: string | undefined, change: Partial<UpstreamRequest> = {}): Record<string, string> {
  const provider = name === undefined ? undefined : providerNamed(name);
  const list = upstreamHeaders({ ...BASIS, ...change }, provider);
  const names = list.filter((_, at) => at % 2 === 0);
  assert.equal(new Set(names).size, names.length, 'no name twice');
  return Object.fromEntries(names.map((each, at) => [each, list[at * 2 + 1] ?? '']));
}

const USUAL = {
  'user-agent': 'smg',
  'x-request-id': 'req-1',
  accept: CLIENT.accept,
  'content-type': CLIENT['content-type'],
  traceparent: CLIENT.traceparent,
};

const forms: Readonly<Record<string, Record<string, string>>> = {
  openai: { authorization: 'Bearer the-key', 'openai-organization': 'org', 'openai-beta': 'assistants=v2' },
  anthropic: { 'x-api-key': 'the-key', 'anthropic-version': '2024-01-01', 'anthropic-beta': 'files-api' },
  gemini: { 'x-goog-api-key': 'the-key' },
  xai: { authorization: 'Bearer the-key', 'x-grok-conv-id': 'conv' },
  azure: { 'api-key': 'the-key' },
  groq: { authorization: 'Bearer the-key' },
  openrouter: {
    authorization: 'Bearer the-key',
    'http-referer': 'https://site',
    'x-title': 'site',
    'anthropic-version': '2024-01-01',
    'anthropic-beta': 'files-api',
  },
};

for (const [name, own] of Object.entries(forms)) {
  test(`${name} gets its key in its own header, its own headers, and nothing of the house`, () => {
    assert.deepEqual(sent(name, { isCallersKey: true }), { ...USUAL, ...own });
  });
}

test('every provider gets exactly one credential, and none when there is no key', () => {
  const carriers = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'x-smg-provider-key'];
  const credentials = (name: string, key: string | undefined) =>
    Object.entries(sent(name, { key })).filter(([header]) => carriers.includes(header));
  for (const { name } of providers) {
    assert.equal(credentials(name, 'k').length, 1, name);
    assert.deepEqual(credentials(name, undefined), [], name);
  }
});

test('a header that the provider must have is added unless the client sends its own', () => {
  const { 'anthropic-version': _, ...without } = CLIENT;
  assert.equal(sent('anthropic', { clientHeaders: without })['anthropic-version'], '2023-06-01');
  assert.equal(sent('anthropic', { clientHeaders: {} })['content-type'], 'application/json');
  assert.equal(sent('anthropic', { clientHeaders: {}, body: undefined })['content-type'], undefined);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal(sent('openai', { clientHeaders: form })['content-type'], 'application/json');
});

test('an engine gets what it always got', () => {
  assert.deepEqual(sent(undefined, { rank: 1 }), {
    'x-request-id': 'req-1',
    authorization: 'Bearer the-key',
    'x-data-parallel-rank': '1',
    accept: CLIENT.accept,
    'content-type': CLIENT['content-type'],
    'x-smg-routing-key': 'session',
    baggage: 'user=me',
    traceparent: CLIENT.traceparent,
    'x-correlation-id': 'c',
    'x-request-id-span': 's',
    'anthropic-version': '2024-01-01',
    'anthropic-beta': 'files-api',
  });
});

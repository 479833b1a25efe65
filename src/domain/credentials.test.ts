/** Which key goes to which worker: one that names a cloud never reaches a worker of another owner. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import {
  callerKeyFor,
  callerKeyOf,
  credentialsOf,
  digestOfKey,
  keyFor,
  lacksKey,
  providerOfKey,
} from './credentials.ts';
import { providers } from './providers/index.ts';
import type { Worker } from './worker.ts';

const shapes: readonly (readonly [string, string | undefined])[] = [
  ['sk-ant-api03-abc', 'anthropic'],
  ['sk-proj-abc', 'openai'],
  ['sk-svcacct-abc', 'openai'],
  ['sk-or-v1-abc', 'openrouter'],
  ['gsk_abc', 'groq'],
  ['pplx-abc', 'perplexity'],
  ['xai-abc', 'xai'],
  ['AQ.Ab8', 'gemini'],
  ['AIzaSyAbc', 'gemini'],
  ['sk-abc', undefined],
  ['sk-an', undefined],
  ['my-sk-ant-abc', undefined],
  ['aiza', undefined],
  ['XAI-abc', undefined],
  ['token', undefined],
];

for (const [key, provider] of shapes) {
  test(`a key that begins like ${JSON.stringify(key)} names ${provider ?? 'no provider'}`, () => {
    assert.equal(providerOfKey(key), provider);
  });
}

const own = workerOf('own', { spec: { apiKey: 'stored' } });
const cloud = (provider: string, apiKey?: string): Worker =>
  workerOf(provider, { spec: { provider, runtime: 'external', apiKey } });

test('the caller’s key is sent before the worker’s stored one', () => {
  assert.equal(keyFor(own, 'mine'), 'mine');
  assert.equal(keyFor(own, undefined), 'stored');
  assert.equal(keyFor(cloud('openai', 'stored'), 'sk-mine'), 'sk-mine');
});

test('a key whose shape names a provider goes to its workers only; others are asked with the stored key, or none', () => {
  const keys = providers.flatMap(({ keyShapes }) => keyShapes.map((beginning) => `${beginning}secret`));
  assert.ok(keys.length > 8);
  for (const key of keys) {
    const named = providerOfKey(key);
    for (const { name } of [...providers, { name: 'my-cloud' }]) {
      // Even a call that has been at a provider of that name does not carry it elsewhere.
      for (const boundTo of [undefined, name, named]) {
        assert.equal(keyFor(cloud(name, 'stored'), key, boundTo), name === named ? key : 'stored', `${key} ${name}`);
        assert.equal(keyFor(cloud(name), key, boundTo), name === named ? key : undefined);
      }
    }
    assert.equal(keyFor(own, key), 'stored');
    assert.equal(keyFor(workerOf('w'), key), undefined);
  }
});

test('a key of no telling shape goes to self-hosted workers, and to the first provider of its call alone', () => {
  assert.equal(keyFor(cloud('groq', 'stored'), 'plain', undefined), 'plain');
  assert.equal(keyFor(cloud('groq', 'stored'), 'plain', 'groq'), 'plain');
  assert.equal(keyFor(cloud('openai', 'stored'), 'plain', 'groq'), 'stored');
  assert.equal(keyFor(cloud('openai'), 'plain', 'groq'), undefined);
  assert.equal(keyFor(cloud('my-cloud'), 'plain', 'other-cloud'), undefined);
  assert.equal(keyFor(own, 'plain', 'groq'), 'plain');
});

test('no key is made up where there is none', () => {
  assert.equal(callerKeyFor(own, undefined, undefined), undefined);
  assert.equal(keyFor(workerOf('w'), undefined), undefined);
});

test('the digest is that of the key that is really sent', () => {
  const digest = (worker: Worker, callerKey: string | undefined, boundTo?: string) =>
    digestOfKey(worker, { callerKey, boundTo }, (key) => (key === 'zero' ? 0 : key.length));
  assert.equal(digest(own, undefined), 0);
  assert.equal(digest(own, 'plain'), 5);
  assert.equal(digest(own, 'zero'), 1);
  assert.equal(digest(own, 'sk-ant-secret'), 0);
  assert.equal(digest(cloud('openai', 'stored'), 'plain', 'groq'), 0);
});

test('the keys of a request are read from three headers, bearer first', () => {
  const headers = { 'x-goog-api-key': 'g', 'x-api-key': 'x', authorization: 'bearer b' };
  assert.deepEqual(credentialsOf(headers), ['b', 'x', 'g']);
  assert.deepEqual(credentialsOf({ authorization: 'Basic abc', 'x-api-key': '' }), []);
  assert.deepEqual(credentialsOf({ authorization: 'Bearer a, Bearer b', 'x-api-key': 'a, b' }), []);
});

test('the caller’s key for the worker is the one sent as such; else what its SDK sends, unless that is ours', () => {
  const headers = { authorization: 'Bearer sdk', 'x-smg-provider-key': 'own' };
  assert.equal(callerKeyOf(headers, true), 'own');
  assert.equal(callerKeyOf(headers, false), 'own');
  assert.equal(callerKeyOf({ authorization: 'Bearer sdk' }, true), undefined);
  assert.equal(callerKeyOf({ authorization: 'Bearer sdk' }, false), 'sdk');
  assert.equal(callerKeyOf({ authorization: 'Bearer sdk', 'x-smg-provider-key': 'a, b' }, true), undefined);
});

test('a word that stands for no key is none: the stored key is sent', () => {
  for (const word of ['none', 'EMPTY', 'dummy', 'not-needed', 'sk-no-key-required']) {
    assert.equal(callerKeyOf({ authorization: `Bearer ${word}` }, false), undefined, word);
    assert.equal(callerKeyOf({ 'x-api-key': word }, false), undefined, word);
    assert.equal(callerKeyOf({ authorization: `Bearer ${word}`, 'x-api-key': 'mine' }, false), 'mine', word);
  }
  assert.equal(callerKeyOf({ authorization: 'Bearer nonesuch' }, false), 'nonesuch');
  // What is sent as the key for the worker is meant, whatever it is.
  assert.equal(callerKeyOf({ 'x-smg-provider-key': 'none' }, false), 'none');
});

test('a key is lacked where a provider at its own host wants one and none may be sent', () => {
  const at = (url: string, provider?: string, apiKey?: string) =>
    workerOf(url, { spec: { url, apiKey, ...(provider === undefined ? {} : { provider, runtime: 'external' }) } });
  const openai = at('https://api.openai.com', 'openai');
  assert.equal(lacksKey(openai, undefined), true);
  assert.equal(lacksKey(openai, 'sk-ant-mine'), true);
  assert.equal(lacksKey(openai, 'sk-mine'), false);
  assert.equal(lacksKey(openai, 'sk-mine', 'anthropic'), true, 'it has gone to another one');
  assert.equal(lacksKey(at('https://api.openai.com', 'openai', 'stored'), undefined), false);
  assert.equal(lacksKey(at('https://relay.example', 'openai'), undefined), false, 'a relay may have one');
  assert.equal(lacksKey(at('https://llm.example', 'my-cloud'), undefined), false, 'it may want none');
  assert.equal(lacksKey(at('http://worker1:8000'), undefined), false);
});

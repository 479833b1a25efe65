/** Which key goes to which worker: one that names a cloud never reaches a worker of another owner. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { callerKeyOf, credentialsOf, keyFor, keyForOwnWorkers, providerOfKey } from './credentials.ts';

const shapes: readonly (readonly [string, string | undefined])[] = [
  ['sk-ant-api03-abc', 'anthropic'],
  ['sk-proj-abc', 'openai'],
  ['xai-abc', 'xai'],
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
    assert.equal(keyForOwnWorkers(key), provider === undefined ? key : undefined);
  });
}

test('the caller’s key is sent before the worker’s stored one', () => {
  const worker = workerOf('w', { spec: { apiKey: 'stored' } });
  assert.equal(keyFor(worker, 'mine'), 'mine');
  assert.equal(keyFor(worker, undefined), 'stored');
});

test('a cloud key stays here: the stored key is sent instead, or none', () => {
  assert.equal(keyFor(workerOf('w', { spec: { apiKey: 'stored' } }), 'sk-ant-secret'), 'stored');
  assert.equal(keyFor(workerOf('w'), 'sk-proj-secret'), undefined);
});

test('no key is made up where there is none', () => {
  assert.equal(keyForOwnWorkers(undefined), undefined);
  assert.equal(keyFor(workerOf('w'), undefined), undefined);
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

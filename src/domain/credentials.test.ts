/** Which key goes to which worker: one that names a cloud never reaches a worker of another owner. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { keyFor, keyForOwnWorkers, providerOfKey } from './credentials.ts';

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

/** Which key goes where, and what stands for it in cool-downs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerOf } from '../../test/support/fleet.ts';
import { CallKey } from './call-key.ts';

const own = workerOf('own', { spec: { apiKey: 'stored' } });
const anthropic = workerOf('claude', { spec: { apiKey: 'stored', provider: 'anthropic' } });

function keyOf(callerKey: string | undefined) {
  const hashed: string[] = [];
  const key = new CallKey(callerKey, (text) => hashed.push(text) + 41);
  return { key, hashed };
}

test('without a key of the caller the stored one goes, and nothing is hashed', () => {
  const { key, hashed } = keyOf(undefined);
  assert.deepEqual([key.keyFor(own), key.digestFor(own), hashed.length], ['stored', 0, 0]);
});

test('the caller’s key rests apart from the stored one, and is hashed once', () => {
  const { key, hashed } = keyOf('caller');
  assert.deepEqual([key.keyFor(own), key.digestFor(own), key.digestFor(own)], ['caller', 42, 42]);
  assert.deepEqual(hashed, ['caller']);
});

test('where the caller’s key may not go the stored one rests', () => {
  const { key } = keyOf('xai-caller');
  assert.deepEqual([key.keyFor(own), key.digestFor(own)], ['stored', 0]);
});

test('a key that names a provider goes there, and rests there', () => {
  const { key } = keyOf('sk-ant-caller');
  assert.deepEqual([key.keyFor(anthropic), key.digestFor(anthropic)], ['sk-ant-caller', 42]);
  assert.deepEqual([key.keyFor(own), key.digestFor(own)], ['stored', 0]);
  assert.equal(key.digestFor(anthropic), 42, 'whoever was asked before');
});

test('a call is bound to the provider of the first cloud worker that it was placed on', () => {
  const { key } = keyOf('caller');
  key.placedOn(own);
  assert.equal(key.boundTo, undefined);
  key.placedOn(anthropic);
  const gpt = workerOf('gpt', { spec: { provider: 'openai', apiKey: 'stored' } });
  key.placedOn(gpt);
  assert.deepEqual([key.boundTo, key.keyFor(anthropic), key.digestFor(anthropic)], ['anthropic', 'caller', 42]);
  assert.deepEqual([key.keyFor(gpt), key.digestFor(gpt)], ['stored', 0]);
  assert.deepEqual([key.keyFor(own), key.digestFor(own)], ['caller', 42], 'own workers are nobody else');
});

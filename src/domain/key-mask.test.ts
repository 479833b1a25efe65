import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from './errors.ts';
import { KeyMask } from './key-mask.ts';

const KEY = 'sk-proj-Zq81xT4vLm90RbUw77Kd';

function maskFor(key: string | undefined, body = '{}') {
  return new KeyMask(key, { body: Buffer.from(body), headers: {}, model: 'm', upstreamPath: '/v1/x' });
}

test('takes out the whole key, its beginning and its end, but not the shape that all keys have', () => {
  const mask = maskFor(KEY);
  assert.equal(mask.text(`Key ${KEY} is wrong.`), `Key sk-proj-${'*'.repeat(20)} is wrong.`);
  assert.equal(mask.text('sk-proj-Zq81x***77Kd'), 'sk-proj-********77Kd');
  assert.equal(mask.text('it ends with w77Kd'), 'it ends with *****');
  assert.equal(mask.text('sk-proj-Zq81****77Kd'), 'sk-proj-Zq81****77Kd', 'four of them may be seen');
});

test('leaves every other byte as it was, those that are no text among them', () => {
  const words = Buffer.concat([Buffer.from('né 🙂 '), Buffer.from([0xff, 0x00]), Buffer.from(`"${KEY}"`)]);
  const masked = maskFor(KEY).bytes(words);
  assert.equal(masked.length, words.length);
  assert.deepEqual(masked.subarray(0, 10), words.subarray(0, 10));
  assert.ok(masked.toString('latin1').endsWith(`"sk-proj-${'*'.repeat(20)}"`));
  const other = Buffer.from('nothing of it');
  assert.equal(maskFor(KEY).bytes(other), other);
});

test('leaves what the client has sent itself, so that a guess looks the same whether it is right or wrong', () => {
  const mask = maskFor(KEY, '{"model":"x-1xT4v-y and x-aaaaa-y"}');
  assert.equal(mask.text('No model x-1xT4v-y.'), 'No model x-1xT4v-y.');
  assert.equal(mask.text('No model x-aaaaa-y.'), 'No model x-aaaaa-y.');
  assert.equal(mask.text(KEY), `sk-proj-${'*'.repeat(20)}`, 'more than was guessed');
});

test('changes values of headers and messages of errors', () => {
  const mask = maskFor(KEY);
  assert.deepEqual(mask.headers(['x-why', `bad ${KEY}`, 'x-ok', 'yes']), [
    'x-why',
    `bad sk-proj-${'*'.repeat(20)}`,
    'x-ok',
    'yes',
  ]);
  const error = new GatewayError('rate_limited', `No more for ${KEY}`, { retryAfterSeconds: 3, param: 'p' });
  const masked = mask.error(error);
  assert.equal(masked.message, `No more for sk-proj-${'*'.repeat(20)}`);
  assert.deepEqual([masked.code, masked.retryAfterSeconds, masked.param], ['rate_limited', 3, 'p']);
  assert.equal(mask.error(masked), masked);
});

test('changes nothing without a key', () => {
  const words = Buffer.from(KEY);
  assert.equal(maskFor(undefined).bytes(words), words);
});

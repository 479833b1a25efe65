import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseTarget } from './target.ts';

test('reads host, port and safety of a worker URL', () => {
  assert.deepEqual(parseTarget('grpc://worker-1:50051'), {
    isSecure: false,
    host: 'worker-1',
    port: 50_051,
    authority: 'worker-1:50051',
  });
  assert.deepEqual(parseTarget('grpcs://[::1]:7/'), { isSecure: true, host: '::1', port: 7, authority: '[::1]:7' });
  assert.equal(parseTarget('grpc://worker').port, 80);
  assert.equal(parseTarget('grpcs://worker').port, 443);
});

test('refuses what is no URL of a gRPC worker without repeating it', () => {
  for (const url of ['http://worker:1', 'worker:50051', 'grpc://', '', 'grpc://user:secret word@']) {
    assert.throws(
      () => parseTarget(url),
      (error: Error) => error instanceof TypeError && !error.message.includes('secret'),
    );
  }
});

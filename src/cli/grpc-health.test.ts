/** The look at a starting gRPC engine, tried with a simulated one and with what is none. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import { answersGrpcHealth } from './grpc-health.ts';

const never = new AbortController().signal;

test('an engine serves when its health service says so, and no longer when it is gone', async () => {
  const engine = await startGrpcEngine({ kind: 'vllm', speed: Infinity });
  assert.equal(await answersGrpcHealth(engine.url, never, 5000), true);
  engine.setHealthy(false);
  assert.equal(await answersGrpcHealth(engine.url, never, 5000), false);
  const { url } = engine;
  await engine.close();
  assert.equal(await answersGrpcHealth(url, never, 5000), false);
});

test('a server of another kind is no engine', async (t) => {
  const server = createServer((_request, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.equal(await answersGrpcHealth(`grpc://127.0.0.1:${address.port}`, never, 5000), false);
});

test('a look that is called off ends at once', async () => {
  assert.equal(await answersGrpcHealth('grpc://127.0.0.1:1', AbortSignal.abort(), 5000), false);
});

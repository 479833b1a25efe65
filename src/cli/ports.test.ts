/** Choosing ports: which are left out, and what is free. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { choosePorts, isPortFree } from './ports.ts';

const host = '127.0.0.1';

test('ports are taken from the base on, leaving out those reserved and those taken', async () => {
  const isFree = (_host: string, port: number) => Promise.resolve(port !== 31_001);
  const wish = { host, base: 31_000, count: 3, reserved: [31_002] };
  assert.deepEqual(await choosePorts(wish, isFree), [31_000, 31_003, 31_004]);
});

test('fewer ports are given when the range ends', async () => {
  const wish = { host, base: 65_534, count: 3, reserved: [] };
  assert.deepEqual(await choosePorts(wish, () => Promise.resolve(true)), [65_534, 65_535]);
});

test('base 0 gives ports from anywhere, but none that the system hands out by itself', async () => {
  const isFree = () => Promise.resolve(true);
  const wish = { host, base: 0, count: 2, reserved: [] };
  assert.deepEqual(await choosePorts(wish, isFree, () => 0), [11_000, 11_001]);
  assert.deepEqual(await choosePorts(wish, isFree, () => 0.999_999), [27_999, 28_000]);
  assert.equal(new Set(await choosePorts({ ...wish, count: 4 })).size, 4);
});

test('a port is free when nobody listens on it', async () => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.equal(await isPortFree(host, address.port), false);
  server.close();
  await once(server, 'close');
  assert.equal(await isPortFree(host, address.port), true);
});

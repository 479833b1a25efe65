/**
 * A worker in a process of its own that answers its probes and then, on a message, stops doing anything at all while
 * its listener stays open with the shortest queue: once that is full, a connection attempt hangs in the kernel.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  const answer = request.url === '/v1/models' ? { object: 'list', data: [{ id: 'sim-model', owned_by: 'vllm' }] } : {};
  // No connection is kept, so that every later call must connect anew.
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(answer));
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});

process.on('message', () => {
  process.send?.('blocked', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});

/**
 * The yardstick: the least a proxy on node:http and undici can do, written to be as fast as public API allows.
 * Shapes  argv: --upstream http://127.0.0.1:P (twice or more, round robin) → IPC { port }
 * Does    collects the body, forwards method, path, content-type and body; gives back status, content-type and
 *         the bytes with back-pressure; cancels the upstream request when the client leaves. Nothing else.
 * Errors  upstream failure before the head: 502; after it: the connection is cut
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { type Dispatcher, Pool } from 'undici';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

const { values } = parseArgs({ options: { upstream: { type: 'string', multiple: true, default: [] } } });
const pools = values.upstream.map((url) => new Pool(url, { headersTimeout: 0, bodyTimeout: 0, allowH2: false }));
let turn = 0;

function nextPool(): Pool {
  turn = turn + 1 < pools.length ? turn + 1 : 0;
  const pool = pools[turn];
  if (pool === undefined) throw new Error('--upstream is missing');
  return pool;
}

/** Carries one answer back; a dispatch handler of undici 8. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  #controller: Dispatcher.DispatchController | undefined;
  /** Bytes still to come when the length is known; -1 when it is not. */
  #left = -1;
  #held: Buffer | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('close', () => {
      if (!response.writableFinished) this.#controller?.abort(new Error('client left'));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.destroyed) controller.abort(new Error('client left'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    const type = headers['content-type'];
    const length = headers['content-length'];
    const out = typeof type === 'string' ? ['content-type', type] : [];
    if (typeof length === 'string') {
      this.#left = Number(length);
      out.push('content-length', length);
    }
    // Node keeps the head until the first body byte, so that both leave in one write.
    this.#response.writeHead(status, out);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#left === chunk.length) {
      this.#held = chunk;
      return;
    }
    if (this.#left > 0) this.#left -= chunk.length;
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#held === undefined) this.#response.end();
    else this.#response.end(this.#held);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.destroyed) return;
    if (this.#response.headersSent) this.#response.destroy(error);
    else this.#response.writeHead(502, ['content-type', 'text/plain']).end(error.message);
  }
}

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer | undefined): void {
  const type = request.headers['content-type'];
  nextPool().dispatch(
    {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: type === undefined ? [] : ['content-type', type],
      body: body ?? null,
    },
    new Exchange(response),
  );
}

/** A body in one piece is passed on uncopied; a larger one is copied into its place as it comes, not held twice. */
const server = createServer((request, response) => {
  const length = Number(request.headers['content-length'] ?? 0);
  let body: Buffer | undefined;
  let filled = 0;
  request.on('data', (chunk: Buffer) => {
    if (filled === 0 && chunk.length >= length) {
      body = body === undefined ? chunk : Buffer.concat([body, chunk]);
      return;
    }
    body ??= Buffer.allocUnsafeSlow(length);
    filled += chunk.copy(body, filled);
  });
  request.on('end', () => forward(request, response, body));
});
server.requestTimeout = 0;
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  // Started by hand, without a harness, it says on stdout where it listens.
  if (process.send === undefined) console.log(JSON.stringify({ port }));
  else process.send({ port });
});

/** How a placed call travels over HTTP: one request, one answer, pushed to the sink as it arrives. */
import type { Dispatcher } from 'undici';
import type { Backend, Exchange, ExchangeSink, UpstreamRequest } from '../../domain/ports.ts';
import type { WorkerAddress } from '../../domain/worker.ts';
import type { Connection } from './connections.ts';
import { Connections } from './connections.ts';
import { exchangeError, isStaleConnection } from './faults.ts';
import type { ParsedHeaders } from './headers.ts';
import { answerHeaders, upstreamHeaders } from './headers.ts';

export interface HttpBackendOptions {
  /** 0 = off. */
  readonly connectTimeoutMs: number;
  /** Host, or host and port, to the URL that is connected to instead. */
  readonly hostMap: ReadonlyMap<string, string>;
}

export class HttpBackend implements Backend {
  readonly #options: HttpBackendOptions;
  readonly #pools = new Map<string, Pool>();

  constructor(options: HttpBackendOptions) {
    this.#options = options;
  }

  send(worker: WorkerAddress, request: UpstreamRequest, sink: ExchangeSink): Exchange {
    const exchange = new HttpExchange(this.#poolOf(worker.url), worker, request, sink);
    exchange.start();
    return exchange;
  }

  /** The worker is gone: its connections are closed. */
  forget(worker: WorkerAddress): void {
    this.#pools.get(worker.url)?.connections.close();
    this.#pools.delete(worker.url);
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.connections.close();
    this.#pools.clear();
  }

  #poolOf(workerUrl: string): Pool {
    const known = this.#pools.get(workerUrl);
    if (known) return known;
    const { origin, basePath } = placeOf(new URL(workerUrl), this.#options.hostMap);
    const pool = { connections: new Connections(origin, this.#options.connectTimeoutMs), basePath };
    this.#pools.set(workerUrl, pool);
    return pool;
  }
}

interface Pool {
  readonly connections: Connections;
  readonly basePath: string;
}

/** Where the worker of this URL is to be found: a mapped host has the path of its map's URL before its own. */
function placeOf(url: URL, hostMap: ReadonlyMap<string, string>): { origin: string; basePath: string } {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const mapped = hostMap.get(`${url.hostname}:${port}`) ?? hostMap.get(url.hostname);
  const place = mapped === undefined ? undefined : new URL(mapped);
  return { origin: (place ?? url).origin, basePath: pathOf(place) + pathOf(url) };
}

function pathOf(url: URL | undefined): string {
  return url?.pathname.replace(/\/+$/, '') ?? '';
}

/**
 * One exchange; it is the handler that undici drives. A request that a dead warm connection swallowed (reset before
 * the first byte of an answer) is sent once more over a fresh connection: an idle close is no fault of the worker.
 */
class HttpExchange implements Exchange, Dispatcher.DispatchHandler {
  readonly #pool: Pool;
  readonly #worker: WorkerAddress;
  readonly #request: UpstreamRequest;
  readonly #sink: ExchangeSink;
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #wasWarm = false;
  #hasHead = false;
  #isOver = false;

  constructor(pool: Pool, worker: WorkerAddress, request: UpstreamRequest, sink: ExchangeSink) {
    this.#pool = pool;
    this.#worker = worker;
    this.#request = request;
    this.#sink = sink;
  }

  start(): void {
    this.#dispatch(this.#pool.connections.take());
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Over HTTP/1.1 only a closed connection tells the worker that nobody waits any more.
    this.#controller?.abort(new Error('aborted'));
    if (this.#connection) this.#pool.connections.discard(this.#connection);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Error('aborted'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ParsedHeaders): void {
    // They are views of the worker's first read, and would keep its 64 KiB alive as long as the stream lives.
    controller.rawHeaders = null;
    if (this.#isOver || status < 200) return;
    this.#hasHead = true;
    this.#sink.head(status, answerHeaders(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isOver) this.#sink.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveBack();
    this.#sink.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return;
    const wasSent = this.#controller !== undefined;
    // The connection is dead or was never made. It is not used again: undici does not allow a new request on a client
    // that is just reporting that it could not connect.
    if (this.#connection) this.#pool.connections.discard(this.#connection);
    if (this.#wasWarm && !this.#hasHead && isStaleConnection(error)) {
      this.#dispatch(this.#pool.connections.takeFresh());
      return;
    }
    this.#isOver = true;
    this.#sink.error(exchangeError(this.#worker.id, error, wasSent));
  }

  #dispatch(connection: Connection): void {
    this.#connection = connection;
    this.#controller = undefined;
    this.#wasWarm = connection.isConnected;
    const { method, path, body } = this.#request;
    const headers = upstreamHeaders(this.#request, this.#worker.provider);
    const options = { method, path: this.#pool.basePath + path, headers, body: body ?? null };
    connection.client.dispatch(options, this);
  }

  #giveBack(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection) this.#pool.connections.giveBack(connection);
  }
}

/**
 * A listening HTTP server whose connections can be counted, refused and destroyed.
 * Owns the server object and the set of sockets; knows no endpoint.
 */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Where and how to listen. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 lets the system choose; the choice is kept when listening again. */
  readonly port: number;
  readonly keepAliveMs: number;
}

/** Told of connections as they come and go. */
export interface ConnectionWatch {
  connectionOpened(): void;
  connectionClosed(): void;
}

/** One HTTP listener. `listen` and `stopListening` may alternate; `destroy` is final. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #onRequest: RequestListener;
  readonly #watch: ConnectionWatch | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port: number;

  constructor(options: ListenerOptions, onRequest: RequestListener, watch?: ConnectionWatch) {
    this.#options = options;
    this.#onRequest = onRequest;
    this.#watch = watch;
    this.#port = options.port;
  }

  /** The port listened on (also while not listening). */
  get port(): number {
    return this.#port;
  }

  /** The listener's base URL. */
  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Starts listening; rejects with the system's error. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(
      { keepAliveTimeout: this.#options.keepAliveMs, requestTimeout: 0, maxHeaderSize: 65_536, noDelay: true },
      (request, response) => {
        response.once('close', () => this.#closeIfRefusing(server));
        this.#onRequest(request, response);
      },
    );
    server.on('connection', (socket) => this.#track(socket));
    this.#server = server;
    server.listen({ port: this.#port, host: this.#options.host, backlog: 4096 });
    try {
      await once(server, 'listening');
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops accepting and closes idle connections; answers in progress go on, then their connections close. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Ends every connection at once and stops listening. */
  destroy(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A server that stopped listening keeps its idle connections until they time out, so they are closed here. */
  #closeIfRefusing(server: Server): void {
    if (server !== this.#server) server.closeIdleConnections();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    this.#watch?.connectionOpened();
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#watch?.connectionClosed();
    });
  }
}

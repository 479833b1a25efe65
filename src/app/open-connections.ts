/** The open connections of a listener, and which of them have not sent a request yet: node counts those as busy. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class OpenConnections {
  readonly server: Server;
  readonly #open = new Set<Socket>();
  #unused = new Set<Socket>();
  /** Unused at the last look already. */
  #stale = new Set<Socket>();

  constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      this.#unused.add(socket);
      socket.on('close', () => {
        this.#open.delete(socket);
        this.#unused.delete(socket);
        this.#stale.delete(socket);
      });
    });
    server.on('request', ({ socket }) => {
      this.#unused.delete(socket);
      this.#stale.delete(socket);
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Closes what nobody waits on: kept-alive connections between requests, and those that were without a request at
   * the last look and are still; a request that is just arriving is not cut.
   */
  closeIdle(): void {
    this.server.closeIdleConnections();

    for (const socket of this.#stale) socket.destroy();
    this.#stale = this.#unused;
    this.#unused = new Set();
  }
}

/**
 * Connections to one worker: a stack of keep-alive clients, the warmest on top. One client is one connection with one
 * exchange at a time, so that taking and giving back are O(1) however many are open, and so that it is known whether
 * a failed exchange went over a connection that had been used before.
 */
import { buildConnector, Client } from 'undici';
import { LiveList } from '../../base/live-list.ts';
import type { Listed } from '../../base/live-list.ts';

/**
 * Idle connections are closed before common engines close theirs (uvicorn: 5 s): a request never races with the
 * worker's close more often than it must.
 */
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 30_000;
/** What a paused socket may still read ahead of us; undici's own 64 KiB would double what a stalled stream holds. */
const READ_AHEAD_BYTES = 16 * 1024;
/** Idle clients that are kept at all; their sockets have been closed by the limit above long before. */
const MAX_IDLE = 512;

export interface Connection extends Listed {
  readonly client: Client;
  /** The socket is open. */
  isConnected: boolean;
}

export class Connections {
  readonly #origin: string;
  /** One for all connections of a worker: making a connector is dear. */
  readonly #connect: buildConnector.connector;
  readonly #idle: Connection[] = [];
  readonly #busy = new LiveList<Connection>();
  #isClosed = false;

  constructor(origin: string, connectTimeoutMs: number) {
    this.#origin = origin;
    // The type leaves out what the sockets take: how much they may read ahead.
    const options: buildConnector.BuildOptions & { readonly highWaterMark: number } = {
      timeout: connectTimeoutMs,
      allowH2: false,
      highWaterMark: READ_AHEAD_BYTES,
    };
    this.#connect = buildConnector(options);
  }

  take(): Connection {
    const connection = this.#idle.pop() ?? this.#open();
    this.#busy.add(connection);
    return connection;
  }

  /** A connection that has never been used: for a request whose warm connection turned out to be dead. */
  takeFresh(): Connection {
    const connection = this.#open();
    this.#busy.add(connection);
    return connection;
  }

  giveBack(connection: Connection): void {
    if (connection.listIndex < 0) return;
    this.#busy.delete(connection);
    if (this.#isClosed || this.#idle.length >= MAX_IDLE) this.#destroy(connection);
    else this.#idle.push(connection);
  }

  /** Closes the connection instead of keeping it. */
  discard(connection: Connection): void {
    if (connection.listIndex < 0) return;
    this.#busy.delete(connection);
    this.#destroy(connection);
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) this.#destroy(connection);
    this.#busy.forEach((connection) => this.discard(connection));
  }

  #open(): Connection {
    const client = new Client(this.#origin, {
      pipelining: 1,
      allowH2: false,
      // The gateway keeps its own clocks (resilience/clocks.ts); undici's would cut long generations.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      connect: this.#connect,
    });
    const connection: Connection = { client, isConnected: false, listIndex: -1 };
    client.on('connect', () => {
      connection.isConnected = true;
    });
    client.on('disconnect', () => {
      connection.isConnected = false;
    });
    return connection;
  }

  #destroy(connection: Connection): void {
    // A destroyed client tells its pending exchange through the handler; there is nobody else to hear a rejection.
    connection.client.destroy().catch(() => undefined);
  }
}

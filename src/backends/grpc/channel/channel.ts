/**
 * The channel to one worker: its connections, the calls that wait for one, and when a new one may be tried.
 * Order   a call takes the first connection with room; else it waits, single questions before streams, and a connection is opened when one is
 *         allowed. While no connection can be had, calls fail at once as unprocessed: the next call after the back-off
 *         tries again, so that a probe or a call finds a worker that came back.
 */
import type { Clock } from '../../../base/clock.ts';
import { RpcError } from '../rpc.ts';
import type { Channel, RpcFailure, RpcMethod, RpcOptions, RpcSink, RpcStream } from '../rpc.ts';
import { Backoff } from './backoff.ts';
import { RpcCall } from './call.ts';
import type { WaitingRoom } from './call.ts';
import { Connection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import { framed } from './framer.ts';
import { RequestHeaders, unsendable } from './request-headers.ts';
import type { ChannelSettings } from './settings.ts';
import { failure, grpcStatus, unprocessed } from './status.ts';
import type { Target } from './target.ts';

/** A peer that complains of PINGs gets half as many, down to one in this time. */
const MAX_KEEP_ALIVE_MS = 10 * 60_000;

/** What is held at this moment: zeros when nothing is. */
export interface ChannelCounts {
  readonly connections: number;
  readonly streams: number;
  readonly waiting: number;
}

interface Asked<In, Out> {
  readonly method: RpcMethod<In, Out>;
  readonly message: In;
  readonly options: RpcOptions;
  readonly sink: RpcSink<Out>;
}

export class Http2Channel implements Channel, ConnectionOwner, WaitingRoom {
  readonly #target: Target;
  readonly #settings: ChannelSettings;
  readonly #clock: Clock;
  readonly #headers: RequestHeaders;
  readonly #backoff: Backoff;
  readonly #home: { readonly clock: Clock; readonly room: WaitingRoom };
  /** Those that calls may be given to, now or when they are open, and those that only finish. */
  readonly #connections: Connection[] = [];
  readonly #draining = new Set<Connection>();
  readonly #waitingFirst = new Set<RpcCall<unknown>>();
  readonly #waiting = new Set<RpcCall<unknown>>();
  #keepAliveIntervalMs: number;
  /** What the peer last said; unknown before the first connection. */
  #maxStreams = Number.POSITIVE_INFINITY;
  #lastFailure: RpcFailure = unprocessed('There is no connection to the worker.');
  #isRetired = false;
  #isClosed = false;

  constructor(target: Target, settings: ChannelSettings, clock: Clock) {
    this.#target = target;
    this.#settings = settings;
    this.#clock = clock;
    this.#headers = new RequestHeaders(target.isSecure ? 'https' : 'http', target.authority, settings.userAgent);
    this.#backoff = new Backoff(settings.minBackoffMs, settings.maxBackoffMs);
    this.#home = { clock, room: this };
    this.#keepAliveIntervalMs = settings.keepAliveIntervalMs;
  }

  unary<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions): Promise<Out> {
    return new Promise((resolve, reject) => {
      // Probes and Aborts must not stand behind the generations that a limited peer has no room for.
      this.#start({ method, message, options, sink: new UnarySink<Out>(resolve, reject) }, this.#waitingFirst);
    });
  }

  stream<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions, sink: RpcSink<Out>): RpcStream {
    return this.#start({ method, message, options, sink }, this.#waiting);
  }

  #start<In, Out>({ method, message, options, sink }: Asked<In, Out>, line: Set<RpcCall<unknown>>): RpcStream {
    const bytes = framed(method.encode(message));
    const call = new RpcCall<Out>({ method, bytes, options, sink }, this.#settings.maxMessageBytes, this.#home);
    const refused = this.#refusal(options);
    if (refused !== undefined) {
      call.failSoon(refused);
      return call;
    }
    const connection = this.#waitingCount === 0 ? this.#connectionWithRoom() : undefined;
    if (connection === undefined) this.#wait(call, line);
    else connection.carry(call);
    return call;
  }

  get counts(): ChannelCounts {
    const all = [...this.#connections, ...this.#draining];
    const streams = all.reduce((sum, connection) => sum + connection.activeStreams, 0);
    return { connections: all.length, streams, waiting: this.#waitingCount };
  }

  get #waitingCount(): number {
    return this.#waitingFirst.size + this.#waiting.size;
  }

  /** The worker is gone: connections close as they become idle. Calls still work, for those that end what has begun. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of [...this.#connections]) this.#drainIfIdle(connection);
  }

  close(): void {
    this.#isClosed = true;
    const reason = 'The channel is closed.';
    this.#failWaiting(unprocessed(reason));
    for (const connection of [...this.#connections, ...this.#draining]) connection.end(reason);
  }

  leave(call: RpcCall<unknown>): void {
    this.#waitingFirst.delete(call);
    this.#waiting.delete(call);
  }

  connectionHasRoom(connection: Connection): void {
    if (connection.isOpen) this.#maxStreams = connection.maxStreams;
    while (connection.hasRoom) {
      const call = this.#next();
      if (call === undefined) break;
      connection.carry(call);
    }
    this.#openAsNeeded();
    this.#drainIfIdle(connection);
  }

  connectionDrains(connection: Connection): void {
    this.#remove(connection);
    this.#draining.add(connection);
    this.#openAsNeeded();
  }

  connectionEnded(connection: Connection): void {
    this.#remove(connection);
    this.#draining.delete(connection);
    const { loss } = connection;
    this.#lastFailure = unprocessed(loss?.reason ?? 'The connection closed.', loss?.cause);
    if (connection.wasFailure) this.#backoff.failed(this.#clock.now());
    else this.#backoff.worked();
    this.#openAsNeeded();
  }

  pingedTooOften(): void {
    this.#keepAliveIntervalMs = Math.min(this.#keepAliveIntervalMs * 2, MAX_KEEP_ALIVE_MS);
  }

  #refusal(options: RpcOptions): RpcFailure | undefined {
    if (this.#isClosed) return unprocessed('The channel is closed.');
    const name = unsendable(options.metadata);
    if (name === undefined) return undefined;
    return failure(grpcStatus.INTERNAL, `The metadata ${name} is not printable ASCII.`, { isUnprocessed: true });
  }

  #connectionWithRoom(): Connection | undefined {
    for (const connection of this.#connections) if (connection.hasRoom) return connection;
    return undefined;
  }

  #wait(call: RpcCall<unknown>, line: Set<RpcCall<unknown>>): void {
    if (this.#waitingCount >= this.#settings.maxWaitingCalls) {
      call.failSoon(unprocessed('Too many calls wait for the worker.'));
      return;
    }
    call.waits();
    line.add(call);
    this.#openAsNeeded();
  }

  #next(): RpcCall<unknown> | undefined {
    if (this.#waitingCount === 0) return undefined;
    for (const line of [this.#waitingFirst, this.#waiting]) {
      for (const call of line) {
        line.delete(call);
        return call;
      }
    }
    return undefined;
  }

  /** Opens connections until those that are being made can take all that wait; fails the waiting when there is no hope. */
  #openAsNeeded(): void {
    while (this.#needsConnection()) {
      if (!this.#backoff.mayConnect(this.#clock.now())) {
        if (this.#connections.length === 0) this.#failWaiting(this.#lastFailure);
        return;
      }
      this.#connections.push(
        new Connection({
          target: this.#target,
          settings: this.#settings,
          keepAliveIntervalMs: this.#keepAliveIntervalMs,
          headers: this.#headers,
          clock: this.#clock,
          owner: this,
        }),
      );
    }
  }

  #needsConnection(): boolean {
    if (this.#waitingCount === 0 || this.#isClosed) return false;
    if (this.#connections.length >= this.#settings.maxConnections) return false;
    const coming = this.#connections.filter((connection) => !connection.isOpen).length;
    return coming === 0 || coming * this.#maxStreams < this.#waitingCount;
  }

  /** Later, and only those that wait now: they may be in the middle of being made. */
  #failWaiting(reason: RpcFailure): void {
    const calls = [...this.#waitingFirst, ...this.#waiting];
    this.#waitingFirst.clear();
    this.#waiting.clear();
    for (const call of calls) call.failSoon(reason);
  }

  #drainIfIdle(connection: Connection): void {
    if (this.#isRetired && connection.activeStreams === 0 && this.#waitingCount === 0) connection.drain();
  }

  #remove(connection: Connection): void {
    const index = this.#connections.indexOf(connection);
    if (index >= 0) this.#connections.splice(index, 1);
  }
}

/** Takes one message and the OK after it. */
class UnarySink<Out> implements RpcSink<Out> {
  readonly #resolve: (message: Out) => void;
  readonly #reject: (error: RpcError) => void;
  #messages = 0;
  #message: Out | undefined;

  constructor(resolve: (message: Out) => void, reject: (error: RpcError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begun(): void {}

  message(message: Out): void {
    this.#messages++;
    this.#message = message;
  }

  end(): void {
    if (this.#messages === 1) {
      this.#resolve(this.#message as Out);
      return;
    }
    const words = `One message was due, ${this.#messages} came.`;
    this.#reject(new RpcError({ ...failure(grpcStatus.INTERNAL, words), isBeforeHeaders: false }));
  }

  failed(reason: RpcFailure): void {
    this.#reject(new RpcError(reason));
  }
}

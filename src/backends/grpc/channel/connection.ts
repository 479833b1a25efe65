/**
 * One HTTP/2 connection to a worker: made, watched by PINGs, filled with calls up to the peer's limit, and gone.
 * Order   connecting → open (the peer's SETTINGS are here) → draining (GOAWAY, or told to) → ended
 * Owner   its channel, which hears of every change through ConnectionOwner
 */
import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { Carrier, RpcCall } from './call.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { ChannelSettings } from './settings.ts';
import { resetName } from './status.ts';
import type { Target } from './target.ts';

/** TCP's own keep-alive, for what PINGs cannot see: a connection that is closing. */
const TCP_KEEP_ALIVE_MS = 60_000;
/** Node counts a session's streams and frames against this; its default of 10 would refuse thousands of calls. */
const SESSION_MEMORY_MEGABYTES = 1_000;
/** A connection that ended sooner than this without one answer counts as a failed try. */
const SHORT_LIFE_MS = 1_000;

export interface ConnectionOwner {
  /** It may carry more calls than before: it is open, or its peer's limit has changed, or a stream has closed. */
  connectionHasRoom(connection: Connection): void;
  /** It takes no more calls; those that it has go on. */
  connectionDrains(connection: Connection): void;
  connectionEnded(connection: Connection): void;
  /** The peer finds that it is pinged too often. */
  pingedTooOften(): void;
}

export interface ConnectionParts {
  readonly target: Target;
  readonly settings: ChannelSettings;
  readonly keepAliveIntervalMs: number;
  readonly headers: RequestHeaders;
  readonly clock: Clock;
  readonly owner: ConnectionOwner;
}

interface Loss {
  readonly reason: string;
  readonly cause?: unknown;
}

export class Connection implements Carrier {
  readonly #parts: ConnectionParts;
  readonly #socket: Socket;
  readonly #startedAt: number;
  #session: ClientHttp2Session | undefined;
  /** Of connecting first, of the next or the pending PING later: one at a time. */
  #timer: Timer | undefined;
  #loss: Loss | undefined;
  #lastStreamId = Number.POSITIVE_INFINITY;
  #opened = 0;
  #active = 0;
  #isProven = false;
  isOpen = false;
  isDraining = false;
  isEnded = false;
  /** Streams that the peer allows at the same time. */
  maxStreams = Number.POSITIVE_INFINITY;

  constructor(parts: ConnectionParts) {
    const { clock, settings } = parts;
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#socket = openSocket(parts.target, settings);
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#socketClosed());
    this.#socket.once(parts.target.isSecure ? 'secureConnect' : 'connect', () => this.#connected());
    this.#timer = clock.setTimer(() => {
      this.end(`No connection was made within ${settings.connectTimeoutMs} ms.`);
    }, settings.connectTimeoutMs);
  }

  get loss(): Loss | undefined {
    if (this.#loss !== undefined || this.#session?.destroyed !== true) return this.#loss;
    return { reason: 'The connection broke.' };
  }

  get activeStreams(): number {
    return this.#active;
  }

  get hasRoom(): boolean {
    const session = this.#session;
    if (session === undefined || !this.isOpen || this.isDraining || this.#active >= this.maxStreams) return false;
    // A session that breaks says so some turns later.
    return !session.closed && !session.destroyed;
  }

  /** It never worked: nobody answered on it, and it did not last. */
  get wasFailure(): boolean {
    if (!this.isOpen) return true;
    return !this.#isProven && this.#parts.clock.now() - this.#startedAt < SHORT_LIFE_MS;
  }

  /** The caller has looked at `hasRoom`. */
  carry(call: RpcCall<unknown>): void {
    const session = this.#session;
    if (session === undefined) return;
    if (this.#active === 0) session.ref();
    if (call.open(session, this.#parts.headers, this)) {
      this.#active++;
      this.#opened++;
      if (this.#opened >= this.#parts.settings.maxStreamsPerConnection) this.drain();
    }
    if (this.#active === 0) session.unref();
  }

  release(): void {
    this.#active--;
    if (this.isEnded) return;
    if (this.#active === 0) {
      this.#session?.unref();
      // Not sooner: a session that closes drops the requests that it has not written yet.
      if (this.isDraining) this.#session?.close();
    }
    this.#parts.owner.connectionHasRoom(this);
  }

  prove(): void {
    this.#isProven = true;
  }

  isBeyondGoaway(streamId: number): boolean {
    return streamId > this.#lastStreamId;
  }

  /** No more calls; closes when those that it has are over. */
  drain(): void {
    if (this.isDraining || this.isEnded) return;
    this.isDraining = true;
    this.#parts.owner.connectionDrains(this);
    if (this.#session === undefined) this.end('The connection is no longer needed.');
    else if (this.#active === 0) this.#session.close();
  }

  /** At once, with all its calls. */
  end(reason: string, cause?: unknown): void {
    this.#lose(reason, cause);
    this.#session?.destroy();
    this.#socket.destroy();
  }

  #connected(): void {
    const { target, settings } = this.#parts;
    if (target.isSecure && (this.#socket as TLSSocket).alpnProtocol !== 'h2') {
      this.end('The peer does not speak HTTP/2 over TLS.');
      return;
    }
    const scheme = target.isSecure ? 'https' : 'http';
    const session = connectHttp2(`${scheme}://${target.authority}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false, initialWindowSize: settings.streamWindowBytes },
      maxSessionMemory: SESSION_MEMORY_MEGABYTES,
    });
    this.#session = session;
    session.once('connect', () => session.setLocalWindowSize(settings.connectionWindowBytes));
    session.on('remoteSettings', (remote) => this.#settingsCame(remote.maxConcurrentStreams));
    session.on('goaway', (code, lastStreamId, words) => this.#goawayCame(code, lastStreamId, words));
    session.on('error', (error) => this.#failed(error));
    session.on('close', () => this.#ended());
  }

  #settingsCame(maxStreams: number | undefined): void {
    if (this.isEnded) return;
    this.maxStreams = maxStreams ?? Number.POSITIVE_INFINITY;
    if (!this.isOpen) {
      this.isOpen = true;
      this.#clearTimer();
      this.#session?.unref();
      this.#planPing();
    }
    if (!this.isDraining) this.#parts.owner.connectionHasRoom(this);
  }

  #goawayCame(code: number, lastStreamId: number, words: Uint8Array | undefined): void {
    this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId);
    const isCalm = code === constants.NGHTTP2_ENHANCE_YOUR_CALM;
    if (isCalm && Buffer.from(words ?? []).toString('latin1') === 'too_many_pings') this.#parts.owner.pingedTooOften();
    // Node ends the session by itself right after this event unless the code is NO_ERROR.
    if (code !== constants.NGHTTP2_NO_ERROR) this.#lose(`The peer ended the connection: ${resetName(code)}.`);
    if (this.isDraining || this.isEnded) return;
    this.isDraining = true;
    this.#parts.owner.connectionDrains(this);
  }

  #planPing(): void {
    const { keepAliveIntervalMs, clock } = this.#parts;
    if (keepAliveIntervalMs > 0) this.#timer = clock.setTimer(() => this.#ping(), keepAliveIntervalMs);
  }

  /** A closing session cannot be pinged; TCP's keep-alive and the calls' deadlines watch it then. */
  #ping(): void {
    const session = this.#session;
    this.#timer = undefined;
    if (session === undefined || session.closed || session.destroyed) return;
    const { clock, settings } = this.#parts;
    const limit = clock.setTimer(() => {
      this.end(`The peer did not answer a PING within ${settings.keepAliveTimeoutMs} ms.`);
    }, settings.keepAliveTimeoutMs);
    this.#timer = limit;
    session.ping(() => {
      clock.clearTimer(limit);
      if (this.isEnded || this.#timer !== limit) return;
      this.#timer = undefined;
      this.#planPing();
    });
  }

  /** What is no HTTP/2 at all shows before the peer's SETTINGS. */
  #failed(error: Error): void {
    const code = codeOf(error);
    const isStranger = !this.isOpen && code.startsWith('ERR_HTTP2_');
    this.#lose(isStranger ? `The peer does not speak gRPC: ${code}.` : `The connection failed: ${code}.`, error);
  }

  #lose(reason: string, cause?: unknown): void {
    this.#loss ??= cause === undefined ? { reason } : { reason, cause };
  }

  #socketClosed(): void {
    this.#lose('The peer closed the connection.');
    if (this.#session === undefined) this.#ended();
  }

  #ended(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#clearTimer();
    this.#lose('The connection closed.');
    this.#socket.destroy();
    this.#parts.owner.connectionEnded(this);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#parts.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}

function openSocket(target: Target, settings: ChannelSettings): Socket {
  const { host, port } = target;
  const shared = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (!target.isSecure) return connectTcp(shared);
  const { serverName, ...credentials } = settings.tls;
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
  return connectTls({
    ...shared,
    ...credentials,
    ...(servername === undefined ? {} : { servername }),
    ALPNProtocols: ['h2'],
  });
}

/** The system's short word for it, such as ECONNREFUSED: an error's own message may name addresses. */
function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

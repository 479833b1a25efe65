/**
 * One call: its deadline, its HTTP/2 stream once it has one, and how that ends. Owns no connection.
 * Order   waiting → opened → begun → messages → end | failed; cancel at any point ends it in silence
 * Cost    one set of listeners for all calls (the stream knows its call): nothing is allocated for a message but what
 *         its codec makes; messages that came in one read are handed on in one go
 */
import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { Metadata, RpcFailure, RpcMethod, RpcOptions, RpcSink, RpcStream } from '../rpc.ts';
import { Framer } from './framer.ts';
import type { FrameFault, FrameTarget } from './framer.ts';
import type { RequestHeaders } from './request-headers.ts';
import {
  decodeMessage,
  failure,
  grpcStatus,
  parseStatus,
  resetName,
  statusOfHttp,
  statusOfReset,
  unprocessed,
} from './status.ts';
import type { HeaderValue } from './status.ts';

/** What a call asks of the connection that carries it. */
export interface Carrier {
  /** Why the connection is gone; undefined as long as it is not. */
  readonly loss: { readonly reason: string; readonly cause?: unknown } | undefined;
  /** The peer said that it never looked at this stream. */
  isBeyondGoaway(streamId: number): boolean;
  /** The peer answers calls. */
  prove(): void;
  /** The stream is closed and its place is free. */
  release(): void;
}

/** What a call asks of its channel: to be told that it no longer waits. */
export interface WaitingRoom {
  leave(call: RpcCall<unknown>): void;
}

/** One call as its channel was asked for it, the message encoded and framed. */
export interface RpcRequest<Out> {
  readonly method: RpcMethod<never, Out>;
  readonly bytes: Buffer;
  readonly options: RpcOptions;
  readonly sink: RpcSink<Out>;
}

type Headers = Readonly<Record<string, HeaderValue>>;

const callOf = Symbol('call');

interface CarriedStream extends ClientHttp2Stream {
  [callOf]?: RpcCall<unknown>;
}

/** How long a call that nobody needs any more may take to end. */
const LEFT_MS = 5_000;
const REQUEST_OPTIONS = { endStream: false };

export class RpcCall<Out> implements RpcStream, FrameTarget {
  readonly path: string;
  readonly metadata: Metadata;
  readonly #timeoutMs: number | undefined;
  readonly #deadline: number;
  readonly #method: RpcMethod<never, Out>;
  readonly #sink: RpcSink<Out>;
  readonly #clock: Clock;
  readonly #room: WaitingRoom;
  readonly #framer: Framer;
  readonly #maxMessageBytes: number;
  #bytes: Buffer | undefined;
  #timer: Timer | undefined;
  #stream: CarriedStream | undefined;
  #carrier: Carrier | undefined;
  #hasWaited = false;
  #isPaused = false;
  #isDone = false;
  #hasBegun = false;
  /** Node shows headers in a tick of their own; data is shown at once, so that nothing but Node's order of calls keeps it behind. */
  #early: Buffer[] | undefined;
  #encoding: string | undefined;
  #trailers: Headers | undefined;

  constructor(request: RpcRequest<Out>, maxMessageBytes: number, home: { clock: Clock; room: WaitingRoom }) {
    const { method, options } = request;
    this.path = method.path;
    this.metadata = options.metadata;
    this.#timeoutMs = options.timeoutMs;
    this.#method = method;
    this.#sink = request.sink;
    this.#bytes = request.bytes;
    this.#clock = home.clock;
    this.#room = home.room;
    this.#maxMessageBytes = options.maxMessageBytes ?? maxMessageBytes;
    this.#framer = new Framer(this.#maxMessageBytes);
    this.#deadline = Number.POSITIVE_INFINITY;
    if (options.timeoutMs !== undefined) {
      this.#deadline = this.#clock.now() + options.timeoutMs;
      this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(0, options.timeoutMs));
    }
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** From now on its time left is reckoned anew when it is sent. */
  waits(): void {
    this.#hasWaited = true;
  }

  /** Sends it. False: it failed at once and holds no stream. */
  open(session: ClientHttp2Session, headers: RequestHeaders, carrier: Carrier): boolean {
    const left = this.#hasWaited ? this.#deadline - this.#clock.now() : this.#timeoutMs;
    const timeoutMs = left === Number.POSITIVE_INFINITY ? undefined : left;
    let stream: CarriedStream;
    try {
      stream = session.request(headers.of(this.path, timeoutMs, this.metadata), REQUEST_OPTIONS);
    } catch (cause) {
      this.failSoon(failure(grpcStatus.INTERNAL, 'The request could not be made.', { isUnprocessed: true, cause }));
      return false;
    }
    this.#stream = stream;
    this.#carrier = carrier;
    stream[callOf] = this;
    stream.push = pushed;
    stream.on('response', onResponse);
    stream.on('data', onDataChunk);
    stream.on('trailers', onTrailers);
    stream.on('end', onEnd);
    stream.on('error', ignoreError);
    stream.on('close', onClose);
    if (this.#isPaused) stream.pause();
    stream.end(this.#bytes);
    this.#bytes = undefined;
    return true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  cancel(): void {
    if (this.#isDone) return;
    this.#finish();
    this.#reset();
  }

  leaveToEnd(): void {
    if (this.#isDone) return;
    this.resume();
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = this.#clock.setTimer(() => this.cancel(), LEFT_MS);
  }

  /** For failures that are known while the call is being made: the sink hears of them later. */
  failSoon(reason: RpcFailure): void {
    queueMicrotask(() => this.fail(reason));
  }

  /** Ends it from this side; the stream, if there is one, is reset. */
  fail(reason: RpcFailure): void {
    if (this.#isDone) return;
    this.#finish();
    this.#reset();
    this.#sink.failed(this.#hasBegun ? { ...reason, isBeforeHeaders: false } : reason);
  }

  frame(bytes: Uint8Array): boolean {
    let message: Out;
    try {
      message = this.#method.decode(bytes);
    } catch (cause) {
      this.fail(failure(grpcStatus.INTERNAL, 'A message of the answer could not be decoded.', unreadable(cause)));
      return false;
    }
    this.#sink.message(message);
    return !this.#isDone;
  }

  response(headers: Headers, isEnd: boolean): void {
    if (this.#isDone) return;
    this.#carrier?.prove();
    if (isEnd) {
      this.#trailers = headers;
      this.#endBy(headers);
      return;
    }
    const httpStatus = Number(headers[':status']);
    const contentType = headers['content-type'];
    if (httpStatus !== 200) {
      this.fail(failure(statusOfHttp(httpStatus), `The peer answered with HTTP status ${httpStatus}.`));
    } else if (!isGrpc(contentType)) {
      this.fail(
        failure(grpcStatus.UNKNOWN, `The peer answered with ${String(contentType ?? 'no content type')}, not gRPC.`),
      );
    } else {
      this.#begin(headers);
    }
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  data(chunk: Buffer): void {
    if (this.#isDone) return;
    if (!this.#hasBegun) {
      (this.#early ??= []).push(chunk);
      return;
    }
    let fault: FrameFault | undefined;
    try {
      fault = this.#framer.push(chunk, this);
    } catch (cause) {
      this.fail(failure(grpcStatus.INTERNAL, 'The receiver of the messages failed.', { cause }));
      return;
    }
    if (fault !== undefined) this.fail(this.#failureOf(fault));
  }

  trailers(headers: Headers): void {
    if (this.#isDone) return;
    this.#trailers = headers;
    // What is still to be read, of a paused call or in a full buffer, comes first; then `ended`.
    if (this.#stream?.readableLength === 0) this.#endBy(headers);
  }

  ended(): void {
    if (!this.#isDone && this.#trailers !== undefined) this.#endBy(this.#trailers);
  }

  closed(stream: ClientHttp2Stream): void {
    const carrier = this.#carrier;
    this.#stream = undefined;
    this.#carrier = undefined;
    if (carrier === undefined) return;
    try {
      if (!this.#isDone) this.fail(this.#failureOfClose(stream, carrier));
    } finally {
      carrier.release();
    }
  }

  #begin(headers: Headers): void {
    this.#hasBegun = true;
    const encoding = headers['grpc-encoding'];
    this.#encoding = typeof encoding === 'string' ? encoding : undefined;
    try {
      this.#sink.begun();
    } catch (cause) {
      this.fail(failure(grpcStatus.INTERNAL, 'The receiver of the messages failed.', { cause }));
      return;
    }
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) for (const chunk of early) this.data(chunk);
  }

  #endBy(headers: Headers): void {
    const status = parseStatus(headers['grpc-status']);
    if (status === grpcStatus.OK && !this.#framer.isInside) {
      this.#finish();
      this.#reset();
      this.#sink.end();
    } else if (status === grpcStatus.OK) {
      this.fail(failure(grpcStatus.INTERNAL, 'The answer ended inside a message.'));
    } else if (status !== undefined) {
      this.fail(failure(status, decodeMessage(headers['grpc-message'])));
    } else {
      const httpStatus = this.#hasBegun ? 200 : Number(headers[':status']);
      const words = httpStatus === 200 ? 'without a gRPC status' : `with HTTP status ${httpStatus}`;
      this.fail(failure(statusOfHttp(httpStatus), `The peer answered ${words}.`));
    }
  }

  #failureOf(fault: FrameFault): RpcFailure {
    if (fault.kind === 'too_large') {
      const words = `A message of ${fault.lengthBytes} bytes is larger than the limit of ${this.#maxMessageBytes}.`;
      return failure(grpcStatus.RESOURCE_EXHAUSTED, words, unreadable());
    }
    if (fault.kind === 'flag') return failure(grpcStatus.INTERNAL, 'The answer is not framed as gRPC.', unreadable());
    const words = `The peer compressed a message (${this.#encoding ?? 'unnamed'}) though only identity was offered.`;
    return failure(grpcStatus.INTERNAL, words, unreadable());
  }

  #failureOfClose(stream: ClientHttp2Stream, carrier: Carrier): RpcFailure {
    const code = stream.rstCode;
    const { loss } = carrier;
    const isUntouched = stream.id === undefined || carrier.isBeyondGoaway(stream.id);
    if (!this.#hasBegun && (isUntouched || code === constants.NGHTTP2_REFUSED_STREAM)) {
      return unprocessed(loss?.reason ?? 'The peer refused the stream.', loss?.cause);
    }
    if (loss !== undefined) return failure(grpcStatus.UNAVAILABLE, loss.reason, { cause: loss.cause });
    if (code === constants.NGHTTP2_CANCEL && this.#clock.now() >= this.#deadline) return deadlineExceeded();
    if (code === constants.NGHTTP2_NO_ERROR && this.#hasBegun) {
      return failure(grpcStatus.UNKNOWN, 'The answer ended without a gRPC status.');
    }
    return failure(statusOfReset(code), `The peer reset the stream: ${resetName(code)}.`);
  }

  #expire(): void {
    const isUnprocessed = this.#stream === undefined;
    this.fail({ ...deadlineExceeded(), isUnprocessed });
  }

  /** From here on the sink hears nothing but the one call that ends it. */
  #finish(): void {
    this.#isDone = true;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#early = undefined;
    this.#bytes = undefined;
    if (this.#hasWaited) this.#room.leave(this);
  }

  /** Lets go of the stream: a whole exchange closes by itself once it is read, any other is cancelled. */
  #reset(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#trailers === undefined || !stream.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
  }
}

function unreadable(cause?: unknown): Partial<RpcFailure> {
  return cause === undefined ? { isUnreadable: true } : { isUnreadable: true, cause };
}

function deadlineExceeded(): RpcFailure {
  return failure(grpcStatus.DEADLINE_EXCEEDED, 'The deadline of the call passed.');
}

/**
 * What came is taken before Node's stream machinery sees it, which costs a third of a message otherwise (1.5 instead of
 * 2.3 us, bench/grpc-channel.ts): it plans a look for more in a tick of its own. It still keeps what comes while the
 * call is paused, what stands behind that, and the end.
 */
function pushed(this: CarriedStream, chunk: unknown, encoding?: BufferEncoding): boolean {
  const call = this[callOf];
  const isTaken = chunk instanceof Buffer && call !== undefined && !call.isPaused && this.readableLength === 0;
  if (!isTaken) return Readable.prototype.push.call(this, chunk, encoding);
  call.data(chunk);
  return true;
}

function isGrpc(contentType: HeaderValue): boolean {
  return typeof contentType === 'string' && contentType.startsWith('application/grpc');
}

function onResponse(this: CarriedStream, headers: Headers, flags: number): void {
  this[callOf]?.response(headers, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
}

function onDataChunk(this: CarriedStream, chunk: Buffer): void {
  this[callOf]?.data(chunk);
}

function onTrailers(this: CarriedStream, headers: Headers): void {
  this[callOf]?.trailers(headers);
}

function onEnd(this: CarriedStream): void {
  this[callOf]?.ended();
}

/** `close` follows with all that is to be known: the code, and what became of the connection. */
function ignoreError(): void {}

function onClose(this: CarriedStream): void {
  this[callOf]?.closed(this);
}

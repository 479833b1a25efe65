/**
 * The contract between the engines' files, which know messages, and the channel, which knows HTTP/2. `channels.ts` is the
 * one place that opens them.
 */

/** One method of a service with its codec. */
export interface RpcMethod<In, Out> {
  /** `/package.Service/Method`. */
  readonly path: string;
  encode(message: In): Uint8Array;
  /** Throws when the bytes are no such message. Must not keep a view of `bytes`. */
  decode(bytes: Uint8Array): Out;
}

/** Lower-case ASCII names; values printable ASCII. */
export type Metadata = readonly (readonly [name: string, value: string])[];

export interface RpcOptions {
  /** Sent as `grpc-timeout` and kept here too; undefined: none. */
  readonly timeoutMs: number | undefined;
  readonly metadata: Metadata;
  /** Largest message that is taken; undefined: the channel's own limit. */
  readonly maxMessageBytes?: number;
}

/** A call that ended otherwise than with OK. Source: gRPC over HTTP/2, "Responses"; status codes of grpc.io. */
export interface RpcFailure {
  /** gRPC status, 0 to 16. */
  readonly status: number;
  /** `grpc-message` decoded, or the channel's own words. */
  readonly message: string;
  /** `begun` was not called: no headers had come, or the answer was trailers alone. */
  readonly isBeforeHeaders: boolean;
  /** The request was certainly not worked on: no connection, REFUSED_STREAM, or beyond GOAWAY's last stream. */
  readonly isUnprocessed: boolean;
  /** What came is no answer: too large, not framed or coded as it should be. The status is this side's. */
  readonly isUnreadable?: boolean;
  /** What was thrown, for the log: a codec's error, a sink's, a socket's. */
  readonly cause?: unknown;
}

/**
 * Nothing of it is called before `stream` has returned. What `begun` and `message` throw ends the call and comes back as
 * `failed`.
 */
export interface RpcSink<Out> {
  /** The server's headers are here. */
  begun(): void;
  message(message: Out): void;
  /** Status OK. Exactly one of `end` and `failed` comes, and nothing after it. */
  end(): void;
  failed(failure: RpcFailure): void;
}

export interface RpcStream {
  /** Stops reading: flow control slows the server down. Messages of a chunk that is already read still come. */
  pause(): void;
  resume(): void;
  /** RST_STREAM(CANCEL); the sink hears nothing more. Idempotent, harmless after the end. */
  cancel(): void;
  /**
   * All that is wanted of it is here: it may end by itself, and is cancelled if it does not soon. A reset for each call
   * is what peers take for an attack (CVE-2023-44487), and close the connection for.
   */
  leaveToEnd(): void;
}

export interface Channel {
  /** Sends one message and takes one. Rejects with an RpcError. */
  unary<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions): Promise<Out>;
  /** Sends one message and takes a stream of them. */
  stream<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions, sink: RpcSink<Out>): RpcStream;
}

export class RpcError extends Error {
  readonly failure: RpcFailure;

  constructor(failure: RpcFailure) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.name = 'RpcError';
    this.failure = failure;
  }
}

/** Channels by worker URL (`grpc://host:port`, `grpcs://…`): made when first asked for, kept until forgotten. */
export interface ChannelPool {
  channelTo(url: string): Channel;
  /** The worker is gone: idle connections close, busy ones when their calls end. */
  forget(url: string): void;
  close(): void;
}

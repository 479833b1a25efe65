/**
 * Peers for the gRPC channel: a server on the gRPC library, which shares nothing with our client, and a bare HTTP/2 server
 * for answers that no library gives. Messages are plain bytes.
 */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type {
  Http2Server,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  Settings,
} from 'node:http2';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerOptions, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { RpcFailure, RpcMethod, RpcSink } from '../../src/backends/grpc/rpc.ts';

export type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
export type StreamCall = ServerWritableStream<Buffer, Buffer>;

export interface GrpcAnswers {
  readonly ask?: (call: UnaryCall, answer: sendUnaryData<Buffer>) => void;
  readonly list?: (call: StreamCall) => void;
}

export interface Peer {
  readonly url: string;
  readonly port: number;
  readonly close: () => void;
}

const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
const both = {
  requestSerialize: bytes.serialize,
  requestDeserialize: bytes.deserialize,
  responseSerialize: bytes.serialize,
  responseDeserialize: bytes.deserialize,
};

const definition = {
  ask: { path: '/test.Peer/Ask', requestStream: false, responseStream: false, ...both },
  list: { path: '/test.Peer/List', requestStream: false, responseStream: true, ...both },
} as const;

function methodAt(path: string): RpcMethod<Uint8Array, Buffer> {
  return { path, encode: (message) => message, decode: (message) => Buffer.from(message) };
}

export const ask = methodAt(definition.ask.path);
export const list = methodAt(definition.list.path);

/** `ask` and `list` of a server on the gRPC library; messages of any size. */
export async function grpcPeer(
  answers: GrpcAnswers,
  options: ServerOptions = {},
  credentials = ServerCredentials.createInsecure(),
  port = 0,
): Promise<Peer & { readonly server: Server }> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...options });
  server.addService(definition, {
    ask: answers.ask ?? ((call: UnaryCall, answer: sendUnaryData<Buffer>) => answer(null, call.request)),
    list: answers.list ?? ((call: StreamCall) => call.end()),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error ? reject(error) : resolve(at)));
  });
  return {
    server,
    port: bound,
    url: `grpc://127.0.0.1:${bound}`,
    close: () => server.forceShutdown(),
  };
}

export interface RawPeer extends Peer {
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
}

/** Every stream goes to `onStream`, as it is. */
export async function rawPeer(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, session: ServerHttp2Session) => void,
  settings: Settings = {},
): Promise<RawPeer> {
  const server = createServer({ settings });
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (stream.session !== undefined) onStream(stream, headers, stream.session as ServerHttp2Session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    server,
    sessions,
    port,
    url: `grpc://127.0.0.1:${port}`,
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

/** A TCP way to a peer whose answers a test can keep back. */
export interface Way {
  readonly url: string;
  /** From now on nothing of the peer passes, and nothing closes: as with a stuck process or a dead network. */
  readonly hold: () => void;
  /** What was kept back goes out in one write; from then on all passes again. */
  readonly release: () => void;
  readonly close: () => void;
}

export async function wayTo(port: number): Promise<Way> {
  let isHeld = false;
  const kept: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createTcpServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(
      near.on('error', () => undefined),
      far.on('error', () => undefined),
    );
    near.pipe(far);
    far.on('data', (chunk) => (isHeld ? kept.push(chunk) : near.write(chunk)));
    far.on('close', () => isHeld || near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      sockets[0]?.write(Buffer.concat(kept.splice(0)));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export const grpcHead = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers as a gRPC server does: head, messages, trailers. */
export function answerRaw(
  stream: ServerHttp2Stream,
  frames: readonly Uint8Array[],
  trailers: OutgoingHttpHeaders,
): void {
  stream.respond(grpcHead, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const frame of frames) stream.write(frame);
  stream.end();
}

/** Notes what a sink heard, in order, and says when it is over. */
export class HeardSink implements RpcSink<Buffer> {
  readonly heard: string[] = [];
  readonly messages: Buffer[] = [];
  failure: RpcFailure | undefined;
  readonly over: Promise<void>;
  readonly #finish: () => void;
  onMessage: (count: number) => void = () => undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#finish = resolve;
  }

  begun(): void {
    this.heard.push('begun');
  }

  message(message: Buffer): void {
    this.heard.push('message');
    this.messages.push(message);
    this.onMessage(this.messages.length);
  }

  end(): void {
    this.heard.push('end');
    this.#finish();
  }

  failed(failure: RpcFailure): void {
    this.heard.push('failed');
    this.failure = failure;
    this.#finish();
  }
}

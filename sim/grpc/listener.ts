/**
 * A listening gRPC server whose connections can be counted, refused and destroyed: our sockets, grpc-js on top of them.
 * Owns the servers and the set of sockets; knows no engine.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import type * as grpcJs from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/proto-loader';
import type { ConnectionWatch } from '../http/listener.ts';
import { RpcCall } from './call.ts';

type Grpc = typeof grpcJs;

/** Where to listen; `tls` makes it a `grpcs://` server. */
export interface GrpcListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxStreams: number;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

/** Serves one RPC: whatever it throws is a fault of ours. */
export type Serve = (call: RpcCall) => void;

/** The library, or a plain reason why there is none. */
export async function loadGrpc(): Promise<Grpc> {
  try {
    return await import('@grpc/grpc-js');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`simulated gRPC engines need the package @grpc/grpc-js: ${reason}`, { cause: error });
  }
}

/** One gRPC listener. `listen` and `stopListening` may alternate; `destroy` is final. */
export class GrpcListener {
  readonly #options: GrpcListenerOptions;
  readonly #watch: ConnectionWatch;
  readonly #injector: grpcJs.ConnectionInjector;
  readonly #sockets = new Set<Socket>();
  #server: NetServer | undefined;
  #port: number;

  constructor(grpc: Grpc, options: GrpcListenerOptions, watch: ConnectionWatch, services: readonly Registered[]) {
    this.#options = options;
    this.#watch = watch;
    this.#port = options.port;
    const server = new grpc.Server({
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_channelz': 0,
      'grpc.max_concurrent_streams': options.maxStreams,
    });
    for (const { definition, serve } of services) register(grpc, server, definition, serve);
    this.#injector = server.createConnectionInjector(credentials(grpc, options.tls));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { host, tls } = this.#options;
    return `${tls === undefined ? 'grpc' : 'grpcs'}://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Starts listening; rejects with the system's error. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ noDelay: true }, (socket) => this.#take(socket));
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

  /** Stops accepting and says so on every connection; calls under way go on. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#injector.drain(2 ** 31 - 1);
  }

  /** Ends every connection at once and stops listening. */
  destroy(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) {
      // A socket whose end is being written cannot be reset: libuv refuses, and Node then never closes it.
      if (socket.writableEnded && !socket.writableFinished) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    this.#watch.connectionOpened();
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#watch.connectionClosed();
    });
    // A reset by the other side: the close that follows is all there is to know.
    socket.on('error', () => undefined);
    this.#injector.injectConnection(socket);
  }
}

/** A service and what serves its methods. */
export interface Registered {
  readonly definition: ServiceDefinition;
  readonly serve: Serve;
}

/** On the wire a single answer is a stream of one, so every method is registered as a stream. */
function register(grpc: Grpc, server: grpcJs.Server, definition: ServiceDefinition, serve: Serve): void {
  const emptyMetadata = () => new grpc.Metadata();
  for (const method of Object.values(definition)) {
    server.register(
      method.path,
      (call: grpcJs.ServerWritableStream<unknown, unknown>) => serve(new RpcCall(call, emptyMetadata)),
      (value: unknown) => method.responseSerialize(value as object),
      method.requestDeserialize,
      'serverStream',
    );
  }
}

function credentials(grpc: Grpc, tls: GrpcListenerOptions['tls']): grpcJs.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  return grpc.ServerCredentials.createSsl(null, [pair]);
}

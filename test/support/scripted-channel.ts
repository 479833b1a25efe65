/** A gRPC channel without a network: a test plays what the server sends, and sees what it was asked. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Channel, RpcFailure, RpcMethod, RpcOptions, RpcSink, RpcStream } from '../../src/backends/grpc/rpc.ts';
import { RpcError } from '../../src/backends/grpc/rpc.ts';

/** One stream that was opened. */
export interface PlayedStream {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly options: RpcOptions;
  readonly state: { isCancelled: boolean; isPaused: boolean };
  begin(): void;
  /** As it comes over the wire: through the method's own codec. */
  send(message: Uint8Array): void;
  end(): void;
  fail(failure: Partial<RpcFailure> & Pick<RpcFailure, 'status'>): void;
}

export interface PlayedCall {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly options: RpcOptions;
}

export class ScriptedChannel implements Channel {
  readonly streams: PlayedStream[] = [];
  readonly calls: PlayedCall[] = [];
  /** What a unary method answers, by its path; what is not here is UNIMPLEMENTED. */
  answers: Readonly<Record<string, Uint8Array | RpcFailure>>;

  constructor(answers: Readonly<Record<string, Uint8Array | RpcFailure>> = {}) {
    this.answers = answers;
  }

  async unary<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions): Promise<Out> {
    this.calls.push({ path: method.path, bytes: method.encode(message), options });
    await turn();
    const answer = this.answers[method.path] ?? failureOf({ status: 12, message: 'Method not found' });
    if (answer instanceof Uint8Array) return method.decode(answer);
    throw new RpcError(answer);
  }

  stream<In, Out>(method: RpcMethod<In, Out>, message: In, options: RpcOptions, sink: RpcSink<Out>): RpcStream {
    const state = { isCancelled: false, isPaused: false };
    this.streams.push({
      path: method.path,
      bytes: method.encode(message),
      options,
      state,
      begin: () => sink.begun(),
      send: (bytes) => sink.message(method.decode(bytes)),
      end: () => sink.end(),
      fail: (failure) => sink.failed(failureOf(failure)),
    });
    return {
      pause: () => void (state.isPaused = true),
      resume: () => void (state.isPaused = false),
      cancel: () => void (state.isCancelled = true),
      // Whoever leaves it to its end hears no more of it either.
      leaveToEnd: () => undefined,
    };
  }
}

export function failureOf(failure: Partial<RpcFailure> & Pick<RpcFailure, 'status'>): RpcFailure {
  return { message: '', isBeforeHeaders: false, isUnprocessed: false, ...failure };
}

/**
 * One RPC as the engine's side has it: a request, messages out, one end. Wraps a grpc-js call so that it can also be
 * ended as badly as a real connection: reset, gone away, cut.
 *
 *   open --end()/fail()/reset()/cut()--> over        open --client cancels--> over (`aborted`)
 */

import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { JsonRecord } from '../json.ts';
import { isRecord, recordOf } from '../json.ts';
import type { RpcRefusal } from './status.ts';

/** How a call ended: `cut` by a fault. */
export type CallOutcome = 'completed' | 'aborted' | 'cut';

/** Takes messages and an end; what faults put themselves in front of. */
export interface MessageSink {
  message(value: object): void;
  end(): void;
  fail(refusal: RpcRefusal): void;
}

/** Makes the headers that carry nothing. */
export type EmptyMetadata = () => Parameters<ServerWritableStream<unknown, unknown>['sendMetadata']>[0];

/** One call. `onEnd` listeners are told once. */
export class RpcCall implements MessageSink {
  readonly path: string;
  readonly request: JsonRecord;
  readonly metadata: readonly (readonly [string, string])[];
  readonly #call: ServerWritableStream<unknown, unknown>;
  readonly #emptyMetadata: EmptyMetadata;
  readonly #listeners: ((outcome: CallOutcome) => void)[] = [];
  readonly #flushed: (() => void)[] = [];
  #isOpen = true;

  constructor(call: ServerWritableStream<unknown, unknown>, emptyMetadata: EmptyMetadata) {
    this.#call = call;
    this.#emptyMetadata = emptyMetadata;
    this.path = call.getPath();
    this.request = recordOf(call.request);
    this.metadata = Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)]);
    call.on('cancelled', () => this.#over('aborted'));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  header(name: string): string | undefined {
    return this.metadata.find(([key]) => key === name)?.[1];
  }

  onEnd(listener: (outcome: CallOutcome) => void): void {
    this.#listeners.push(listener);
  }

  sendHeaders(): void {
    if (this.#isOpen) this.#call.sendMetadata(this.#emptyMetadata());
  }

  message(value: object): void {
    if (this.#isOpen) this.#call.write(value, () => this.#written());
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#call.end();
    this.#over('completed');
  }

  fail({ code, message }: RpcRefusal): void {
    if (!this.#isOpen) return;
    this.#call.emit('error', { code, details: message });
    this.#over('completed');
  }

  /** Calls back when everything written so far has left. */
  afterFlush(act: () => void): void {
    this.#flushed.push(act);
    this.#written();
  }

  /** RST_STREAM with that HTTP/2 error code; the connection stays. */
  reset(code: number): void {
    this.#over('cut');
    this.#stream()?.close(code);
  }

  /** GOAWAY: no further calls on this connection, those under way go on unless `lastStreamId` leaves them out. */
  goAway(code: number, lastStreamId: number | undefined): void {
    const session = this.#session();
    session?.goaway(code, lastStreamId);
  }

  /** The whole connection is gone. */
  cut(): void {
    this.#over('cut');
    this.#session()?.destroy();
  }

  /** What follows on the wire is a fault's: this call counts as neither completed nor aborted. */
  markCut(): void {
    this.#over('cut');
  }

  #written(): void {
    if (this.#call.writableLength > 0) return;
    for (const act of this.#flushed.splice(0)) setImmediate(act);
  }

  #over(outcome: CallOutcome): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const listener of this.#listeners) listener(outcome);
  }

  #session(): Http2Session | undefined {
    return this.#stream()?.session;
  }

  /** grpc-js keeps its HTTP/2 stream to itself; without it there would be no way to reset one. */
  #stream(): ServerHttp2Stream | undefined {
    const inner: unknown = Reflect.get(this.#call, 'call');
    const stream: unknown = isRecord(inner) ? Reflect.get(inner, 'stream') : undefined;
    return isStream(stream) ? stream : undefined;
  }
}

function isStream(value: unknown): value is ServerHttp2Stream {
  return isRecord(value) && typeof value['close'] === 'function' && 'session' in value;
}

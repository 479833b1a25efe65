/** The ports: interfaces named by the need, implemented by adapters, joined in `app/build.ts`. */
import type { ClientHeaders } from './call.ts';
import type { PoolMember } from './candidate.ts';
import type { ErrorCode, GatewayError } from './errors.ts';
import type { HeaderList } from './headers.ts';
import type { CallRecord } from './record.ts';
import type { Worker, WorkerState } from './worker.ts';

/** An immutable view of the fleet; a change makes a new one. */
export interface FleetSnapshot {
  readonly version: number;
  /** All workers in a stable order. */
  readonly workers: readonly Worker[];
  readonly members: readonly PoolMember[];
  /** Workers that list the model, whatever their state; undefined when none does. */
  membersOf(model: string): readonly PoolMember[] | undefined;
  /** Workers that take any model. */
  readonly wildcards: readonly PoolMember[];
  /** Every model that a ready worker lists, sorted. */
  readonly models: readonly string[];
  /** True while a worker has not yet said what it serves. */
  readonly hasUnknown: boolean;
}

export interface WorkerDirectory {
  snapshot(): FleetSnapshot;
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(listener: (snapshot: FleetSnapshot) => void): () => void;
}

/** How an attempt went, as far as the worker is to blame or to praise. */
export type AttemptVerdict =
  | { readonly kind: 'success' }
  /** Connect error, timeout, 5xx, broken stream: counts for the breaker. */
  | { readonly kind: 'failure'; readonly error: ErrorCode; readonly retryAfterMs: number | undefined }
  /** 429: the worker and key rest for a while. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number | undefined }
  /** 4xx, or the client left: says nothing about the worker. */
  | { readonly kind: 'neutral' };

/** One in-flight slot on one worker. `settle` is idempotent. */
export interface Lease {
  settle(verdict: AttemptVerdict): void;
}

export interface WorkerLeases {
  acquire(workerId: string, keyDigest: number): Lease;
  /** When the first of these workers is free again for this key; 0 when none of them is cooling down. */
  coolDownEndsAt(workerIds: readonly string[], keyDigest: number): number;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The client's headers; the backend takes those that may travel. */
  readonly clientHeaders: ClientHeaders;
  readonly requestId: string | undefined;
  /** The one credential to send, or undefined. */
  readonly key: string | undefined;
  readonly body: Buffer | undefined;
}

/** What an exchange tells, in this order: head once, data any number of times, then end or error once. */
export interface ExchangeSink {
  head(status: number, headers: HeaderList): void;
  data(chunk: Buffer): void;
  end(): void;
  error(error: GatewayError): void;
}

/** One request to one worker under way. */
export interface Exchange {
  /** Stops reading the worker's socket, so that TCP slows the worker down. */
  pause(): void;
  resume(): void;
  /** Ends the exchange at once and closes its connection; nothing more is told. Idempotent. */
  abort(): void;
}

export interface ProbeReply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly text: string;
}

/** Small questions to a worker, outside of any call. */
export interface Prober {
  /** Sends the worker's own key. Rejects with a GatewayError when there is no answer in time. */
  get(worker: Worker, path: string, timeoutMs: number): Promise<ProbeReply>;
}

export interface Backend {
  send(worker: Worker, request: UpstreamRequest, sink: ExchangeSink): Exchange;
}

/** Where an answer goes: the client's side of one call. */
export interface ReplyWriter {
  /** The client has gone away; nothing can be written any more. */
  readonly isGone: boolean;
  onGone(listener: () => void): void;
  head(status: number, headers: HeaderList): void;
  /** False: the client is slow; wait for `onDrain` before writing more. */
  write(chunk: Buffer): boolean;
  onDrain(listener: () => void): void;
  end(chunk?: Buffer): void;
  /** Breaks the connection, so that the client cannot take what it has for a whole answer. */
  destroy(): void;
}

export interface Telemetry {
  /** A request has arrived; called exactly once for each, before `callEnded`. */
  callStarted(record: CallRecord): void;
  /** A call has ended; called exactly once for each. */
  callEnded(record: CallRecord): void;
}

/** What happens in the fleet outside of calls. */
export interface FleetTelemetry {
  stateChanged(worker: Worker, from: WorkerState): void;
  breakerChanged(workerId: string, from: BreakerName, to: BreakerName): void;
  healthChecked(workerId: string, isHealthy: boolean): void;
}

export type BreakerName = 'closed' | 'open' | 'half_open';

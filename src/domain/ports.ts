/** The ports: interfaces named by the need, implemented by adapters, joined in `app/build.ts`. */
import type { ClientHeaders } from './call.ts';
import type { PoolMember } from './candidate.ts';
import type { ErrorCode, GatewayError } from './errors.ts';
import type { HeaderList } from './headers.ts';
import type { CallRecord } from './record.ts';
import type { Usage } from './usage.ts';
import type { Worker, WorkerAddress, WorkerSpec, WorkerState } from './worker.ts';

/** An immutable view of the fleet; a change makes a new one. */
export interface FleetSnapshot {
  readonly version: number;
  /** All workers in a stable order. */
  readonly workers: readonly Worker[];
  readonly members: readonly PoolMember[];
  /** Workers that list the model, whatever their state; undefined when none does. */
  membersOf(model: string): readonly PoolMember[] | undefined;
  /**
   * Workers of the providers that own the model's name (behaviour §4), but those whose models an operator has named. The
   * same array for the same owners, as long as the snapshot lasts; empty when nobody owns it.
   */
  cloudMembersFor(model: string): readonly PoolMember[];
  /** Self-hosted workers that take any model. */
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

/** One change of the fleet, as `GET /events` tells it. */
export interface FleetEvent {
  readonly type: 'worker_added' | 'worker_changed' | 'worker_removed';
  readonly worker: Worker;
  /** The state before; undefined for a worker that was added. */
  readonly from: WorkerState | undefined;
}

/** What may be changed of a worker that exists; what is not named stays. */
export type WorkerPatch = Partial<Pick<WorkerSpec, 'priority' | 'cost' | 'labels' | 'apiKey' | 'health'>>;

/** A worker and its members: one, or one for each rank. */
export interface WorkerView {
  readonly worker: Worker;
  readonly members: readonly PoolMember[];
}

/** Changing the fleet: the control plane's side of it. Every id that is unknown answers undefined. */
export interface FleetControl {
  /**
   * Registers a worker and begins to find out what it is; the worker that has the URL already, and `isNew` false. One
   * that is draining is taken back.
   */
  add(spec: WorkerSpec): { readonly worker: Worker; readonly isNew: boolean };
  patch(id: string, patch: WorkerPatch): Worker | undefined;
  /** Replaces the whole spec; the URL must be the same. The worker is found out anew without leaving service. */
  replace(id: string, spec: WorkerSpec): Worker | undefined;
  /**
   * Begins to drain: no new calls, running ones finish, then it is gone; at once when none runs. Idempotent.
   * `isForced` ends the running ones too.
   */
  remove(id: string, isForced?: boolean): Worker | undefined;
  view(id: string): WorkerView | undefined;
  /** Calls the listener with each change, until the returned function is called. */
  onEvent(listener: (event: FleetEvent) => void): () => void;
}

/** Who a request comes from. */
export interface Principal {
  /** `anonymous`: it has sent no key of the gateway, and what it asks needs none. */
  readonly kind: 'anonymous' | 'key';
  /** Empty for none. */
  readonly tenant: string;
  /** Name of the key for the audit log; never the key. */
  readonly name: string;
  /** The credential headers of the request were the gateway's own key, not a provider's. */
  readonly usedGatewayKey: boolean;
}

/** What a route asks of its caller. */
export type RouteAccess = 'public' | 'data' | 'control';

export interface Gatekeeper {
  /** Throws `authentication_required`, `invalid_key` or `admin_required`. */
  check(headers: ClientHeaders, access: RouteAccess): Principal;
  /** Who asks, whatever he may do; never throws. */
  identify(headers: ClientHeaders): Principal;
}

/** One change made through the control plane, for the audit log. */
export interface AuditEntry {
  readonly principal: Principal;
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly target: string;
  readonly status: number;
  readonly error: string | undefined;
}

export interface AuditLog {
  write(entry: AuditEntry): void;
}

/** What admission needs to know of a request before its body is read. */
export interface AdmissionRequest {
  readonly headers: ClientHeaders;
  readonly principal: Principal;
  /** Its class, queue times and result are filled by admission. */
  readonly record: CallRecord;
}

/** Whoever runs on a ticket. */
export interface TicketHolder {
  /** Somebody more important has taken the place: the call ends with this error, before its answer has begun. */
  preempted(error: GatewayError): void;
}

/** A place among the calls that may run, or in the line for one; given back exactly once. */
export interface AdmissionTicket {
  /** False: it waits, and the listener of `onTurn` hears how that ends. */
  readonly isAdmitted: boolean;
  /** Called once: with nothing when it is let in, or with why it is not. */
  onTurn(listener: (refusal: GatewayError | undefined) => void): void;
  /** Told at once when it has happened already. */
  onPreempted(holder: TicketHolder): void;
  /** The first byte of the answer is on its way: from now on the call cannot be preempted. */
  committed(): void;
  /** Gives the place back, or leaves the line. Idempotent. */
  release(): void;
}

/** Who runs and who waits, for those who look. */
export interface AdmissionView {
  /** Infinity: no cap. */
  readonly capacity: number;
  readonly classes: readonly { readonly name: string; readonly waiting: number; readonly running: number }[];
}

/** Lets calls in, holds them back, or turns them away. Owns no timer: somebody has to `look` when it is time. */
export interface AdmissionGate {
  /** Calls that wait now. */
  readonly waiting: number;
  /** When waiting ends for somebody by time alone, in ms of the clock; Infinity for never. */
  readonly nextLookAt: number;
  /** The class of a call, before its body is read. Throws `queue_full` when it would be turned away, `invalid_request`. */
  expect(request: AdmissionRequest): number;
  /** A ticket that is admitted or waits. Throws `queue_full`. */
  enter(classIndex: number, record: CallRecord, bodyBytes: number): AdmissionTicket;
  /** Ends waits that have lasted too long, and lets in who may come in by now. */
  look(): void;
  /** The number of places changes; who runs goes on running. */
  resize(capacity: number): void;
  /** Turns away everybody who waits. */
  refuseAll(error: GatewayError): void;
  view(): AdmissionView;
}

/** How an attempt went, as far as the worker is to blame or to praise. */
export type AttemptVerdict =
  | { readonly kind: 'success' }
  /** Connect error, timeout, 5xx, broken stream: counts for the breaker. */
  | { readonly kind: 'failure'; readonly error: ErrorCode; readonly retryAfterMs: number | undefined }
  /** 429: the worker and key rest for a while. `isQuota`: because its quota is spent. */
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number | undefined; readonly isQuota?: boolean }
  /** 4xx, or the client left: says nothing about the worker. */
  | { readonly kind: 'neutral' };

/** What the calls of one pool member came to since it joined. */
export type VerdictCounts = Readonly<Record<AttemptVerdict['kind'], number>>;

/** One in-flight slot on one worker. `settle` is idempotent. */
export interface Lease {
  settle(verdict: AttemptVerdict): void;
}

/** Ids here are those of pool members. */
export interface WorkerLeases {
  acquire(memberId: string, keyDigest: number): Lease;
  /** When the first of these members is free again for this key; 0 when none of them is cooling down. */
  coolDownEndsAt(memberIds: readonly string[], keyDigest: number): number;
  /** This member rests for this key because the key's quota is spent. */
  isOutOfQuota(memberId: string, keyDigest: number): boolean;
  /** It had failed, and one call is finding out now whether it works again; others have to wait for that. */
  isBeingTried(memberId: string): boolean;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The client's headers; the backend takes those that may travel. */
  readonly clientHeaders: ClientHeaders;
  readonly requestId: string | undefined;
  /** The one credential to send, or undefined. */
  readonly key: string | undefined;
  /** The key is the caller's own, not a stored one. */
  readonly isCallersKey?: boolean;
  /** The data-parallel rank of the worker that is to serve it; left out for a worker that is one member. */
  readonly rank?: number | undefined;
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
  ask(worker: WorkerAddress, question: Question, timeoutMs: number): Promise<ProbeReply>;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

export interface Backend {
  send(worker: WorkerAddress, request: UpstreamRequest, sink: ExchangeSink): Exchange;
}

/** Hears how a placed call goes on. */
export interface CallWatch {
  /** The first content has come: the prompt has been computed. At most once. */
  firstContent(): void;
  /** Exactly once, after everything else. `usage` as far as the worker reported it. */
  ended(verdict: AttemptVerdict, usage: Usage | undefined): void;
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

/** What a part of a request is: decides what its bytes must be. */
export type MediaKind = 'image' | 'file' | 'audio';

export interface FetchedMedia {
  readonly base64: string;
  /** By the bytes, not by what the server said. */
  readonly mediaType: string;
}

/** Fetches what a request names by URL, for workers that take bytes only. */
export interface MediaFetcher {
  /** Rejects with `media_unreachable`; its message is the end of a sentence that begins with the part. */
  fetch(url: string, kind: MediaKind, signal: AbortSignal): Promise<FetchedMedia>;
}

/** Fetches files from a place that the operator trusts, such as a hub of models. */
export interface FileFetcher {
  /**
   * The body of a 200, redirects followed. Rejects with an Error whose message says why in a few words, without the URL.
   * `bearer` goes to the host of the URL only, not where it redirects to.
   */
  fetchFile(
    url: string,
    options: { readonly bearer: string | undefined; readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Buffer>;
}

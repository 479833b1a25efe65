/** What the edge is given once, at start-up. */
import type { Clock } from '../base/clock.ts';
import type { AnswerParsers } from '../domain/answer-parsers.ts';
import type { ProtocolName } from '../domain/call.ts';
import type {
  AuditLog,
  FleetControl,
  Gatekeeper,
  Prober,
  Telemetry,
  VerdictCounts,
  WorkerDirectory,
} from '../domain/ports.ts';
import type { EngineProber } from '../domain/engine-prober.ts';
import type { TokenizerControl } from '../domain/tokenizers.ts';
import type { SpecDefaults } from '../domain/worker-spec.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import type { ModelAliases } from '../dispatch/resolve-model.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Admission } from './middleware/admit.ts';

export interface MemberCondition {
  readonly breaker: string;
  readonly counts: VerdictCounts;
}

export interface ServerOptions {
  readonly maxPayloadBytes: number;
  /** Lower-case header names. */
  readonly requestIdHeaders: readonly string[];
  /** Empty: no CORS headers; `*`: any origin. */
  readonly corsAllowedOrigins: readonly string[];
  /** Limit of a control-plane question that is passed on to a worker. */
  readonly proxyTimeoutMs: number;
  /** How long a call waits for a tokenizer that is being loaded. */
  readonly tokenizerWaitMs: number;
}

export interface ServerDeps {
  readonly options: ServerOptions;
  readonly dispatcher: Dispatcher;
  readonly directory: WorkerDirectory;
  readonly fleet: FleetControl;
  readonly prober: Prober;
  /** Asks workers behind gRPC. */
  readonly engines: EngineProber;
  readonly gatekeeper: Gatekeeper;
  /** Undefined: every call comes in at once. */
  readonly admission: Admission | undefined;
  readonly audit: AuditLog;
  readonly tokenizers: TokenizerControl;
  readonly parsers: AnswerParsers;
  readonly aliases: ModelAliases;
  readonly protocols: Readonly<Record<ProtocolName, Protocol>>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Aborted from the first moment of a shutdown. */
  readonly stopping: AbortSignal;
  /** What counts for a worker that is registered over REST and does not say. */
  readonly specDefaults: SpecDefaults;
  /** Breaker state and counts of a pool member, for `GET /workers`. */
  conditionOf(memberId: string): MemberCondition;
  /** The worker's cache was flushed: what policies remember of it is worth nothing any more. */
  cacheFlushed(workerId: string): void;
}

/** What the edge is given once, at start-up. */
import type { Clock } from '../base/clock.ts';
import type { ProtocolName } from '../domain/call.ts';
import type { Prober, Telemetry, WorkerDirectory } from '../domain/ports.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import type { ModelAliases } from '../dispatch/resolve-model.ts';
import type { Protocol } from '../protocols/protocol.ts';

export interface ServerOptions {
  readonly maxPayloadBytes: number;
  /** Lower-case header names. */
  readonly requestIdHeaders: readonly string[];
  /** Empty: no CORS headers; `*`: any origin. */
  readonly corsAllowedOrigins: readonly string[];
  /** Limit of a control-plane question that is passed on to a worker. */
  readonly proxyTimeoutMs: number;
}

export interface ServerDeps {
  readonly options: ServerOptions;
  readonly dispatcher: Dispatcher;
  readonly directory: WorkerDirectory;
  readonly prober: Prober;
  readonly aliases: ModelAliases;
  readonly protocols: Readonly<Record<ProtocolName, Protocol>>;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** True from the first moment of a shutdown. */
  isDraining(): boolean;
  /** The breaker state of a worker, for `GET /workers`. */
  breakerOf(workerId: string): string;
}

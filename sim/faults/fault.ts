/**
 * The faults an engine can commit on demand: their kinds, parameters and how they are read from JSON.
 * Pure; what a fault does on the wire is in `before.ts`, `unary.ts` and `stream.ts` of this folder, and for gRPC in
 * `../grpc/faults.ts`.
 */

import { isRecord, type JsonRecord, recordOf } from '../json.ts';

/** Faults without parameters. */
export type PlainFaultKind =
  | 'refuse'
  | 'reset_before_headers'
  | 'reset_before_first_byte'
  | 'hang_before_headers'
  | 'hang_before_first_byte'
  | 'truncated_json'
  | 'short_body'
  | 'html'
  | 'empty'
  | 'close_idle'
  | 'refused_stream';

/** One fault with its parameters filled in. `events` counts SSE events written before it strikes. */
export type Fault =
  | { readonly kind: PlainFaultKind }
  | { readonly kind: 'reset_after'; readonly events: number; readonly clean: boolean; readonly fin: boolean }
  | { readonly kind: 'kill_after' | 'hang_after'; readonly events: number }
  /** `drops`: this call, too, is said not to have been worked on. gRPC only, like `refused_stream`. */
  | { readonly kind: 'goaway_after'; readonly events: number; readonly drops: boolean }
  | { readonly kind: 'error_event'; readonly events: number; readonly message: string; readonly code: number }
  | { readonly kind: 'malformed_sse'; readonly events: number; readonly text: string }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly body: unknown;
      /** Further answer headers, names in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      /** What a gRPC engine says; undefined: what goes with `status`. */
      readonly grpcStatus: number | undefined;
    }
  | { readonly kind: 'wrong_content_type'; readonly contentType: string }
  | { readonly kind: 'slow'; readonly firstByteMs: number; readonly interEventMs: number }
  | { readonly kind: 'heartbeats'; readonly everyMs: number; readonly count: number };

/** Name of a fault. */
export type FaultKind = Fault['kind'];

/** A fault that strikes by itself: at a rate, so many times, on one path. */
export interface FaultRule {
  readonly fault: Fault;
  /** Probability per request, 0..1. */
  readonly rate: number;
  /** How many times it may still strike. */
  readonly times: number;
  /** Only requests with exactly this path (any method); undefined: every POST request. */
  readonly path: string | undefined;
  /** Only requests sent with this credential; undefined: any. Providers know their callers by it, engines do not. */
  readonly key: string | undefined;
}

/** A fault as a test or a body writes it: `kind` and whichever parameters differ from the defaults. */
export interface FaultSpec {
  readonly kind: FaultKind;
  readonly rate?: number;
  readonly times?: number;
  readonly path?: string;
  readonly key?: string;
  readonly [parameter: string]: unknown;
}

/** A fault that cannot be read; the message says what is wrong with it. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** Faults that only one of the two wires has. */
const ONLY: { readonly [wire in 'http' | 'grpc']: ReadonlySet<FaultKind> } = {
  http: new Set(['html', 'short_body', 'truncated_json', 'malformed_sse', 'wrong_content_type', 'heartbeats']),
  grpc: new Set(['refused_stream', 'goaway_after']),
};

const GARBAGE = 'data {"id": "broken\nevent\n: \ndata: {"choices": [\n\n';

/** Reads one fault. Throws FaultError. */
export function parseFault(value: unknown): Fault {
  if (!isRecord(value)) throw new FaultError('a fault must be a JSON object with a "kind"');
  const kind = value['kind'];
  const read = typeof kind === 'string' && Object.hasOwn(READERS, kind) ? READERS[kind as FaultKind] : undefined;
  if (read === undefined) throw new FaultError(`unknown fault kind ${JSON.stringify(kind)}`);
  return read(value);
}

/** The fault, if that wire has it. Throws FaultError. */
export function faultOn(wire: 'http' | 'grpc', fault: Fault): Fault {
  const other = wire === 'http' ? 'grpc' : 'http';
  if (ONLY[other].has(fault.kind)) throw new FaultError(`${fault.kind}: there is no such thing over ${wire}`);
  return fault;
}

/** Reads a fault together with when it strikes. Throws FaultError. */
export function parseFaultRule(value: unknown): FaultRule {
  const fault = parseFault(value);
  const spec = value as JsonRecord;
  const path = spec['path'];
  if (path !== undefined && typeof path !== 'string') throw new FaultError(`${fault.kind}: path must be a string`);
  const key = spec['key'];
  if (key !== undefined && typeof key !== 'string') throw new FaultError(`${fault.kind}: key must be a string`);
  const rate = readNumber(spec, 'rate', 1);
  if (rate > 1) throw new FaultError(`${fault.kind}: rate must be between 0 and 1`);
  return { fault, rate, times: readNumber(spec, 'times', Number.POSITIVE_INFINITY), path, key };
}

const READERS: { readonly [K in FaultKind]: (spec: JsonRecord) => Fault } = {
  refuse: () => ({ kind: 'refuse' }),
  reset_before_headers: () => ({ kind: 'reset_before_headers' }),
  reset_before_first_byte: () => ({ kind: 'reset_before_first_byte' }),
  hang_before_headers: () => ({ kind: 'hang_before_headers' }),
  hang_before_first_byte: () => ({ kind: 'hang_before_first_byte' }),
  truncated_json: () => ({ kind: 'truncated_json' }),
  short_body: () => ({ kind: 'short_body' }),
  html: () => ({ kind: 'html' }),
  empty: () => ({ kind: 'empty' }),
  close_idle: () => ({ kind: 'close_idle' }),
  refused_stream: () => ({ kind: 'refused_stream' }),
  reset_after: (spec) => ({
    kind: 'reset_after',
    events: readNumber(spec, 'events', 1),
    clean: spec['clean'] === true,
    fin: spec['fin'] === true,
  }),
  kill_after: (spec) => ({ kind: 'kill_after', events: readNumber(spec, 'events', 1) }),
  hang_after: (spec) => ({ kind: 'hang_after', events: readNumber(spec, 'events', 1) }),
  goaway_after: (spec) => ({
    kind: 'goaway_after',
    events: readNumber(spec, 'events', 1),
    drops: spec['drops'] === true,
  }),
  error_event: (spec) => ({
    kind: 'error_event',
    events: readNumber(spec, 'events', 0),
    message: readString(spec, 'message', 'The engine failed on purpose.'),
    code: readNumber(spec, 'code', 500),
  }),
  malformed_sse: (spec) => ({
    kind: 'malformed_sse',
    events: readNumber(spec, 'events', 1),
    text: readString(spec, 'text', GARBAGE),
  }),
  status: readStatus,
  wrong_content_type: (spec) => ({
    kind: 'wrong_content_type',
    contentType: readString(spec, 'contentType', 'text/plain'),
  }),
  slow: (spec) => ({
    kind: 'slow',
    firstByteMs: readNumber(spec, 'firstByteMs', 0),
    interEventMs: readNumber(spec, 'interEventMs', 0),
  }),
  heartbeats: (spec) => ({
    kind: 'heartbeats',
    everyMs: readNumber(spec, 'everyMs', 10),
    count: readNumber(spec, 'count', 3),
  }),
};

/** Every kind, for help texts and tables. */
export const FAULT_KINDS = Object.keys(READERS) as readonly FaultKind[];

function readStatus(spec: JsonRecord): Fault {
  const status = readNumber(spec, 'status', 503);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new FaultError('status: status must be a whole number from 200 to 599');
  }
  const retryAfter = spec['retryAfter'];
  const hasRetryAfter = typeof retryAfter === 'string' || typeof retryAfter === 'number';
  const headers = Object.fromEntries(
    Object.entries(recordOf(spec['headers'])).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const again = hasRetryAfter ? String(retryAfter) : undefined;
  const grpcStatus = spec['grpcStatus'] === undefined ? undefined : readNumber(spec, 'grpcStatus', 0);
  return { kind: 'status', status, retryAfter: again, body: spec['body'], headers, grpcStatus };
}

function readNumber(spec: JsonRecord, name: string, fallback: number): number {
  const value = spec[name] ?? fallback;
  if (typeof value === 'number' && value >= 0) return value;
  throw new FaultError(`${String(spec['kind'])}: ${name} must be a number of at least 0`);
}

function readString(spec: JsonRecord, name: string, fallback: string): string {
  const value = spec[name] ?? fallback;
  if (typeof value === 'string') return value;
  throw new FaultError(`${String(spec['kind'])}: ${name} must be a string`);
}

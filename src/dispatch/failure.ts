/**
 * Is an error answer of a worker the end of the call, or may another worker or another model be asked instead? Decided
 * by its status and by what its body says; whatever is about the request itself belongs to the client.
 */
import { headerOf } from '../domain/headers.ts';
import type { HeaderList } from '../domain/headers.ts';
import { GatewayError } from '../domain/errors.ts';
import type { PassReason } from '../domain/record.ts';
import type { ErrorKind, ErrorReading } from '../protocols/error-body.ts';
import { readErrorBody, readErrorObject } from '../protocols/error-body.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { readFrame, readJson } from '../protocols/sse.ts';
import { isRetryableStatus, parseRetryAfter } from '../resilience/retry.ts';
import type { AttemptOutcome, HeldAnswer } from './answer.ts';

export type Failed = Extract<AttemptOutcome, { kind: 'failed' }>;

/** The rest of a worker and key without quota when nobody says for how long. */
export const QUOTA_REST_MS = 60_000;

/** Another worker, or another model, may do what this one could not. */
const PASSES_ON: ReadonlySet<ErrorKind> = new Set([
  'quota',
  'rate_limited',
  'overloaded',
  'context',
  'unknown_model',
] satisfies ErrorKind[]);

/** No other worker of the same model would do better. */
const OF_THE_MODEL: ReadonlySet<ErrorKind> = new Set(['context', 'unknown_model'] satisfies ErrorKind[]);

/** It is about the model, not about the worker: only another model can help. */
export function isOfTheModel({ reason }: Failed): boolean {
  return OF_THE_MODEL.has(reason ?? 'other');
}

/** Why the model of this attempt did not answer. */
export function passReasonOf({ reason, answer, error }: Failed): PassReason {
  if (reason === 'quota' || reason === 'context') return reason;
  if (reason === 'unknown_model') return 'unknown';
  const isRate = reason === 'rate_limited' || answer?.status === 429 || error.code === 'rate_limited';
  return isRate ? 'rate_limited' : 'failed';
}

export interface FailureFacts {
  /** What the worker speaks. */
  readonly protocol: Pick<Protocol, 'codec'>;
  readonly workerId: string;
  /** For a `Retry-After` that is a date. */
  readonly wallTimeMs: number;
}

/** What a whole error answer comes to, or undefined: it is about the request and goes to the client. */
export function failedBy(answer: HeldAnswer, { protocol, workerId, wallTimeMs }: FailureFacts): Failed | undefined {
  const { status, headers, body } = answer;
  if (status < 400) return undefined;
  const { kind, retryAfterMs } = readFailure(protocol, status, body);
  if (kind === 'refused' || !(PASSES_ON.has(kind) || isRetryableStatus(status))) return undefined;
  const error = new GatewayError('upstream_error', `Worker ${workerId} answered ${status}.`);
  const asked = retryAfterOf(headers, wallTimeMs);
  return { kind: 'failed', error, answer, retryAfterMs: asked ?? restOf(kind, retryAfterMs), reason: kind };
}

/** The same when its body was too long to be kept. */
export function failedWithoutBody(status: number, headers: HeaderList, { workerId, wallTimeMs }: FailureFacts): Failed {
  const error = new GatewayError('upstream_error', `Worker ${workerId} answered ${status}.`);
  const { kind } = readErrorBody(status, NOTHING);
  const retryAfterMs = retryAfterOf(headers, wallTimeMs) ?? restOf(kind, undefined);
  return { kind: 'failed', error, answer: undefined, retryAfterMs, reason: kind };
}

/** An error event that came before any content. */
export interface InBandError {
  readonly frame: Buffer;
  /** For the gateway's own error. */
  readonly text: string;
  /** As the tap has it. */
  readonly isRateLimited: boolean;
  /** The tap takes the error for one about the request: what to show when nobody else can be asked. */
  readonly answer: HeldAnswer | undefined;
}

/** What it comes to, or undefined: it is about the request and goes to the client. */
export function failedInBand({ frame, text, isRateLimited, answer }: InBandError): Failed | undefined {
  const read = readErrorObject(200, readJson(readFrame(frame).data) ?? {});
  const reason = read.kind === 'other' && isRateLimited ? 'rate_limited' : read.kind;
  if (answer && !PASSES_ON.has(reason)) return undefined;
  const retryAfterMs = restOf(reason, read.retryAfterMs);
  const retryAfterSeconds = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1_000));
  const isRate = reason === 'quota' || reason === 'rate_limited';
  const error = isRate
    ? new GatewayError('rate_limited', text, { retryAfterSeconds })
    : new GatewayError('upstream_error', text);
  return { kind: 'failed', error, answer, retryAfterMs, reason };
}

/** The same when the stream was decoded: the codec has put the worker's words into an error of the gateway. */
export function failedByEvent(error: GatewayError): Failed {
  const { code, message, retryAfterSeconds } = error;
  const read = readErrorObject(200, { message }).kind;
  const reason = code === 'rate_limited' && read === 'other' ? 'rate_limited' : read;
  const toldMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
  return { kind: 'failed', error, answer: undefined, retryAfterMs: restOf(reason, toldMs), reason };
}

/** By the worker's own API; where that has no name for it, or no codec, by what is known of all of them. */
function readFailure({ codec }: Pick<Protocol, 'codec'>, status: number, body: Buffer): ErrorReading {
  const own = codec?.readFailure(status, body);
  if (own !== undefined && own.kind !== 'other') return own;
  const common = readErrorBody(status, body);
  return { ...common, retryAfterMs: own?.retryAfterMs ?? common.retryAfterMs };
}

function restOf(kind: ErrorKind, toldMs: number | undefined): number | undefined {
  return kind === 'quota' ? Math.max(QUOTA_REST_MS, toldMs ?? 0) : toldMs;
}

function retryAfterOf(headers: HeaderList, wallTimeMs: number): number | undefined {
  const exact = Number(headerOf(headers, 'retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  return parseRetryAfter(headerOf(headers, 'retry-after'), wallTimeMs);
}

const NOTHING: Buffer = Buffer.alloc(0);

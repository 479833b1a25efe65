/** From gRPC statuses to errors of the gateway. Source: the status codes of grpc.io, "Status codes and their use". */
import type { ErrorCode } from '../../domain/errors.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { RpcFailure } from './rpc.ts';
import { RpcError } from './rpc.ts';

const CANCELLED = 1;
const UNKNOWN = 2;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNIMPLEMENTED = 12;
const DATA_LOSS = 15;

const CODES: Readonly<Record<number, ErrorCode>> = {
  3: 'invalid_request', // INVALID_ARGUMENT
  [DEADLINE_EXCEEDED]: 'upstream_timeout',
  5: 'model_not_found', // NOT_FOUND: an engine has nothing else that a call could name, but for its adapters
  [RESOURCE_EXHAUSTED]: 'rate_limited',
  9: 'invalid_request', // FAILED_PRECONDITION
  11: 'invalid_request', // OUT_OF_RANGE
  [UNIMPLEMENTED]: 'not_translatable',
};

/** Statuses that come about without the engine having ended its work: a broken connection, a proxy, a deadline here. */
const UNDECIDED: ReadonlySet<number> = new Set([
  CANCELLED,
  UNKNOWN,
  DEADLINE_EXCEEDED,
  INTERNAL,
  UNAVAILABLE,
  DATA_LOSS,
]);

/** Engines tell whole stack traces at times. */
const MAX_WORDS = 2_000;

export interface Failed {
  readonly error: GatewayError;
  readonly mayRetry: boolean;
}

/** `hasBegun`: a message had come. */
export function failedOf(workerId: string, failure: RpcFailure, hasBegun: boolean): Failed {
  const words = failure.message.slice(0, MAX_WORDS);
  const mayRetry = !hasBegun && (failure.isUnprocessed || failure.status === UNAVAILABLE);
  const code = codeOf(failure, hasBegun);
  const isClients = code === 'invalid_request' || code === 'model_not_found';
  const message = isClients && words !== '' ? words : `Worker ${workerId} ${phraseOf(code)}${words && `: ${words}`}`;
  return { error: new GatewayError(code, message), mayRetry };
}

/** What servers on the usual libraries say of a request that is larger than they take. */
const TOO_LARGE = /message (?:length )?(?:is )?(?:larger than|too large)/i;

function codeOf({ status, isUnprocessed, isUnreadable, message }: RpcFailure, hasBegun: boolean): ErrorCode {
  if (isUnreadable) return 'upstream_invalid_answer';
  // Another time will not help, and the worker has nothing to recover from.
  if (status === RESOURCE_EXHAUSTED && TOO_LARGE.test(message)) return 'invalid_request';
  const isLost = status === UNAVAILABLE || (hasBegun && status === CANCELLED);
  if (isLost || isUnprocessed) return hasBegun ? 'upstream_broken' : 'upstream_unreachable';
  return CODES[status] ?? 'upstream_error';
}

function phraseOf(code: ErrorCode): string {
  if (code === 'upstream_unreachable') return 'is not reachable';
  if (code === 'upstream_broken') return 'broke off inside its answer';
  if (code === 'upstream_invalid_answer') return 'sent what cannot be read';
  if (code === 'upstream_timeout') return 'did not answer in time';
  if (code === 'rate_limited') return 'has too much to do';
  if (code === 'not_translatable') return 'does not have this method';
  return 'reported an error';
}

/** The engine may go on with what nobody waits for any more, and has to be told. */
export function mayStillRun({ status, isUnprocessed }: RpcFailure): boolean {
  return !isUnprocessed && UNDECIDED.has(status);
}

/** Of a call whose worker was taken away from under it. */
export function removedError(workerId: string): GatewayError {
  return new GatewayError('upstream_broken', `Worker ${workerId} was removed before its answer was complete.`);
}

/** Anything that a call of the channel rejects with. */
export function errorOf(workerId: string, thrown: unknown): GatewayError {
  return thrown instanceof RpcError ? failedOf(workerId, thrown.failure, false).error : GatewayError.from(thrown);
}

/** The worker has not looked at it, and may do so soon. */
export function wasRefused(thrown: unknown): boolean {
  if (!(thrown instanceof RpcError)) return false;
  const { status, isUnprocessed, isBeforeHeaders } = thrown.failure;
  return isUnprocessed || (status === RESOURCE_EXHAUSTED && isBeforeHeaders);
}

/** There is a gRPC server, and it does not have this service. */
export function isUnimplemented(thrown: unknown): boolean {
  return thrown instanceof RpcError && thrown.failure.status === UNIMPLEMENTED;
}

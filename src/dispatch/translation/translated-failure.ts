/**
 * An error answer of a worker for a client that speaks another API: the same words and the same status, in the shape
 * that the client's SDK reads.
 */
import { headerOf } from '../../domain/headers.ts';
import type { Failure } from '../../protocols/hub/codec.ts';
import { encodeFailure, statusIn } from '../../protocols/hub/failure-body.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import type { HeldAnswer } from '../answer.ts';
import { JSON_TYPE, translatedHeaders } from './answer-headers.ts';

/** Longer texts are a page of a proxy rather than a message. */
const MAX_MESSAGE = 2_000;

export interface FailureSides {
  readonly worker: Protocol;
  readonly client: Protocol;
  readonly workerId: string;
  readonly requestId: string;
}

/** Within one dialect the answer is returned as it is. */
export function translateFailure(
  answer: HeldAnswer,
  { worker, client, workerId, requestId }: FailureSides,
): HeldAnswer {
  const { status, headers, body } = answer;
  const { dialect } = client;
  if (worker.dialect.name === dialect.name) return answer;
  const failure = worker.codec?.readFailure(status, body) ?? plainFailure(status, body, workerId);
  return {
    status: statusIn(dialect, status),
    headers: [...translatedHeaders(headers, JSON_TYPE), ...retryAfter(answer, failure)],
    body: encodeFailure(dialect, { status, failure, requestId }),
  };
}

function retryAfter({ headers }: HeldAnswer, { retryAfterMs }: Failure): string[] {
  if (retryAfterMs === undefined || headerOf(headers, 'retry-after') !== undefined) return [];
  return ['retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000)))];
}

/** The worker's words, if they are words. */
function plainFailure(status: number, body: Buffer, workerId: string): Failure {
  const text = body.length <= MAX_MESSAGE ? body.toString('utf8').trim() : '';
  const isText = text !== '' && !/^[<{[]/.test(text);
  const message = isText ? text : `Worker ${workerId} answered ${status}.`;
  return { kind: 'other', message, type: undefined, code: undefined, param: undefined, retryAfterMs: undefined };
}

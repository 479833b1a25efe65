/**
 * Faults on an answer that has a length: cut, kept back, mislabelled.
 * Faults that count SSE events strike here in the middle of the body instead.
 */

import { engineError } from '../http/errors.ts';
import type { AnswerHeaders, Exchange } from '../http/exchange.ts';
import type { Fault } from './fault.ts';

/** A whole answer about to be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Buffer;
}

/** Sends the answer, spoiled by the exchange's fault if that fault concerns whole answers. */
export function sendAnswer(exchange: Exchange, answer: Answer): void {
  if (exchange.fault === undefined || !strike(exchange, exchange.fault, answer)) {
    exchange.answer(answer.status, answer.headers, answer.body);
  }
}

function strike(exchange: Exchange, fault: Fault, answer: Answer): boolean {
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
  switch (fault.kind) {
    case 'reset_before_first_byte':
      return cut(exchange, fault, answer, Buffer.alloc(0), () => exchange.reset());
    case 'hang_before_first_byte':
      return cut(exchange, fault, answer, Buffer.alloc(0), () => undefined);
    case 'hang_after':
      return cut(exchange, fault, answer, half, () => undefined);
    case 'kill_after':
      return cut(exchange, fault, answer, half, () => exchange.host.kill());
    case 'short_body':
      return cut(exchange, fault, answer, half, () => exchange.closeWithFin());
    case 'reset_after':
      if (fault.clean) return replace(exchange, fault, { ...answer, body: half });
      return cut(exchange, fault, answer, half, () => (fault.fin ? exchange.closeWithFin() : exchange.reset()));
    case 'truncated_json':
      return replace(exchange, fault, { ...answer, body: half });
    case 'malformed_sse':
      return replace(exchange, fault, { ...answer, body: Buffer.from('{"id": broken') });
    case 'wrong_content_type':
      return replace(exchange, fault, { ...answer, headers: { ...answer.headers, 'content-type': fault.contentType } });
    case 'error_event':
      return replace(exchange, fault, errorAnswer(exchange, fault, answer));
    case 'close_idle':
      exchange.closeAfterAnswer();
      return replace(exchange, fault, answer);
    case 'slow':
      return delay(exchange, fault, answer);
    default:
      return false;
  }
}

/** Promises the whole body, sends a part of it and then ends as told. */
function cut(exchange: Exchange, fault: Fault, answer: Answer, part: Buffer, end: () => void): true {
  exchange.fired(fault.kind);
  exchange.answerPartly(answer.status, answer.headers, part, Math.max(answer.body.length, 1));
  exchange.afterFlush(end);
  return true;
}

function replace(exchange: Exchange, fault: Fault, answer: Answer): true {
  exchange.fired(fault.kind);
  exchange.answer(answer.status, answer.headers, answer.body);
  return true;
}

function delay(exchange: Exchange, fault: Extract<Fault, { kind: 'slow' }>, answer: Answer): true {
  exchange.fired(fault.kind);
  const timer = setTimeout(() => exchange.answer(answer.status, answer.headers, answer.body), fault.firstByteMs);
  exchange.onEnd(() => clearTimeout(timer));
  return true;
}

function errorAnswer(exchange: Exchange, fault: Extract<Fault, { kind: 'error_event' }>, answer: Answer): Answer {
  const status = fault.code >= 400 && fault.code <= 599 ? fault.code : 500;
  const body = exchange.host.wordError(exchange.path, engineError(status, fault.message));
  return { status, headers: answer.headers, body: Buffer.from(JSON.stringify(body)) };
}

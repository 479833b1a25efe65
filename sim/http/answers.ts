/** What endpoints use to answer: JSON, text, errors and event streams, each subject to the request's fault. */

import { type ErrorFrames, openSink } from '../faults/stream.ts';
import { sendAnswer } from '../faults/unary.ts';
import type { EngineError } from './errors.ts';
import type { EventSink } from './event-stream.ts';
import type { Exchange } from './exchange.ts';

const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** Answers with a JSON value. */
export function sendJson(exchange: Exchange, value: unknown, status = 200): void {
  const body = Buffer.from(JSON.stringify(value));
  sendAnswer(exchange, { status, headers: { 'content-type': 'application/json' }, body });
}

/** Answers with text, or with nothing. */
export function sendText(
  exchange: Exchange,
  text: string,
  contentType = 'text/plain; charset=utf-8',
  status = 200,
): void {
  sendAnswer(exchange, {
    status,
    headers: text === '' ? {} : { 'content-type': contentType },
    body: Buffer.from(text),
  });
}

/** Answers with an error, worded as the engine words it on that path. */
export function sendError(exchange: Exchange, error: EngineError): void {
  sendJson(exchange, exchange.host.wordError(exchange.path, error), error.status);
}

/** Opens an event stream; `errorFrames` words a failure inside it. */
export function openEvents(exchange: Exchange, errorFrames: ErrorFrames, contentType = EVENT_STREAM): EventSink {
  return openSink(exchange, contentType, errorFrames);
}

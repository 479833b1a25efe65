/** The headers of an answer: the worker's own, then what the gateway has to say (behaviour §10). */
import type { HeaderList } from '../domain/headers.ts';
import type { CallRecord } from '../domain/record.ts';
import { warningsText } from './translation/warnings-text.ts';

/** With one decimal at most. From whole numbers: the text of a fraction costs several times as much. */
function tenths(ms: number): string {
  const count = Math.round(Math.max(0, ms) * 10);
  const rest = count % 10;
  const whole = (count - rest) / 10;
  return rest === 0 ? `${whole}` : `${whole}.${rest}`;
}

/** A model's name as a header can carry it: an alias may stand for any text, and a header holds printable ASCII only. */
export function printable(model: string): string {
  return /^[\x21-\x7e]+$/.test(model) ? model : encodeURIComponent(model.toWellFormed());
}

/**
 * What every answer says: which request, which worker if one was asked, for which model if the client called it by another
 * name, and how long it took (to the first byte).
 */
export function gatewayHeaders(record: CallRecord): HeaderList {
  const list: HeaderList = ['x-request-id', record.requestId];
  if (record.workerId !== '') list.push('x-smg-worker', record.workerId);
  if (record.answerModel !== '') list.push('x-smg-model', printable(record.answerModel));
  const upstreamMs = record.upstreamStartedAt > 0 ? record.headAt - record.upstreamStartedAt : 0;
  const waitedMs = record.queuedAt > 0 ? (record.admittedAt || record.headAt) - record.queuedAt : 0;
  const queueMs = waitedMs + record.heldMs;
  const gatewayMs = record.headAt - record.startedAt - upstreamMs - queueMs;
  list.push(
    'server-timing',
    `gateway;dur=${tenths(gatewayMs)}, upstream;dur=${tenths(upstreamMs)}, queue;dur=${tenths(queueMs)}`,
  );
  if (record.decision !== '') list.push('x-smg-decision', record.decision);
  if (record.translation !== '') list.push('x-smg-translation', record.translation);
  if (record.warnings.length > 0) list.push('x-smg-translation-warnings', warningsText(record.warnings));
  return list;
}

/** A number for an answer that is sent whole; `unknown` for one that the gateway may add to; else the worker's own. */
export type ReplyLength = number | 'unknown' | 'as_sent';

/** `record.headAt` must be set. An upstream error is marked, so that a client can tell it from the gateway's own. */
export function replyHeaders(upstream: HeaderList, record: CallRecord, length: ReplyLength): HeaderList {
  const list = gatewayHeaders(record);
  for (let i = 0; i + 1 < upstream.length; i += 2) {
    const name = upstream[i] as string;
    if (length !== 'as_sent' && name === 'content-length') continue;
    list.push(name, upstream[i + 1] as string);
  }
  if (typeof length === 'number') list.push('content-length', String(length));
  if (record.status >= 400) list.push('x-smg-error-code', 'upstream_error');
  return list;
}

/** The headers of an answer: the worker's own, then what the gateway has to say (behaviour §10). */
import type { HeaderList } from '../domain/headers.ts';
import type { CallRecord } from '../domain/record.ts';

function tenths(ms: number): number {
  return Math.round(Math.max(0, ms) * 10) / 10;
}

/** Milliseconds; on streams up to the first byte. */
export function serverTiming(record: CallRecord, upstreamMs: number): string {
  const total = record.headAt - record.startedAt;
  return `gateway;dur=${tenths(total - upstreamMs)}, upstream;dur=${tenths(upstreamMs)}, queue;dur=0`;
}

export interface ReplyFacts {
  readonly workerId: string;
  /** From the sending of the attempt to the head of the answer. */
  readonly upstreamMs: number;
  /** A number for an answer that is sent whole; `unknown` for one that the gateway may add to; else the worker's own. */
  readonly length: number | 'unknown' | 'as_sent';
}

/** `record.headAt` must be set. An upstream error is marked, so that a client can tell it from the gateway's own. */
export function replyHeaders(upstream: HeaderList, record: CallRecord, facts: ReplyFacts): HeaderList {
  const list: HeaderList = [];
  for (let i = 0; i + 1 < upstream.length; i += 2) {
    const name = upstream[i] as string;
    if (facts.length !== 'as_sent' && name === 'content-length') continue;
    list.push(name, upstream[i + 1] as string);
  }
  if (typeof facts.length === 'number') list.push('content-length', String(facts.length));
  if (record.status >= 400) list.push('x-smg-error-code', 'upstream_error');
  list.push('x-request-id', record.requestId, 'x-smg-worker', facts.workerId);
  list.push('server-timing', serverTiming(record, facts.upstreamMs));
  return list;
}

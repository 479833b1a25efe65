/** What goes with a call beside its message: the worker's key, the trace and the id of the request. */
import type { Metadata } from './rpc.ts';

export interface CallFacts {
  readonly key: string | undefined;
  readonly requestId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

const PRINTABLE = /^[\x20-\x7e]{1,8192}$/;

/** What could not be a header is left out: ids of requests come from clients. */
export function metadataOf({ key, requestId, traceparent, tracestate }: CallFacts): Metadata {
  const all: readonly (readonly [string, string | undefined])[] = [
    ['authorization', key === undefined ? undefined : `Bearer ${key}`],
    ['x-request-id', requestId],
    ['traceparent', traceparent],
    ['tracestate', tracestate],
  ];
  return all.flatMap(([name, value]) => (value !== undefined && PRINTABLE.test(value) ? [[name, value] as const] : []));
}

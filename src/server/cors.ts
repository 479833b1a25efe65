/** CORS: which origins may read answers. Off unless origins are configured. */
import type { HeaderList } from '../domain/headers.ts';

const METHODS = 'GET, POST, PUT, PATCH, DELETE, OPTIONS';
const EXPOSED = [
  ...['x-request-id', 'x-smg-worker', 'x-smg-model', 'x-smg-error-code', 'server-timing', 'retry-after'],
  ...['x-smg-translation', 'x-smg-translation-warnings', 'x-smg-token-count'],
].join(', ');
const MAX_AGE_SECONDS = '3600';

/** The headers for an answer to this origin; empty when it may not read it. */
export function corsHeaders(allowed: readonly string[], origin: string | undefined): HeaderList {
  if (allowed.length === 0 || origin === undefined) return [];
  if (!allowed.includes('*') && !allowed.includes(origin)) return [];
  return ['access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED, 'vary', 'origin'];
}

/** What a preflight is told in addition. Any header may be sent: SDKs have many of their own. */
export function preflightHeaders(requestedHeaders: string | undefined): HeaderList {
  const list: HeaderList = ['access-control-allow-methods', METHODS, 'access-control-max-age', MAX_AGE_SECONDS];
  if (requestedHeaders !== undefined) list.push('access-control-allow-headers', requestedHeaders);
  return list;
}

/** Which headers travel: an allow-list towards workers, hop-by-hop rules back, and exactly one credential. */
import type { HeaderList } from '../../domain/headers.ts';
import type { UpstreamRequest } from '../../domain/ports.ts';

/** Client headers that a self-hosted worker gets. Everything else stays here: cookies, framing, the client's own hop. */
const TO_WORKER = new Set([
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'baggage',
  'content-type',
  'traceparent',
  'tracestate',
  'x-correlation-id',
  'x-smg-routing-key',
]);
const TO_WORKER_PREFIX = 'x-request-id-';

/** Source: RFC 9110 §7.6.1, plus the framing and the proxy headers that are the gateway's own business. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names that the gateway itself sets on every answer; the worker's own are replaced. */
const OWN = new Set(['x-request-id', 'x-smg-worker', 'x-smg-error-code']);

/** The headers of an upstream call. Cost O(client headers). */
export function upstreamHeaders(request: UpstreamRequest): HeaderList {
  const { clientHeaders: client, requestId, key, body } = request;
  const list: HeaderList = [];
  if (requestId !== undefined) list.push('x-request-id', requestId);
  if (key !== undefined) list.push('authorization', `Bearer ${key}`);
  let hasContentType = false;
  for (const name in client) {
    if (!TO_WORKER.has(name) && !name.startsWith(TO_WORKER_PREFIX)) continue;
    const value = client[name];
    if (typeof value !== 'string') continue;
    if (name === 'content-type') hasContentType = true;
    list.push(name, value);
  }
  if (!hasContentType && body !== undefined) list.push('content-type', 'application/json');
  return list;
}

/** The names that a `Connection` header adds to the hop-by-hop ones. */
function namedByConnection(raw: readonly Buffer[]): readonly string[] | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as Buffer;
    if (name.length !== 10 || name.toString('latin1').toLowerCase() !== 'connection') continue;
    const names = (raw[i + 1] as Buffer).toString('latin1').toLowerCase().split(',');
    return names.map((part) => part.trim()).filter((part) => part !== 'keep-alive' && part !== 'close');
  }
  return undefined;
}

/** The worker's answer headers without those of its hop. Repeated headers stay repeated, names become lower-case. */
export function answerHeaders(raw: readonly Buffer[]): HeaderList {
  const named = namedByConnection(raw);
  const list: HeaderList = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1').toLowerCase();
    if (HOP_BY_HOP.has(name) || OWN.has(name)) continue;
    if (named && named.length > 0 && named.includes(name)) continue;
    list.push(name, (raw[i + 1] as Buffer).toString('latin1'));
  }
  return list;
}

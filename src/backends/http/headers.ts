/** Which headers travel: an allow-list towards workers, hop-by-hop rules back, and exactly one credential. */
import type { ClientHeaders } from '../../domain/call.ts';
import type { HeaderList } from '../../domain/headers.ts';
import type { UpstreamRequest } from '../../domain/ports.ts';
import type { Provider } from '../../domain/providers/provider.ts';

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

/** What the edge takes for JSON all the same (curl's -d says so) and engines refuse. */
const JSON_BY_ANOTHER_NAME = /^(application\/x-www-form-urlencoded|text\/json)\b/i;

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
const OWN = new Set(['x-request-id', 'x-smg-worker', 'x-smg-model', 'x-smg-error-code']);

/**
 * What a worker says of its own host and to its own browsers: from the gateway it would be about the gateway's host, whose
 * cookies, transport and CORS are its own business.
 * Sources  RFC 6265, RFC 6797 (HSTS), RFC 7838 (Alt-Svc), Fetch (CORS), Clear Site Data, Network Error Logging
 */
const OF_ITS_HOST = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
]);
const CORS_PREFIX = 'access-control-';

/** Client headers that any provider gets. Who the client is, and what belongs to our own house, stays here. */
const TO_PROVIDER: ReadonlySet<string> = new Set(['accept', 'content-type', 'traceparent', 'tracestate']);

/** Who pays within an account is for its owner to say: with a stored key the client is not. */
const OF_THE_ACCOUNT = new Set(['openai-organization', 'openai-project']);

/** Providers behind web firewalls turn away calls that name no program. */
const PROGRAM = 'smg';

/** The headers of an upstream call: to a provider in its own form. Cost O(client headers). */
export function upstreamHeaders(request: UpstreamRequest, provider: Provider | undefined): HeaderList {
  return provider ? providerHeaders(request, provider) : engineHeaders(request);
}

function providerHeaders(request: UpstreamRequest, provider: Provider): HeaderList {
  const { clientHeaders: client, requestId, key, body } = request;
  const list: HeaderList = ['user-agent', PROGRAM];
  if (requestId !== undefined) list.push('x-request-id', requestId);
  if (key !== undefined) list.push(provider.keyHeader, provider.keyHeader === 'authorization' ? `Bearer ${key}` : key);
  let hasContentType = false;
  for (const name in client) {
    if (!TO_PROVIDER.has(name) && !provider.passHeaders.includes(name)) continue;
    if (request.isCallersKey !== true && OF_THE_ACCOUNT.has(name)) continue;
    const value = client[name];
    if (typeof value !== 'string' || isNoJson(name, value)) continue;
    hasContentType ||= name === 'content-type';
    list.push(name, value);
  }
  pushOwn(list, provider.headers, client);
  if (!hasContentType && body !== undefined) list.push('content-type', 'application/json');
  return list;
}

/** What every call of the provider must have, unless the client has said it for itself. */
function pushOwn(list: HeaderList, own: HeaderList, client: ClientHeaders): void {
  for (let i = 0; i + 1 < own.length; i += 2) {
    const [name = '', value = ''] = [own[i], own[i + 1]];
    if (typeof client[name] !== 'string') list.push(name, value);
  }
}

function isNoJson(name: string, value: string): boolean {
  return name === 'content-type' && JSON_BY_ANOTHER_NAME.test(value);
}

function engineHeaders(request: UpstreamRequest): HeaderList {
  const { clientHeaders: client, requestId, key, rank, body } = request;
  const list: HeaderList = [];
  if (requestId !== undefined) list.push('x-request-id', requestId);
  if (key !== undefined) list.push('authorization', `Bearer ${key}`);
  if (rank !== undefined) list.push('x-data-parallel-rank', String(rank));
  let hasContentType = false;
  for (const name in client) {
    if (!TO_WORKER.has(name) && !name.startsWith(TO_WORKER_PREFIX)) continue;
    const value = client[name];
    if (typeof value !== 'string' || isNoJson(name, value)) continue;
    hasContentType ||= name === 'content-type';
    list.push(name, value);
  }
  if (!hasContentType && body !== undefined) list.push('content-type', 'application/json');
  return list;
}

/** An answer's headers as undici gives them: lower-case names, values of a repeated name in a list. */
export type ParsedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The names that a `Connection` header adds to the hop-by-hop ones. */
function namedByConnection(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined || value === 'keep-alive' || value === 'close') return NONE;
  return String(value)
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
}

const NONE: readonly string[] = [];

function isKept(name: string): boolean {
  return !HOP_BY_HOP.has(name) && !OWN.has(name) && !OF_ITS_HOST.has(name) && !name.startsWith(CORS_PREFIX);
}

/** The worker's answer headers without those of its hop and its host. Repeated headers stay repeated. */
export function answerHeaders(headers: ParsedHeaders): HeaderList {
  const named = namedByConnection(headers['connection']);
  const list: HeaderList = [];
  for (const name in headers) {
    if (!isKept(name) || named.includes(name)) continue;
    const value = headers[name];
    if (typeof value === 'string') list.push(name, value);
    else if (value !== undefined) for (const each of value) list.push(name, each);
  }
  return list;
}

/**
 * Reads a worker's URL as a person writes it and gives the one form that names this worker everywhere: lower-case
 * host, no default port, no trailing slashes, no trailing `/v1` or `/v1beta`. A missing scheme stays missing. Of Azure's
 * deployment URLs `?api-version=` stays, and the path of the API goes. gRPC (`grpc://`, `grpcs://`) has no path and no
 * default port. Pure.
 */

/** The normalised URL, or what is wrong: the end of a sentence that begins with the URL or with the field's name. */
export type UrlReading = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly problem: string };

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const MAX_LENGTH = 2_048;
const NO_LISTENER = 'names port 0, which nothing listens on';
const HAS_CREDENTIALS =
  'carries credentials; give the key of the worker on its own (--worker-api-key, or api_key over REST)';
const NOT_A_URL = 'is not a worker URL such as http://host:8000';

export function readWorkerUrl(raw: string): UrlReading {
  const given = raw.trim();
  if (given === '' || given.length > MAX_LENGTH) return bad(NOT_A_URL);
  if (given.includes(',')) return bad('holds a comma; separate worker URLs by spaces');
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  if (scheme === 'grpc' || scheme === 'grpcs') return readGrpcUrl(given, scheme);
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    return bad(`has the scheme ${scheme.slice(0, 32)}; accepted are http, https, grpc and grpcs`);
  const full = scheme === undefined ? `http://${given}` : given;
  if (!URL.canParse(full) || /\s|:\/\/\//.test(given)) return bad(NOT_A_URL);
  const url = new URL(full);
  if (url.username !== '' || url.password !== '') return bad(HAS_CREDENTIALS);
  if (!VERSION_QUERY.test(url.search) || url.hash !== '')
    return bad('has a query or a fragment; give scheme, host, port and path');
  if (url.port === '0') return bad(NO_LISTENER);
  const place = `${url.host}${pathOf(url)}${url.search}`;
  return { ok: true, url: scheme === undefined ? place : `${url.protocol}//${place}` };
}

/** The one query that is a part of where a worker is; or none. */
const VERSION_QUERY = /^(\?api-version=[\w.-]{1,64})?$/;
const DEPLOYMENT = /^(\/openai\/deployments\/[^/]+)\/(chat\/completions|completions|embeddings)$/;

function pathOf({ pathname }: URL): string {
  const path = pathname.replace(/\/+$/, '');
  return (DEPLOYMENT.exec(path)?.[1] ?? path.replace(/\/v1(beta)?$/, '')).replace(/\/+$/, '');
}

function bad(problem: string): UrlReading {
  return { ok: false, problem };
}

/** The engine's service is all that there is behind host and port. */
function readGrpcUrl(given: string, scheme: 'grpc' | 'grpcs'): UrlReading {
  if (!URL.canParse(given) || /\s|:\/\/\//.test(given)) return bad(NOT_A_URL);
  const url = new URL(given);
  if (url.host === '') return bad(NOT_A_URL);
  if (url.username !== '' || url.password !== '') return bad(HAS_CREDENTIALS);
  if (url.search !== '' || url.hash !== '' || url.pathname.replace(/\/+$/, '') !== '')
    return bad('has more than scheme, host and port, which is all that gRPC knows');
  if (url.port === '') return bad('names no port, and gRPC has no usual one');
  if (url.port === '0') return bad(NO_LISTENER);
  // The platform keeps the letters of hosts as they are for schemes that it does not know.
  return { ok: true, url: `${scheme}://${url.host.toLowerCase()}` };
}

/** Calls go there as tokens. */
export function isGrpcUrl(url: string): boolean {
  return url.startsWith('grpc://') || url.startsWith('grpcs://');
}

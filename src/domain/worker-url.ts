/**
 * Reads a worker's URL as a person writes it and gives the one form that names this worker everywhere: lower-case
 * host, no default port, no trailing slashes, no trailing `/v1` or `/v1beta`. A missing scheme stays missing. Of Azure's
 * deployment URLs `?api-version=` stays, and the path of the API goes. Pure.
 */

/** The normalised URL, or what is wrong: the end of a sentence that begins with the URL or with the field's name. */
export type UrlReading = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly problem: string };

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const MAX_LENGTH = 2_048;
const NOT_A_URL = 'is not a worker URL such as http://host:8000';

export function readWorkerUrl(raw: string): UrlReading {
  const given = raw.trim();
  if (given === '' || given.length > MAX_LENGTH) return bad(NOT_A_URL);
  if (given.includes(',')) return bad('holds a comma; separate worker URLs by spaces');
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  const problem = scheme === undefined ? undefined : problemOfScheme(given, scheme);
  if (problem !== undefined) return bad(problem);
  const full = scheme === undefined ? `http://${given}` : given;
  if (!URL.canParse(full) || /\s|:\/\/\//.test(given)) return bad(NOT_A_URL);
  const url = new URL(full);
  if (url.username !== '' || url.password !== '')
    return bad('carries credentials; give the key of the worker on its own (--worker-api-key, or api_key over REST)');
  if (!VERSION_QUERY.test(url.search) || url.hash !== '')
    return bad('has a query or a fragment; give scheme, host, port and path');
  if (url.port === '0') return bad('names port 0, which nothing listens on');
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

function problemOfScheme(given: string, scheme: string): string | undefined {
  if (scheme === 'http' || scheme === 'https') return undefined;
  if (scheme === 'grpc' || scheme === 'grpcs') {
    const hint = given.replace(SCHEME, scheme === 'grpc' ? 'http://' : 'https://').replace(/\/\/[^/]*@/, '//');
    const fact = 'is a gRPC worker, and gRPC workers are not available yet in this version';
    return `${fact}; use the engine's HTTP port, as in ${JSON.stringify(hint)}`;
  }
  return `has the scheme ${scheme.slice(0, 32)}; accepted are http and https`;
}

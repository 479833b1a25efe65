/**
 * Reads a worker's URL as a person writes it and gives the one form that names this worker everywhere: lower-case
 * host, no default port, no trailing slashes, no trailing `/v1`. A missing scheme stays missing. Pure.
 */
import { bad, good, type Reading, show } from './option.ts';

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

function complaintAboutScheme(raw: string, scheme: string): string | undefined {
  if (scheme === 'http' || scheme === 'https') return undefined;
  if (scheme === 'grpc' || scheme === 'grpcs') {
    const hint = raw.replace(SCHEME, scheme === 'grpc' ? 'http://' : 'https://');
    const fact = 'is a gRPC worker, and gRPC workers are not available yet in this version';
    return `${show(raw)} ${fact}; use the engine's HTTP port, as in ${show(hint)}`;
  }
  return `${show(raw)} has the scheme ${scheme}; accepted are http and https`;
}

function complaintAboutParts(raw: string, url: URL): string | undefined {
  if (url.username !== '' || url.password !== '') {
    return `${show(raw)} carries credentials; give the key with --worker-api-key instead`;
  }
  return url.search !== '' || url.hash !== ''
    ? `${show(raw)} has a query or a fragment; give scheme, host, port and path`
    : undefined;
}

/** Reads one worker URL; the value has the normalised form. */
export function readWorkerUrl(raw: unknown): Reading<string> {
  if (typeof raw !== 'string' || raw.trim() === '')
    return bad(`${show(raw)} is not a worker URL such as http://host:8000`);
  const given = raw.trim();
  if (given.includes(',')) return bad(`${show(raw)} holds a comma; separate worker URLs by spaces`);
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  const complaint = scheme === undefined ? undefined : complaintAboutScheme(given, scheme);
  if (complaint !== undefined) return bad(complaint);
  const full = scheme === undefined ? `http://${given}` : given;
  if (!URL.canParse(full) || /\s|:\/\/\//.test(given))
    return bad(`${show(raw)} is not a worker URL such as http://host:8000`);
  const url = new URL(full);
  const fault = complaintAboutParts(given, url);
  if (fault !== undefined) return bad(fault);
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '');
  return good(scheme === undefined ? `${url.host}${path}` : `${url.protocol}//${url.host}${path}`);
}

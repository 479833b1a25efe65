/** Which key goes to which worker (behaviour §5). Keys are values here; nothing in this file keeps or shows one. */
import type { ClientHeaders } from './call.ts';
import { providerAt, providers } from './providers/index.ts';
import type { Worker } from './worker.ts';

/** Where a caller puts a key for the worker when its other headers carry a key of the gateway. */
export const PROVIDER_KEY_HEADER = 'x-smg-provider-key';

/** A key has no spaces; two headers of one name, which arrive joined by `, `, are therefore none. */
const KEY = /^[\x21-\x7e]+$/;
const BEARER = /^bearer +([\x21-\x7e]+)$/i;

/** The keys of a request, in the order in which they are preferred; what has not the form of a key is left out. */
export function credentialsOf(headers: ClientHeaders): string[] {
  const { authorization } = headers;
  const token = typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
  return [token, headers['x-api-key'], headers['x-goog-api-key']].filter(isKey);
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}

/**
 * What people put where an SDK insists on a key and they have none to give; the last is from llama.cpp's documentation.
 * Such a word is no key: the stored one is meant.
 */
const NO_KEYS: ReadonlySet<string> = new Set([
  'none',
  'empty',
  'null',
  'dummy',
  'unused',
  'not-needed',
  'no-key',
  'placeholder',
  'sk-no-key-required',
]);

/**
 * The caller's own key for the worker: what it sends as such, else what its SDK sends, unless that is the gateway's or
 * stands for no key at all.
 */
export function callerKeyOf(headers: ClientHeaders, usedGatewayKey: boolean): string | undefined {
  const own = headers[PROVIDER_KEY_HEADER];
  if (isKey(own)) return own;
  return usedGatewayKey ? undefined : credentialsOf(headers).find((key) => !NO_KEYS.has(key.toLowerCase()));
}

/** Beginnings that name a provider, the longest first: `sk-ant-` is not `sk-`. */
const SHAPES: readonly (readonly [beginning: string, provider: string])[] = providers
  .flatMap(({ name, keyShapes }) => keyShapes.map((beginning) => [beginning, name] as const))
  .toSorted(([a], [b]) => b.length - a.length);

/** Name of the provider that the shape of a key names, or undefined for a key of no telling shape. */
export function providerOfKey(key: string): string | undefined {
  return SHAPES.find(([beginning]) => key.startsWith(beginning))?.[1];
}

/**
 * The caller's key as far as it may go to this worker; undefined: it must stay here.
 * A key whose shape names a provider goes to workers of that provider only. Any other goes to self-hosted workers, and
 * to one provider: `boundTo` is the name of the provider that this call has been placed on first, undefined before that.
 */
export function callerKeyFor(
  { address: { provider } }: Pick<Worker, 'address'>,
  callerKey: string | undefined,
  boundTo: string | undefined,
): string | undefined {
  if (callerKey === undefined) return undefined;
  const named = providerOfKey(callerKey);
  if (named !== undefined) return named === provider?.name ? callerKey : undefined;
  return provider === undefined || boundTo === undefined || boundTo === provider.name ? callerKey : undefined;
}

/** The key to send: the caller's if it may go there, else the worker's stored key, else none. */
export function keyFor(
  worker: Pick<Worker, 'address' | 'spec'>,
  callerKey: string | undefined,
  boundTo?: string,
): string | undefined {
  return callerKeyFor(worker, callerKey, boundTo) ?? worker.spec.apiKey;
}

/**
 * No key can be sent, and the answer would be that one is missing: at the host of a provider that wants keys. A relay at
 * a host of its own may have one to put in.
 */
export function lacksKey(
  worker: Pick<Worker, 'address' | 'spec'>,
  callerKey: string | undefined,
  boundTo?: string,
): boolean {
  const { provider, url } = worker.address;
  if (provider === undefined || provider.mayListOpenly) return false;
  return keyFor(worker, callerKey, boundTo) === undefined && providerAt(url) !== undefined;
}

/**
 * Stands for the key that a worker is really asked with in its cool-downs: the hash of the caller's key where that one
 * is sent, and 0 for the stored key or none. `hash` of a key is never 0 here.
 */
export function digestOfKey(
  worker: Pick<Worker, 'address'>,
  { callerKey, boundTo }: { readonly callerKey: string | undefined; readonly boundTo: string | undefined },
  hash: (key: string) => number,
): number {
  const key = callerKeyFor(worker, callerKey, boundTo);
  return key === undefined ? 0 : hash(key) || 1;
}

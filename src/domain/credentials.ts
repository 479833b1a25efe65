/** Which key goes to which worker (behaviour §5). Keys are values here; nothing in this file keeps or shows one. */
import type { ClientHeaders } from './call.ts';
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
 * The caller's own key for the worker: what it sends as such, else what its SDK sends, unless that is the gateway's.
 */
export function callerKeyOf(headers: ClientHeaders, usedGatewayKey: boolean): string | undefined {
  const own = headers[PROVIDER_KEY_HEADER];
  if (isKey(own)) return own;
  return usedGatewayKey ? undefined : credentialsOf(headers)[0];
}

export type Provider = 'openai' | 'anthropic' | 'xai' | 'gemini';

/** Longer prefixes first: `sk-ant-` also begins with `sk-`. */
const SHAPES: readonly (readonly [prefix: string, provider: Provider])[] = [
  ['sk-ant-', 'anthropic'],
  ['sk-proj-', 'openai'],
  ['xai-', 'xai'],
  ['AIza', 'gemini'],
];

/** The provider that the shape of a key names, or undefined for a key of no telling shape. */
export function providerOfKey(key: string): Provider | undefined {
  return SHAPES.find(([prefix]) => key.startsWith(prefix))?.[1];
}

/** The caller's key as far as it may travel to a self-hosted worker: one that belongs to a cloud stays here. */
export function keyForOwnWorkers(callerKey: string | undefined): string | undefined {
  return callerKey !== undefined && providerOfKey(callerKey) === undefined ? callerKey : undefined;
}

/** The key to send: the caller's if it may go there, else the worker's stored key, else none. */
export function keyFor(worker: Worker, callerKey: string | undefined): string | undefined {
  return keyForOwnWorkers(callerKey) ?? worker.spec.apiKey;
}

/**
 * Where an API of a worker is: the worker's URL, what of the provider's base path it lacks, the API's own path. The path
 * that is given here comes behind that of the URL. Pure.
 */
import type { ProtocolName } from '../call.ts';
import { GatewayError } from '../errors.ts';
import type { WorkerAddress } from '../worker.ts';
import type { Provider, SpokenApi } from './provider.ts';

type Place = Pick<WorkerAddress, 'url' | 'provider'>;

/** What self-hosted engines speak, as far as calls are translated for them. */
const ENGINE_APIS: readonly SpokenApi[] = [
  { protocol: 'openai-chat', path: '/v1/chat/completions' },
  { protocol: 'openai-responses', path: '/v1/responses' },
  { protocol: 'anthropic-messages', path: '/v1/messages' },
  { protocol: 'anthropic-count-tokens', path: '/v1/messages/count_tokens' },
  { protocol: 'openai-completions', path: '/v1/completions' },
  { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  { protocol: 'rerank', path: '/v1/rerank' },
];

/** The API of that protocol, or undefined when the provider has none. No provider: a self-hosted engine. */
export function apiOf(provider: Provider | undefined, protocol: ProtocolName): SpokenApi | undefined {
  return (provider?.apis ?? ENGINE_APIS).find((api) => api.protocol === protocol);
}

/**
 * Path and query of a call, behind the path of the worker's URL. `model` as the worker calls it. Throws
 * `invalid_request` for a model that a path cannot name.
 */
export function upstreamPathOf(address: Place, api: SpokenApi, model: string, isStream: boolean): string {
  const path = (isStream ? api.streamPath : undefined) ?? api.path;
  // A tuned model of Gemini's has a collection of its own, which its name begins with.
  const name = model.replace(/^models\//, '');
  const place = name.startsWith('tunedModels/') ? path.replace('models/{model}', '{model}') : path;
  return joined(address, place, name);
}

/** Where the models are listed, or undefined when the provider does not list them. */
export function listingPathOf(address: Place): string | undefined {
  const listing = address.provider?.listing;
  return listing && joined(address, listing.path, '');
}

function joined({ url, provider }: Place, path: string, model: string): string {
  const place = new URL(url);
  const own = place.pathname.replace(/\/+$/, '');
  const full = missingOf(provider?.basePath ?? '', own) + path;
  const named = full.replace('{model}', () => inPath(model));
  return named + (place.search === '' ? (provider?.query ?? '') : place.search);
}

/** Longer ones are nobody's. */
const MAX_NAME = 512;

/**
 * A client's word in a path that is asked with a stored key: no part of it may be a step to another path, percent-encoded
 * or not (WHATWG URL, double-dot path segments).
 */
function inPath(model: string): string {
  const parts = model.split('/');
  const isOne = model.isWellFormed() && model.length <= MAX_NAME && parts.every((part) => !/^\.{0,2}$/.test(part));
  if (!isOne) throw new GatewayError('invalid_request', '`model` is no name of a model.', { param: 'model' });
  return parts.map(encodeURIComponent).join('/');
}

/** What of the base path is not at the end of the URL's path. A URL with another path of its own is taken as it is. */
function missingOf(base: string, own: string): string {
  if (own === '') return base;
  return base.startsWith(`${own}/`) ? base.slice(own.length) : '';
}

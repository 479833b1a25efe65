/**
 * Fetches pictures and files that a request names by URL, for providers that take bytes only. The URL is a client's
 * word, so nothing is trusted: http and https alone, public addresses alone, and the address that was checked is the
 * one that is connected to, so that a name cannot mean one thing when it is looked at and another when it is used.
 * Each redirect is checked anew. Nothing of the client's or the gateway's is sent along.
 * Bound   size, time and redirects of each fetch     Errors  `media_unreachable`; what failed on the way is not told,
 *         because the answer would say what there is behind an address
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { FetchedMedia, MediaFetcher, MediaKind } from '../../domain/ports.ts';
import { isOfKind, mediaTypeOf } from './media-type.ts';
import { isPublicAddress } from './public-address.ts';

export interface MediaLimits {
  readonly maxBytes: number;
  /** For one file, redirects and all. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
}

export const MEDIA_LIMITS: MediaLimits = { maxBytes: 20 * 1024 * 1024, timeoutMs: 15_000, maxRedirects: 3 };

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface MediaFetcherOptions {
  /** Names and addresses, lower-case, that may be anywhere. */
  readonly allowedHosts: readonly string[];
  readonly limits?: MediaLimits;
  /** Every address of a name. */
  readonly lookup?: (host: string) => Promise<readonly ResolvedAddress[]>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const UNREACHABLE = 'could not be fetched from its URL';

export class HttpMediaFetcher implements MediaFetcher {
  readonly #clock: Clock;
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #limits: MediaLimits;
  readonly #lookup: (host: string) => Promise<readonly ResolvedAddress[]>;

  constructor(clock: Clock, { allowedHosts, limits = MEDIA_LIMITS, lookup = lookUp }: MediaFetcherOptions) {
    this.#clock = clock;
    this.#allowedHosts = new Set(allowedHosts);
    this.#limits = limits;
    this.#lookup = lookup;
  }

  async fetch(url: string, kind: MediaKind, signal: AbortSignal): Promise<FetchedMedia> {
    const ended = new AbortController();
    const timer = this.#clock.setTimer(() => ended.abort(), this.#limits.timeoutMs);
    try {
      return await this.#follow(url, kind, AbortSignal.any([signal, ended.signal]));
    } catch (thrown) {
      if (thrown instanceof GatewayError) throw thrown;
      throw refused(ended.signal.aborted ? 'took too long to be fetched' : UNREACHABLE, thrown);
    } finally {
      this.#clock.clearTimer(timer);
    }
  }

  async #follow(url: string, kind: MediaKind, signal: AbortSignal): Promise<FetchedMedia> {
    let next = readUrl(url, undefined);
    for (let redirects = 0; ; redirects += 1) {
      const step = await this.#get(next, kind, signal);
      if (typeof step !== 'string') return step;
      if (redirects === this.#limits.maxRedirects) throw refused('is redirected too often');
      next = readUrl(step, next);
    }
  }

  /** The file, or where else it is. */
  async #get(url: URL, kind: MediaKind, signal: AbortSignal): Promise<FetchedMedia | string> {
    const addresses = await untilAborted(this.#addressesOf(url), signal);
    const client = new Client(url.origin, {
      connect: { timeout: this.#limits.timeoutMs, lookup: pinnedTo(addresses) },
      headersTimeout: this.#limits.timeoutMs,
      bodyTimeout: this.#limits.timeoutMs,
      maxHeaderSize: 16 * 1024,
    });
    try {
      const path = url.pathname + url.search;
      const headers = { accept: '*/*', 'user-agent': 'smg' };
      const answer = await client.request({ method: 'GET', path, headers, signal });
      if (REDIRECTS.has(answer.statusCode)) return locationOf(answer);
      if (answer.statusCode !== 200) throw refused(UNREACHABLE);
      return fileOf(await this.#read(answer), kind, answer.headers['content-type']);
    } finally {
      // Also ends a body that nobody reads. There is nobody to hear that a dead client would not die.
      client.destroy().catch(() => undefined);
    }
  }

  async #read({ headers, body }: Dispatcher.ResponseData): Promise<Buffer> {
    const { maxBytes } = this.#limits;
    const tooLong = () => refused(`is longer than ${maxBytes / 1024 / 1024} MiB`);
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLong();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      const bytes = chunk as Buffer;
      size += bytes.length;
      if (size > maxBytes) throw tooLong();
      chunks.push(bytes);
    }
    return Buffer.concat(chunks);
  }

  /** Every address that the host has; refused as a whole when one of them is not public. */
  async #addressesOf({ hostname }: URL): Promise<readonly ResolvedAddress[]> {
    const name = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(name);
    const addresses = family > 0 ? [{ address: name, family }] : await this.#lookup(name);
    const isAllowed = this.#allowedHosts.has(name);
    if (addresses.length > 0 && (isAllowed || addresses.every(({ address }) => isPublicAddress(address))))
      return addresses;
    throw refused('has a URL that does not lead to a public address');
  }
}

function lookUp(host: string): Promise<readonly ResolvedAddress[]> {
  return systemLookup(host, { all: true });
}

function refused(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('media_unreachable', reason, cause === undefined ? {} : { cause });
}

function readUrl(text: string, base: URL | undefined): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw refused('has no http or https URL');
  if (url.username !== '' || url.password !== '') throw refused('has credentials in its URL');
  return url;
}

function locationOf({ headers }: Dispatcher.ResponseData): string {
  const { location } = headers;
  if (typeof location !== 'string') throw refused(UNREACHABLE);
  return location;
}

function fileOf(bytes: Buffer, kind: MediaKind, declared: string | string[] | undefined): FetchedMedia {
  const mediaType = mediaTypeOf(bytes, typeof declared === 'string' ? declared : undefined);
  if (mediaType === undefined || !isOfKind(mediaType, kind)) throw refused(`is not ${KIND_WORDS[kind]}`);
  return { base64: bytes.toString('base64'), mediaType };
}

const KIND_WORDS: Readonly<Record<MediaKind, string>> = {
  image: 'a picture',
  audio: 'a sound',
  file: 'a kind of file that is known here',
};

/** In place of a second look at the name: the addresses that were checked, and no others. */
function pinnedTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else if (first) callback(null, first.address, first.family);
    else callback(new Error('There is no address.'), '');
  };
}

/** A name is looked up by a call that cannot be ended; whoever waits for it can. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('aborted'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

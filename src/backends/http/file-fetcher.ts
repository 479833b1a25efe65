/**
 * Fetches files from hosts that the operator names (a hub of models): http and https, a few redirects, bounded in size and
 * in the silence between two parts. The credential goes to the first host only. Unlike the media fetcher it may connect
 * anywhere, because no client chooses where.
 */
import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import type { FileFetcher } from '../../domain/ports.ts';

export interface FileFetchTimes {
  readonly connectMs: number;
  /** Until the headers, and between two parts of the body. */
  readonly silenceMs: number;
}

const TIMES: FileFetchTimes = { connectMs: 10_000, silenceMs: 60_000 };
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type Options = Parameters<FileFetcher['fetchFile']>[1];

export class HttpFileFetcher implements FileFetcher {
  readonly #times: FileFetchTimes;

  constructor(times: FileFetchTimes = TIMES) {
    this.#times = times;
  }

  async fetchFile(url: string, options: Options): Promise<Buffer> {
    let next = readUrl(url, undefined);
    const { origin } = next;
    for (let redirects = 0; ; redirects += 1) {
      const bearer = next.origin === origin ? options.bearer : undefined;
      const step = await this.#get(next, { ...options, bearer });
      if (typeof step !== 'string') return step;
      if (redirects === MAX_REDIRECTS) throw new Error('it redirects too often');
      next = readUrl(step, next);
    }
  }

  /** The file, or where else it is. */
  async #get(url: URL, { bearer, maxBytes, signal }: Options): Promise<Buffer | string> {
    const { connectMs, silenceMs } = this.#times;
    const client = new Client(url.origin, {
      connect: { timeout: connectMs },
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      maxHeaderSize: 32 * 1024,
    });
    try {
      const headers = { accept: '*/*', 'user-agent': 'smg', ...(bearer && { authorization: `Bearer ${bearer}` }) };
      const answer = await client.request({ method: 'GET', path: url.pathname + url.search, headers, signal });
      if (REDIRECTS.has(answer.statusCode)) return locationOf(answer);
      if (answer.statusCode !== 200) throw new Error(`it answered with ${answer.statusCode}`);
      return await read(answer, maxBytes);
    } catch (thrown) {
      throw explained(thrown, signal);
    } finally {
      // Also ends a body that nobody reads. There is nobody to hear that a dead client would not die.
      client.destroy().catch(() => undefined);
    }
  }
}

async function read({ headers, body }: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  const tooLong = () => new Error(`a file is longer than ${maxBytes} bytes`);
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

function readUrl(text: string, base: URL | undefined): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new Error('it has no http or https URL');
  if (base?.protocol === 'https:' && url.protocol === 'http:') throw new Error('it redirects from https to http');
  return url;
}

function locationOf({ headers: { location } }: Dispatcher.ResponseData): string {
  if (typeof location !== 'string') throw new Error('it redirects to nowhere');
  return location;
}

/** Codes of the system and of undici say enough, and nothing of the URL. */
function explained(thrown: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return new Error('it took too long', { cause: thrown });
  if (!(thrown instanceof Error)) return new Error('it could not be reached', { cause: thrown });
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return code === undefined ? thrown : new Error(`it could not be reached (${code})`, { cause: thrown });
}

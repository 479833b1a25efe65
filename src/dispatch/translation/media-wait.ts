/**
 * Fetching what one request names by URL: a few at a time, each URL once, all of it bounded. Ends early when the client
 * leaves or the call is ended from above; then nothing is said, because whoever ended it knows.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { FetchedMedia, MediaFetcher } from '../../domain/ports.ts';
import type { NamedMedia } from './media-parts.ts';
import { mediaKey } from './media-parts.ts';
import type { Wait } from './outbound.ts';

/** At the same time, for one call. */
const MAX_PARALLEL = 4;
/** For one call; providers take a hundred pictures and some tens of megabytes. */
const MAX_FILES = 100;
/** As base64. */
const MAX_CHARACTERS = 96 * 1024 * 1024;

export class MediaWait implements Wait {
  readonly done: Promise<void>;
  readonly #fetcher: MediaFetcher;
  /** Where the bytes go. */
  readonly #bytes: Map<string, FetchedMedia>;
  readonly #ended = new AbortController();
  #isLeft = false;
  #characters = 0;

  constructor(fetcher: MediaFetcher, named: readonly NamedMedia[], bytes: Map<string, FetchedMedia>) {
    this.#fetcher = fetcher;
    this.#bytes = bytes;
    this.done = this.#fetchAll(named);
  }

  clientGone(): void {
    this.#leave();
  }

  drained(): void {}

  cancel(): void {
    this.#leave();
  }

  #leave(): void {
    this.#isLeft = true;
    this.#ended.abort();
  }

  async #fetchAll(named: readonly NamedMedia[]): Promise<void> {
    const once = [...new Map(named.map((media) => [mediaKey(media), media])).values()];
    const waiting = once.values();
    try {
      if (once.length > MAX_FILES) throw tooMuch(`names ${once.length} files by URL; at most ${MAX_FILES} are fetched`);
      await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, once.length) }, () => this.#fetchSome(waiting)));
    } catch (thrown) {
      if (!this.#isLeft) throw thrown;
    } finally {
      // One that failed ends the others.
      this.#ended.abort();
    }
  }

  /** One of several that take from the same list. */
  async #fetchSome(waiting: Iterator<NamedMedia>): Promise<void> {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const media = await this.#fetchOne(next.value);
      this.#characters += media.base64.length;
      if (this.#characters > MAX_CHARACTERS) throw tooMuch('names more by URL than can be fetched for one call');
      this.#bytes.set(mediaKey(next.value), media);
    }
  }

  async #fetchOne({ url, kind, field }: NamedMedia): Promise<FetchedMedia> {
    try {
      return await this.#fetcher.fetch(url, kind, this.#ended.signal);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      throw new GatewayError(thrown.code, `\`${field}\` ${thrown.message}.`, { param: field, cause: thrown });
    }
  }
}

function tooMuch(reason: string): GatewayError {
  return new GatewayError('media_unreachable', `The request ${reason}.`);
}

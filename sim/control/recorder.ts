/**
 * Remembers recent requests and their bodies exactly as they came, to prove that bytes pass untouched.
 * Bounded: the last 32 requests (or as many as its owner says) and 64 MB of bodies (the newest is always kept).
 */

import { createHash } from 'node:crypto';

/** One recorded request. */
export interface RecordedRequest {
  readonly method: string;
  /** Path with query, as received. */
  readonly path: string;
  /** Header names and values in the order and case received. */
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBase64: string;
  /** SHA-256 of the body, hexadecimal. */
  readonly sha256: string;
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const MOST_ENTRIES = 32;
const MOST_BYTES = 64 * 1024 * 1024;

/** A bounded memory of requests, newest last. Hashing happens only when somebody reads. */
export class Recorder {
  readonly #entries: Entry[] = [];
  readonly #mostEntries: number;
  #bytes = 0;

  constructor(mostEntries = MOST_ENTRIES) {
    this.#mostEntries = mostEntries;
  }

  record(method: string, path: string, rawHeaders: readonly string[], body: Buffer): void {
    this.#entries.push({ method, path, rawHeaders, body });
    this.#bytes += body.length;
    while (this.#entries.length > 1 && (this.#entries.length > this.#mostEntries || this.#bytes > MOST_BYTES)) {
      this.#bytes -= this.#entries.shift()?.body.length ?? 0;
    }
  }

  /** Everything remembered, oldest first. */
  all(): readonly RecordedRequest[] {
    return this.#entries.map(readEntry);
  }

  /** The last request (`back` 0), the one before (1), … or undefined. */
  last(back = 0): RecordedRequest | undefined {
    const entry = this.#entries.at(-1 - back);
    return entry === undefined || back < 0 ? undefined : readEntry(entry);
  }
}

function readEntry(entry: Entry): RecordedRequest {
  return {
    method: entry.method,
    path: entry.path,
    headers: headerPairs(entry.rawHeaders),
    bodyBase64: entry.body.toString('base64'),
    sha256: createHash('sha256').update(entry.body).digest('hex'),
  };
}

function headerPairs(rawHeaders: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] as string, rawHeaders[index + 1] as string]);
  }
  return pairs;
}

/**
 * The credentials a request carries, wherever callers put them, and the memory of all that were ever seen.
 * Bounded: the first 1,000 different pairs of place and value.
 */

/** One credential, as sent. */
export interface SeenKey {
  /** Header name in lower case, or `?key` for the query parameter. */
  readonly header: string;
  /** The whole value, for a bearer token without its scheme. */
  readonly value: string;
}

const CREDENTIAL_HEADERS = new Set(['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'proxy-authorization']);
const MOST_KEYS = 1000;

/** Every credential of a request: one entry for each header line that holds one, and for `?key=`. */
export function credentialsOf(rawHeaders: readonly string[], query: URLSearchParams): readonly SeenKey[] {
  const found: SeenKey[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const header = (rawHeaders[index] ?? '').toLowerCase();
    if (!CREDENTIAL_HEADERS.has(header)) continue;
    found.push({ header, value: (rawHeaders[index + 1] ?? '').replace(/^Bearer /i, '') });
  }
  return [...found, ...query.getAll('key').map((value) => ({ header: '?key', value }))];
}

/** Remembers which credentials a provider was ever sent. */
export class KeyMemory {
  readonly #seen = new Map<string, SeenKey>();

  note(keys: readonly SeenKey[]): void {
    for (const key of keys) {
      if (this.#seen.size < MOST_KEYS) this.#seen.set(`${key.header} ${key.value}`, key);
    }
  }

  /** Each pair of place and value once, in the order first seen. */
  all(): readonly SeenKey[] {
    return [...this.#seen.values()];
  }
}

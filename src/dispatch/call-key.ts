/**
 * Which key a call uses with each worker, and what stands for it in cool-downs: the caller's own where it may go, else
 * the stored one. A worker that has had enough of one key may still serve another.
 * Cost  nothing for a caller without a key; else one choice of key for each change of provider in the pool
 */
import { callerKeyFor, digestOfKey, keyFor, lacksKey } from '../domain/credentials.ts';
import type { Provider } from '../domain/providers/provider.ts';
import type { Worker } from '../domain/worker.ts';

/** Makes a number of a key, never 0. */
export type KeyDigest = (key: string) => number;

/** Stands for a worker's stored key, and for none. */
const STORED = 0;

export class CallKey {
  readonly #callerKey: string | undefined;
  readonly #digest: number;
  /** Name of the provider that the caller's key is bound to: that of the first cloud worker that got the call. */
  #boundTo: string | undefined;
  /** The answer for the provider asked last: the workers of a pool are mostly of one. */
  #lastProvider: Provider | undefined;
  #lastDigest: number | undefined;

  constructor(callerKey: string | undefined, digest: KeyDigest) {
    this.#callerKey = callerKey;
    this.#digest = callerKey === undefined ? STORED : digest(callerKey);
  }

  get boundTo(): string | undefined {
    return this.#boundTo;
  }

  /** The key to send to this worker, or undefined for none. */
  keyFor(worker: Worker): string | undefined {
    return keyFor(worker, this.#callerKey, this.#boundTo);
  }

  /** There is none, and this worker cannot do without. */
  lacksKey(worker: Worker): boolean {
    return lacksKey(worker, this.#callerKey, this.#boundTo);
  }

  /** That key is the caller's own. */
  isCallersFor(worker: Worker): boolean {
    return callerKeyFor(worker, this.#callerKey, this.#boundTo) !== undefined;
  }

  /** What stands for that key: 0 for a stored one or none. */
  digestFor(worker: Worker): number {
    if (this.#digest === STORED) return STORED;
    const { provider } = worker.address;
    if (this.#lastDigest === undefined || provider !== this.#lastProvider) {
      this.#lastProvider = provider;
      const key = { callerKey: this.#callerKey, boundTo: this.#boundTo };
      this.#lastDigest = digestOfKey(worker, key, () => this.#digest);
    }
    return this.#lastDigest;
  }

  /** The call goes to this worker now. */
  placedOn({ address: { provider } }: Worker): void {
    if (this.#boundTo !== undefined || provider === undefined) return;
    this.#boundTo = provider.name;
    this.#lastDigest = undefined;
  }
}

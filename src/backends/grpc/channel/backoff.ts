/** When a worker may be connected to again: at once after a connection that worked, ever later after failures in a row. */

export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #delayMs = 0;
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  mayConnect(now: number): boolean {
    return now >= this.#retryAt;
  }

  /** Tries that fail side by side count as one. */
  failed(now: number): void {
    if (!this.mayConnect(now)) return;
    this.#delayMs = Math.min(this.#maxMs, Math.max(this.#minMs, this.#delayMs * 2));
    this.#retryAt = now + this.#delayMs;
  }

  worked(): void {
    this.#delayMs = 0;
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }
}

/**
 * The retry budget: upstream attempts stay within (1 + ratio) x client calls, so that retries cannot multiply an
 * outage. A token bucket: each call pays `ratio` tokens in, each retry takes one out; time alone refills it only up
 * to `minimum`, so that a quiet gateway can always retry a few.
 * Owner: one per gateway. Cost O(1), no timers.
 */
export interface RetryBudgetOptions {
  /** Retries per call in the long run, e.g. 0.2. */
  readonly ratio: number;
  /** Retries that a quiet gateway may always make at once. */
  readonly minimum: number;
}

/** The bucket starts with and holds at most this many minimums: room for what breakers have yet to learn. */
const START_FACTOR = 5;
const CAPACITY_FACTOR = 32;
/** Time in which an empty bucket regains `minimum`. */
const REFILL_MS = 3_000;

export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #tokens: number;
  #refilledAt: number;

  constructor(options: RetryBudgetOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.minimum * START_FACTOR;
    this.#refilledAt = nowMs;
  }

  /** A client call arrived. */
  deposit(): void {
    const capacity = this.#options.minimum * CAPACITY_FACTOR;
    this.#tokens = Math.min(Math.max(capacity, 1), this.#tokens + this.#options.ratio);
  }

  /** Takes one retry's worth; false when the budget is spent. */
  withdraw(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(nowMs: number): void {
    const { minimum } = this.#options;
    const gained = ((nowMs - this.#refilledAt) / REFILL_MS) * minimum;
    this.#refilledAt = nowMs;
    if (this.#tokens < minimum) this.#tokens = Math.min(minimum, this.#tokens + gained);
  }
}

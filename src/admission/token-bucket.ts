/**
 * At most `ratePerSecond` in the long run, and `burst` at once. Plain data, time is an argument.
 * Cost  O(1), no timers      Owner  the admission gate
 */
export class TokenBucket {
  readonly #ratePerMs: number;
  #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(ratePerSecond: number, burst: number, nowMs: number) {
    this.#ratePerMs = ratePerSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = nowMs;
  }

  has(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= 1;
  }

  /** Only after `has` said yes at the same moment. */
  take(): void {
    this.#tokens -= 1;
  }

  /** When the next token is there, in ms of the clock. */
  nextAt(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 ? nowMs : nowMs + (1 - this.#tokens) / this.#ratePerMs;
  }

  resize(burst: number): void {
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAt) * this.#ratePerMs);
    this.#filledAt = nowMs;
    // What rounding leaves below a whole token would make a timer at `nextAt` come a hair too early, again and again.
    if (this.#tokens > 1 - 1e-9 && this.#tokens < 1) this.#tokens = 1;
  }
}

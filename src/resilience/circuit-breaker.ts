/**
 * A circuit breaker as a state machine over plain data; time is an argument.
 *
 *   closed --failures in a row--> open --timeout--> half_open --successes in a row--> closed
 *                                   ^------------- one failure ------------------------'
 *
 * Half-open admits one probe at a time. A failure older than the window does not count towards the row. Unless it is
 * closed only probes count: what a call that began before it opened comes to is old news.
 * Cost O(1). Owner: one per worker, in workers/health.ts.
 */
export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerOptions {
  /** Consecutive failures that open it; Infinity = never. */
  readonly failureThreshold: number;
  /** Consecutive half-open successes that close it. */
  readonly successThreshold: number;
  readonly openMs: number;
  readonly windowMs: number;
}

export class CircuitBreaker {
  #options: BreakerOptions;
  readonly #onChange: (from: BreakerState, to: BreakerState) => void;
  #state: BreakerState = 'closed';
  #failures = 0;
  #successes = 0;
  #firstFailureAt = 0;
  #openedAt = 0;
  #isProbing = false;

  constructor(options: BreakerOptions, onChange: (from: BreakerState, to: BreakerState) => void) {
    this.#options = options;
    this.#onChange = onChange;
  }

  /** Other options from now on; the counts stay. One that shall never open is closed. */
  adopt(options: BreakerOptions): void {
    this.#options = options;
    if (options.failureThreshold !== Number.POSITIVE_INFINITY || this.#state === 'closed') return;
    this.#failures = 0;
    this.#isProbing = false;
    this.#move('closed');
  }

  get state(): BreakerState {
    return this.#state;
  }

  get consecutiveFailures(): number {
    return this.#failures;
  }

  get consecutiveSuccesses(): number {
    return this.#successes;
  }

  /** Half-open, and its probe has not ended. */
  get isBeingTried(): boolean {
    return this.#state === 'half_open' && this.#isProbing;
  }

  /** May a call be sent now? Asking changes nothing: a call that is really sent says so with `started`. */
  mayServe(nowMs: number): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'open') return nowMs - this.#openedAt >= this.#options.openMs;
    return !this.#isProbing;
  }

  /** A call is being sent. True when it is the probe of a half-open breaker. */
  started(nowMs: number): boolean {
    if (this.#state === 'closed') return false;
    if (this.#state === 'open') {
      if (nowMs - this.#openedAt < this.#options.openMs) return false;
      this.#successes = 0;
      this.#move('half_open');
    }
    this.#isProbing = true;
    return true;
  }

  /** The call ended well. `wasProbe` is what `started` returned for it. */
  succeeded(wasProbe: boolean): void {
    if (wasProbe) this.#isProbing = false;
    else if (this.#state !== 'closed') return;
    this.#failures = 0;
    this.#successes += 1;
    if (this.#state === 'half_open' && this.#successes >= this.#options.successThreshold) this.#move('closed');
  }

  failed(wasProbe: boolean, nowMs: number): void {
    if (wasProbe) this.#isProbing = false;
    else if (this.#state !== 'closed') return;
    this.#successes = 0;
    if (this.#state === 'half_open') return this.#open(nowMs);
    if (this.#failures === 0 || nowMs - this.#firstFailureAt > this.#options.windowMs) {
      this.#failures = 0;
      this.#firstFailureAt = nowMs;
    }
    this.#failures += 1;
    if (this.#failures >= this.#options.failureThreshold) this.#open(nowMs);
  }

  /** The call ended in a way that says nothing about the worker. */
  neutral(wasProbe: boolean): void {
    if (wasProbe) this.#isProbing = false;
  }

  #open(nowMs: number): void {
    this.#openedAt = nowMs;
    this.#move('open');
  }

  #move(to: BreakerState): void {
    const from = this.#state;
    this.#state = to;
    if (from !== to) this.#onChange(from, to);
  }
}

/** Time as an argument: everything that decides by time is given a Clock, so that tests move it by hand. */

/** A handle of a pending timer; opaque to its holder. */
export type Timer = { readonly timer: unique symbol } | object;

export interface Clock {
  /** Monotonic milliseconds with fractions; the origin has no meaning. */
  now(): number;
  /** Wall-clock milliseconds since 1970, for dates shown to people and for `Retry-After` dates only. */
  wallTime(): number;
  /** Calls `fn` once after `delayMs`. The timer does not keep the process alive. */
  setTimer(fn: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer): void;
}

/** The longest delay that a platform timer can hold; a longer wait is cut to this (24.8 days). */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer: (fn, delayMs) => setTimeout(fn, Math.min(delayMs, MAX_TIMER_MS)).unref(),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** A clock that stands still until a test moves it; due timers run in order of their time. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#now;
  }

  setTimer(fn: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + delayMs, fn };
    this.#timers.push(timer);
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** How many timers wait: a test's proof that nothing was left behind. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.clearTimer(due);
      this.#now = Math.max(this.#now, due.at);
      due.fn();
    }
    this.#now = end;
  }
}

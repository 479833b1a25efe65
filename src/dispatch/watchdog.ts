/** The clocks of one attempt at work: one timer, moved lazily, so that a chunk costs no timer operation. */
import type { Clock, Timer } from '../base/clock.ts';
import type { ClockOptions, Phase } from '../resilience/clocks.ts';
import { deadlineOf } from '../resilience/clocks.ts';

export class Watchdog {
  readonly #options: ClockOptions;
  readonly #clock: Clock;
  readonly #onExpired: (phase: Phase | 'slow_client') => void;
  readonly #callStartedAt: number;
  readonly #sentAt: number;
  readonly #isStream: boolean;
  #phase: Phase = 'headers';
  #lastByteAt: number;
  #pausedAt = 0;
  #timer: Timer | undefined;

  constructor(
    options: ClockOptions,
    call: { readonly startedAt: number; readonly isStream: boolean },
    clock: Clock,
    onExpired: (phase: Phase | 'slow_client') => void,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#callStartedAt = call.startedAt;
    this.#isStream = call.isStream;
    this.#sentAt = clock.now();
    this.#lastByteAt = this.#sentAt;
    this.#arm(this.#sentAt);
  }

  enter(phase: Phase): void {
    this.#phase = phase;
    this.touch();
    this.#rearm();
  }

  /** Bytes arrived. */
  touch(): void {
    this.#lastByteAt = this.#clock.now();
  }

  /** The worker is held back because the client is slow: its silence is not its fault now. */
  paused(): void {
    this.#pausedAt = this.#clock.now();
  }

  resumed(): void {
    this.#pausedAt = 0;
    this.touch();
  }

  stop(): void {
    if (this.#timer) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #deadline(): number {
    if (this.#pausedAt > 0) {
      return this.#options.idleMs > 0 ? this.#pausedAt + this.#options.idleMs : Number.POSITIVE_INFINITY;
    }
    return deadlineOf(this.#options, {
      phase: this.#phase,
      isStream: this.#isStream,
      callStartedAt: this.#callStartedAt,
      sentAt: this.#sentAt,
      lastByteAt: this.#lastByteAt,
    });
  }

  #rearm(): void {
    this.stop();
    this.#arm(this.#clock.now());
  }

  #arm(now: number): void {
    const deadline = this.#deadline();
    // A pause may begin while no limit of the worker's own is set; the idle limit then still bounds it.
    const delay = Number.isFinite(deadline) ? deadline - now : this.#options.idleMs;
    if (delay <= 0 && !Number.isFinite(deadline)) return;
    this.#timer = this.#clock.setTimer(() => this.#check(), Math.max(delay, 1));
  }

  #check(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    if (now < this.#deadline()) return this.#arm(now);
    this.#onExpired(this.#pausedAt > 0 ? 'slow_client' : this.#phase);
  }
}

/** The clocks of one attempt: in which phase it is, since when, and whether that is too long. Owns no timer. */
import type { Clock } from '../base/clock.ts';
import type { ClockOptions, Phase } from '../resilience/clocks.ts';
import { deadlineOf } from '../resilience/clocks.ts';

export class Watchdog {
  readonly #options: ClockOptions;
  readonly #clock: Clock;
  readonly #isStream: boolean;
  readonly #callStartedAt: number;
  readonly sentAt: number;
  #phase: Phase = 'headers';
  #lastByteAt: number;
  /** Bytes arrived since the clocks were last looked at. */
  #hasNews = false;
  #pausedAt = 0;

  constructor(options: ClockOptions, call: { readonly startedAt: number; readonly isStream: boolean }, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#isStream = call.isStream;
    this.#callStartedAt = call.startedAt;
    this.sentAt = clock.now();
    this.#lastByteAt = this.sentAt;
  }

  enter(phase: Phase): void {
    this.#phase = phase;
    this.#hasNews = true;
  }

  /** Bytes arrived. When, is known to within a tick: a chunk costs no look at the clock. */
  touch(): void {
    this.#hasNews = true;
  }

  /** The worker is held back because the client is slow: its silence is not its fault now. */
  paused(): void {
    this.#pausedAt = this.#clock.now();
  }

  resumed(): void {
    this.#pausedAt = 0;
    this.touch();
  }

  /** The phase whose limit has passed; `slow_client` when it is the client that takes nothing. */
  expired(nowMs: number): Phase | 'slow_client' | undefined {
    if (this.#hasNews) {
      this.#hasNews = false;
      this.#lastByteAt = nowMs;
    }
    if (this.#pausedAt > 0) {
      const { idleMs } = this.#options;
      return idleMs > 0 && nowMs - this.#pausedAt >= idleMs ? 'slow_client' : undefined;
    }
    const deadline = deadlineOf(this.#options, {
      phase: this.#phase,
      isStream: this.#isStream,
      callStartedAt: this.#callStartedAt,
      sentAt: this.sentAt,
      lastByteAt: this.#lastByteAt,
    });
    return nowMs >= deadline ? this.#phase : undefined;
  }
}

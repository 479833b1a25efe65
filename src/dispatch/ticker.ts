/**
 * One timer for the clocks of all attempts: it looks at each of them several times within its shortest limit. A call
 * then costs no timer at all, and 2,000 streams cost 2,000 comparisons a tick.
 */
import type { Clock, Timer } from '../base/clock.ts';
import { LiveList } from '../base/live-list.ts';
import type { Listed } from '../base/live-list.ts';
import type { GatewayError } from '../domain/errors.ts';

export interface Ticking extends Listed {
  /** Called every tick with the time. */
  tick(nowMs: number): void;
  /** Ends it from above, e.g. at the end of the shutdown's grace. */
  cancel(error: GatewayError): void;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #live = new LiveList<Ticking>();
  #timer: Timer | undefined;

  /** `limitsMs`: the limits that must be kept to within about a tenth; those of 0 are off. */
  constructor(clock: Clock, limitsMs: readonly number[]) {
    this.#clock = clock;
    const shortest = Math.min(...limitsMs.filter((limit) => limit > 0), MAX_PERIOD_MS * 10);
    this.#periodMs = Math.max(MIN_PERIOD_MS, shortest / 10);
  }

  add(entry: Ticking): void {
    this.#live.add(entry);
    if (this.#timer === undefined) this.#arm();
  }

  delete(entry: Ticking): void {
    this.#live.delete(entry);
  }

  cancelAll(error: GatewayError): void {
    this.#live.forEach((entry) => entry.cancel(error));
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(() => this.#tick(), this.#periodMs);
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    this.#live.forEach((entry) => entry.tick(now));
    // An entry that was added meanwhile has armed it already.
    if (this.#live.size > 0 && this.#timer === undefined) this.#arm();
  }
}

const MAX_PERIOD_MS = 250;
const MIN_PERIOD_MS = 5;

/**
 * Lets the running calls of one worker end before it is removed:
 *
 *   start -> its last call has ended, and the settle time is over -> gone
 *         -> the limit is over: its calls are cut off, and end by that -> gone
 *
 * Nothing is polled: the load book tells when a member's last call ends. Owns its timers; which worker it is and what
 * `gone` means is the fleet's matter.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { LoadBook } from './load.ts';

export interface DrainPlan {
  readonly memberIds: readonly string[];
  /** At least this long, also when no call runs. */
  readonly settleMs: number;
  /** After this long running calls are cut off. */
  readonly limitMs: number;
  /** Ends the running calls. */
  cut(): void;
  /** Called once, unless the drain was stopped. */
  gone(): void;
}

/** Calls that are cut off end within moments; a worker whose calls do not is removed all the same. */
const LAST_CALLS_MS = 1_000;

export class Drain {
  readonly #plan: DrainPlan;
  readonly #loads: Pick<LoadBook, 'inFlight' | 'onIdle'>;
  readonly #clock: Clock;
  readonly #leave: (() => void)[] = [];
  #settleTimer: Timer | undefined;
  #limitTimer: Timer | undefined;
  #isSettled = false;
  #isCut = false;

  constructor(plan: DrainPlan, loads: Pick<LoadBook, 'inFlight' | 'onIdle'>, clock: Clock) {
    this.#plan = plan;
    this.#loads = loads;
    this.#clock = clock;
  }

  start(): void {
    const { memberIds, settleMs, limitMs } = this.#plan;
    for (const id of memberIds) this.#leave.push(this.#loads.onIdle(id, () => this.#check()));
    this.#limitTimer = this.#clock.setTimer(() => this.cut(), limitMs);
    if (settleMs > 0) this.#settleTimer = this.#clock.setTimer(() => this.#settled(), settleMs);
    else this.#settled();
  }

  /** Ends the running calls now instead of at the limit. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#isSettled = true;
    if (this.#limitTimer) this.#clock.clearTimer(this.#limitTimer);
    this.#limitTimer = this.#clock.setTimer(() => this.#end(), LAST_CALLS_MS);
    this.#plan.cut();
    this.#check();
  }

  /** The worker stays after all, or the gateway ends. */
  stop(): void {
    for (const leave of this.#leave.splice(0)) leave();
    for (const timer of [this.#settleTimer, this.#limitTimer]) if (timer) this.#clock.clearTimer(timer);
    this.#isSettled = false;
  }

  #settled(): void {
    this.#isSettled = true;
    this.#check();
  }

  #check(): void {
    if (!this.#isSettled || this.#plan.memberIds.some((id) => this.#loads.inFlight(id) > 0)) return;
    this.#end();
  }

  #end(): void {
    this.stop();
    this.#plan.gone();
  }
}

/**
 * Maps the virtual clock of one scheduler onto real time: one timer per engine, whatever the number of streams.
 *
 *   finite speed:  virtual ms = real ms × speed, a timer to the next step's end
 *   Infinity:      one step per turn of the event loop (setImmediate), no timer at all
 *
 * Owns the timer and the clock's origin; knows nothing of requests or sockets.
 */

import { performance } from 'node:perf_hooks';
import type { Scheduler } from './core/scheduler.ts';
import type { Sequence, SequenceRequest } from './core/sequence.ts';

/** Behind by more than this (a blocked event loop), the accelerator is slow rather than bursting to catch up. */
const MOST_LAG_MS = 100;

/** Runs a scheduler in real time. `onChange` is called after anything may have changed. */
export class Driver {
  readonly #scheduler: Scheduler;
  readonly #speed: number;
  readonly #onChange: () => void;
  #originMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isStopped = false;

  constructor(scheduler: Scheduler, speed: number, onChange: () => void) {
    this.#scheduler = scheduler;
    this.#speed = speed;
    this.#onChange = onChange;
  }

  /** Queues a request now. Throws RangeError when it can never fit. */
  submit(request: SequenceRequest): Sequence {
    const sequence = this.#scheduler.submit(request, this.#virtualNowMs());
    this.#arm();
    this.#onChange();
    return sequence;
  }

  /** Takes a sequence out at once. */
  abort(sequence: Sequence): void {
    if (this.#scheduler.abort(sequence)) this.#onChange();
  }

  /** Ends all progress; nothing is called afterwards. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #virtualNowMs(): number {
    if (this.#speed === Number.POSITIVE_INFINITY) return this.#scheduler.nowMs;
    return Math.max(this.#scheduler.nowMs, (performance.now() - this.#originMs) * this.#speed);
  }

  #arm(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#immediate !== undefined) return;
    const nextMs = this.#scheduler.nextEventMs();
    if (nextMs === undefined) return;
    const delayMs = this.#speed === Number.POSITIVE_INFINITY ? 0 : (nextMs - this.#virtualNowMs()) / this.#speed;
    if (delayMs > 0) this.#timer = setTimeout(() => this.#turn(), Math.ceil(delayMs));
    else this.#immediate = setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#timer = undefined;
    this.#immediate = undefined;
    const nextMs = this.#scheduler.nextEventMs();
    if (nextMs !== undefined) this.#play(nextMs);
    this.#onChange();
    this.#arm();
  }

  #play(nextMs: number): void {
    if (this.#speed === Number.POSITIVE_INFINITY) {
      this.#scheduler.advance(nextMs);
      return;
    }
    const lagMs = (this.#virtualNowMs() - nextMs) / this.#speed;
    if (lagMs > MOST_LAG_MS) this.#originMs += lagMs - MOST_LAG_MS;
    this.#scheduler.advance(this.#virtualNowMs());
  }
}

/** What a call is told that does not get, or does not keep, a place; and when a new try makes sense. */
import { GatewayError } from '../domain/errors.ts';
import type { Line } from './place.ts';

/** The longest time that a client is asked to stay away. */
const MAX_RETRY_SECONDS = 60;
/** Weight of the newest interval in the pace. */
const NEWEST = 0.1;
/** Intervals longer than this say that nobody was waiting in between, not that calls are slow. */
const MAX_INTERVAL_MS = 60_000;

export interface Crowd {
  readonly line: Line;
  readonly waiting: number;
  readonly capacity: number;
  readonly free: number;
}

export class Turnaway {
  readonly #ratePerSecond: number;
  /** Mean time between two places that became free while calls waited, in ms. */
  #paceMs = 0;
  #lastFreedAt = 0;

  constructor(ratePerSecond: number) {
    this.#ratePerSecond = ratePerSecond;
  }

  /** A running call has ended while others waited. */
  placeFreed(nowMs: number): void {
    const interval = nowMs - this.#lastFreedAt;
    if (this.#lastFreedAt > 0 && interval < MAX_INTERVAL_MS) {
      this.#paceMs = this.#paceMs === 0 ? interval : this.#paceMs + NEWEST * (interval - this.#paceMs);
    }
    this.#lastFreedAt = nowMs;
  }

  error(code: 'queue_full' | 'queue_timeout', { line, waiting, capacity, free }: Crowd): GatewayError {
    const seconds = this.#retryAfterSeconds(waiting);
    const limit = Number.isFinite(capacity) ? capacity : Math.ceil(this.#ratePerSecond);
    const { name, queueTimeoutMs } = line.options;
    const ofClass = name === '' ? '' : ` of class ${name}`;
    const { size } = line.waiting;
    const counted = size === 1 ? `1 call${ofClass} is` : `${size} calls${ofClass} are`;
    const text =
      code === 'queue_full'
        ? `The gateway is busy and ${counted} waiting already; try again in ${seconds} s.`
        : `The call waited ${queueTimeoutMs / 1_000} s for a free place; try again in ${seconds} s.`;
    return new GatewayError(code, text, {
      retryAfterSeconds: seconds,
      headers: [
        'x-ratelimit-limit',
        String(limit),
        'x-ratelimit-remaining',
        String(Number.isFinite(free) ? free : 0),
        'x-ratelimit-reset',
        String(seconds),
      ],
    });
  }

  /** About how long those that wait now will need to come in. */
  #retryAfterSeconds(waiting: number): number {
    const paceMs = Math.max(this.#paceMs, this.#ratePerSecond > 0 ? 1_000 / this.#ratePerSecond : 0);
    return Math.min(MAX_RETRY_SECONDS, Math.max(1, Math.ceil(((waiting + 1) * paceMs) / 1_000)));
  }
}

export function preempted(): GatewayError {
  return new GatewayError('preempted', 'A call of a higher class took the place of this one; try again.', {
    retryAfterSeconds: 1,
    headers: ['x-smg-preempted', 'true'],
  });
}

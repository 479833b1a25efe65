/** How long to wait before the next attempt: min(initial * multiplier^k, max) * (1 ± jitter). */
import type { Random } from '../base/random.ts';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
  /** 0 to 1: the share by which a delay may differ either way. */
  readonly jitter: number;
}

/** Milliseconds to wait before retry number `retry` (0 = the first retry). */
export function backoffMs(options: BackoffOptions, retry: number, random: Random): number {
  const base = Math.min(options.initialMs * options.multiplier ** retry, options.maxMs);
  return base * (1 + options.jitter * (2 * random.next() - 1));
}

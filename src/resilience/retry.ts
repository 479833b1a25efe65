/**
 * What to do after a failed attempt, as data: try again and when, or give the client what there is.
 * Statuses that may be retried: 408, 429, 500, 502, 503, 504, 529.
 */
import type { Random } from '../base/random.ts';
import { backoffMs } from './backoff.ts';
import type { BackoffOptions } from './backoff.ts';

export interface RetryOptions {
  /** Attempts in all, the first one included; 1 = never retry. */
  readonly maxAttempts: number;
  readonly backoff: BackoffOptions;
  /** The longest `Retry-After` that the gateway itself waits out. */
  readonly retryAfterMaxMs: number;
}

const RETRYABLE = new Set([408, 429, 500, 502, 503, 504, 529]);

export function isRetryableStatus(status: number): boolean {
  return RETRYABLE.has(status);
}

export interface FailedAttempt {
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  /** Nothing reached a worker: a connection was refused. Such a retry costs no budget and needs no wait. */
  readonly nothingSent: boolean;
  /** From the worker's `Retry-After`, if it sent one. */
  readonly retryAfterMs: number | undefined;
  /** Another worker, not tried by this call, could take it. */
  readonly hasOther: boolean;
}

export type RetryPlan =
  /** Wait, then attempt again; `again` = workers that were tried may be tried once more. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly again: boolean; readonly costsBudget: boolean }
  | { readonly kind: 'give_up' };

const GIVE_UP: RetryPlan = { kind: 'give_up' };

/**
 * The next step. Another worker is preferred; when every one has been tried, the call goes round once more after the
 * longer of back-off and `Retry-After`, unless that is longer than the gateway waits.
 */
export function planRetry(options: RetryOptions, failed: FailedAttempt, random: Random): RetryPlan {
  if (failed.attempts >= options.maxAttempts) return GIVE_UP;
  const costsBudget = !failed.nothingSent;
  if (failed.hasOther) {
    const delayMs = failed.nothingSent ? 0 : backoffMs(options.backoff, failed.attempts - 1, random);
    return { kind: 'retry', delayMs, again: false, costsBudget };
  }
  const asked = failed.retryAfterMs ?? 0;
  if (asked > options.retryAfterMaxMs) return GIVE_UP;
  const delayMs = Math.max(asked, backoffMs(options.backoff, failed.attempts - 1, random));
  return { kind: 'retry', delayMs, again: true, costsBudget };
}

/** An HTTP date begins with a day of the week. `Date.parse` alone takes nearly any text with a number for a date. */
const DATE_START = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/** `Retry-After` as milliseconds; undefined when absent or unreadable. A date needs wall time. */
export function parseRetryAfter(value: string | undefined, wallTimeMs: number): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Number(value) * 1_000;
  const date = DATE_START.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, date - wallTimeMs);
}

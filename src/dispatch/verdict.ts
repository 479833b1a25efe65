/** What an attempt's outcome means: for the worker (its breaker) and for the call's record. */
import type { AttemptVerdict } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import type { AttemptOutcome } from './answer.ts';
import type { Failed } from './failure.ts';
import { isOfTheModel } from './failure.ts';

const NEUTRAL: AttemptVerdict = { kind: 'neutral' };
const SUCCESS: AttemptVerdict = { kind: 'success' };

/** Breakers are fed by connect errors, timeouts, 5xx and broken streams; never by 4xx nor by a client that left. */
export function verdictOf(outcome: AttemptOutcome): AttemptVerdict {
  switch (outcome.kind) {
    case 'served':
      if (outcome.status >= 500) return { kind: 'failure', error: 'upstream_error', retryAfterMs: undefined };
      return outcome.status >= 400 ? NEUTRAL : SUCCESS;
    case 'client_gone':
      return NEUTRAL;
    case 'broken':
      if (outcome.error.origin !== 'upstream') return NEUTRAL;
      return { kind: 'failure', error: outcome.error.code, retryAfterMs: undefined };
    case 'failed': {
      const { error, retryAfterMs } = outcome;
      if (isOfTheModel(outcome) || error.origin !== 'upstream') return NEUTRAL;
      if (outcome.reason === 'quota') return { kind: 'rate_limited', retryAfterMs, isQuota: true };
      if (mustRest(outcome)) return { kind: 'rate_limited', retryAfterMs };
      if (outcome.answer?.status === 408) return NEUTRAL;
      return { kind: 'failure', error: error.code, retryAfterMs };
    }
  }
}

/** The key has had enough for now. */
function mustRest({ answer, error, reason }: Failed): boolean {
  return answer?.status === 429 || error.code === 'rate_limited' || reason === 'rate_limited';
}

/** Closes the record of a call that ended otherwise than with the gateway's own error. */
export function applyOutcome(record: CallRecord, outcome: Exclude<AttemptOutcome, { kind: 'failed' }>): void {
  switch (outcome.kind) {
    case 'served':
      record.outcome = outcome.status >= 400 ? 'failed' : 'answered';
      if (outcome.status >= 400) record.error = 'upstream_error';
      return;
    case 'broken':
      record.outcome = 'broken';
      record.error = outcome.error.code;
      return;
    case 'client_gone':
      record.outcome = 'client_gone';
      record.error = 'client_closed_request';
      if (record.status === 0) record.status = 499;
  }
}

/**
 * Does a prompt fit the context of a model? Where its tokens are counted that is known. Where they are estimated from
 * bytes only what clearly does not is said to be too long: a worker that is asked in vain costs less than a model that is
 * passed over without need.
 */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { Worker } from '../domain/worker.ts';
import { limitsOf } from '../domain/worker.ts';
import { findMembers, JsonScanError } from '../protocols/json-scan.ts';
import type { CallHints } from './hints.ts';
import { nameAt } from './upstream-body.ts';

/** How many times too high an estimate may be: dense prose and code have up to six bytes for each token, not four. */
const ESTIMATE_MARGIN = 1.5;

/** Where the APIs say how long the answer may become; Gemini says it deeper inside, and counts it apart. */
const ANSWER_LIMITS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'];

/**
 * True when the prompt and the answer that is asked for have (clearly) more tokens than the longest context of these
 * workers; false whenever one of them does not tell its own. Cost O(prompt) the first time, if all of them tell.
 */
export function isTooLong(call: Call, members: readonly PoolMember[], hints: CallHints): boolean {
  let longest = 0;
  for (const { worker } of members) {
    const length = contextLengthOf(worker, hints.model);
    if (length === undefined) return false;
    longest = Math.max(longest, length);
  }
  if (longest === 0) return false;
  const answer = answerLimitOf(call.body);
  if (hints.isExact) return hints.blocks().tokens + Math.max(1, answer) > longest;
  // No token is shorter than a byte.
  if (call.body.length + answer <= longest) return false;
  return hints.blocks().tokens / ESTIMATE_MARGIN + answer > longest;
}

/** In tokens; what the operator says of the model comes before what the worker says of itself. */
export function contextLengthOf(worker: Worker, model: string): number | undefined {
  const card = worker.spec.models.find(({ id, aliases }) => id === model || aliases.includes(model));
  return card?.contextLength ?? limitsOf(worker, nameAt(worker, model)).contextLength;
}

/** The longest answer that the client asks for, or 0. */
function answerLimitOf(body: Buffer): number {
  try {
    const spans = findMembers(body, ANSWER_LIMITS).map((places) => places.at(-1));
    const values = spans.map((span) => (span ? Number(body.toString('latin1', span.start, span.end)) : 0));
    return Math.max(0, ...values.filter((value) => Number.isSafeInteger(value)));
  } catch (thrown) {
    if (thrown instanceof JsonScanError) return 0;
    throw thrown;
  }
}

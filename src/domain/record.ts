/**
 * The one record of a call. `dispatch` and the edge fill it on the way; telemetry gets it once, when the call has
 * ended. Log line, metrics and traces are views of it. Never holds a prompt, an answer or a key.
 */
import type { ErrorCode } from './errors.ts';
import type { TranslationWarning } from './generation.ts';
import type { Usage } from './usage.ts';

/** How a call ended: answered to its end, refused or failed with an error, broken mid-answer, or left by its client. */
export type CallOutcome = 'answered' | 'failed' | 'broken' | 'client_gone';

/** What admission made of a call; empty when it is off or was not asked. `left`: the client left while it waited. */
export type AdmissionResult = '' | 'admitted' | 'refused' | 'preempted' | 'left';

/** Why a model of a chain did not answer. */
export type PassReason = 'no_worker' | 'no_key' | 'rate_limited' | 'quota' | 'context' | 'unknown' | 'failed';

/** A model of a chain that was passed over, or asked in vain. Its name is one that the operator wrote. */
export interface PassedModel {
  readonly model: string;
  readonly why: PassReason;
}

/** Of every call that has passed none. */
const NONE_PASSED: readonly PassedModel[] = Object.freeze([]);

export interface AttemptRecord {
  readonly workerId: string;
  /** Status of the worker's answer; 0 when there was none. */
  status: number;
  /** Why the attempt did not serve the client; undefined when it did. */
  error: ErrorCode | undefined;
  /** What the attempt says about the worker; set when its lease is settled. */
  verdict: 'success' | 'failure' | 'rate_limited' | 'neutral';
  /** Milliseconds waited before this attempt began. */
  backoffMs: number;
}

/** One list for all calls that have none. */
export const NO_WARNINGS: readonly TranslationWarning[] = [];

/** Times are monotonic milliseconds (see Clock); 0 = did not happen. One shape always: every field is set here. */
export class CallRecord {
  /** Its place among the requests in flight; see LiveList. */
  listIndex = -1;
  requestId: string;
  readonly method: string;
  /** The route's pattern, not the client's text: safe as a label. */
  readonly route: string;
  readonly startedAt: number;
  /** As asked; empty when the body names none. */
  model = '';
  /** The id that was routed; a known one, so that it is safe as a metric's label. Empty before resolution. */
  canonicalModel = '';
  streaming = false;
  /** A call for a worker, as opposed to a question to the gateway itself. */
  isInference = false;
  policy = '';
  workerId = '';
  /** Who called: the tenant of its key, or empty. */
  tenant = '';
  /** Class of admission; empty when admission has none. */
  priorityClass = '';
  /** When the call began to wait for admission, and when it was let in; 0 = it did not wait. */
  queuedAt = 0;
  admittedAt = 0;
  admission: AdmissionResult = '';
  /** Milliseconds that the call was held while a worker that had failed was being tried. */
  heldMs = 0;
  /** Why the worker was chosen, in short; filled when the client asks with `x-smg-explain`. */
  decision = '';
  /** The client's API and the worker's, e.g. `anthropic-messages>openai-chat`; empty when bytes passed. */
  translation = '';
  /** What the way to the worker and back lost or changed. */
  warnings: readonly TranslationWarning[] = NO_WARNINGS;
  status = 0;
  outcome: CallOutcome = 'answered';
  error: ErrorCode | undefined = undefined;
  readonly attempts: AttemptRecord[] = [];
  retriesExhausted = false;
  bodyBytes = 0;
  sentBytes = 0;
  /** When the attempt that served the client was sent. */
  upstreamStartedAt = 0;
  /** When the head of the answer went to the client. */
  headAt = 0;
  /** First content of a stream, or the whole answer of a unary call. */
  firstContentAt = 0;
  endedAt = 0;
  usage: Usage | undefined = undefined;
  /** What was thrown, when the gateway itself was at fault; for the log only. */
  fault: unknown = undefined;
  /** Models of the call's chain that did not answer, in order; empty when the first one did. */
  chain: readonly PassedModel[] = NONE_PASSED;
  /** The model that was asked last, when it is not the name that the client sent. */
  answerModel = '';

  constructor(requestId: string, method: string, route: string, startedAt: number) {
    this.requestId = requestId;
    this.method = method;
    this.route = route;
    this.startedAt = startedAt;
  }
}

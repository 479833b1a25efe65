/**
 * The spine: the life of one call. Resolve the model, place the call on a worker, attempt, and on failure place it
 * again, until it is served or there is nothing left to try. Read this file first.
 */
import type { Call } from '../domain/call.ts';
import { keyFor } from '../domain/credentials.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ReplyWriter } from '../domain/ports.ts';
import type { AttemptRecord } from '../domain/record.ts';
import { replaceModel } from '../protocols/peek.ts';
import type { RetryPlan } from '../resilience/retry.ts';
import { planRetry } from '../resilience/retry.ts';
import type { AttemptOutcome } from './attempt.ts';
import { Attempt } from './attempt.ts';
import { ClientSide } from './client-side.ts';
import type { DispatchDeps } from './deps.ts';
import type { Placed } from './place.ts';
import { hasCandidates, placeCall, refusePlacement } from './place.ts';
import { replyHeaders } from './reply-headers.ts';
import { resolveModel } from './resolve-model.ts';
import { applyOutcome, verdictOf } from './verdict.ts';

type Failed = Extract<AttemptOutcome, { kind: 'failed' }>;

export class Dispatcher {
  readonly #deps: DispatchDeps;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  /** Ends every running attempt with this error: the last step of a shutdown. */
  cancelAll(error: GatewayError): void {
    this.#deps.ticker.cancelAll(error);
  }

  /** Serves the call to its end. Rejects with a GatewayError while nothing has been written; fills `call.record`. */
  async dispatch(call: Call, writer: ReplyWriter): Promise<void> {
    this.#deps.budget.deposit();
    const client = new ClientSide(writer);
    const keyDigest = this.#deps.keyDigest(call.callerKey);
    let tried: string[] = [];
    let last: Failed | undefined;
    let backoffMs = 0;
    for (;;) {
      const place = this.#place(call, tried, keyDigest);
      if (!place) return this.#giveUp(call, writer, last, keyDigest);
      tried.push(place.worker.id);
      const outcome = await this.#attempt(call, place, { writer, client, keyDigest, backoffMs });
      if (outcome.kind !== 'failed') return applyOutcome(call.record, outcome);
      // Cancelled from above: no worker is to blame, and none is to be asked instead.
      if (outcome.error.origin !== 'upstream') throw outcome.error;
      last = outcome.answer || !last?.answer ? outcome : { ...outcome, answer: last.answer };
      const plan = this.#plan(call, outcome, tried, keyDigest);
      if (plan.kind === 'give_up') return this.#giveUp(call, writer, last, keyDigest);
      if (plan.again) tried = this.#nextRound(call, keyDigest);
      backoffMs = plan.delayMs;
      if (!(await client.wait(plan.delayMs, this.#deps.clock)))
        return applyOutcome(call.record, { kind: 'client_gone' });
    }
  }

  #place(call: Call, tried: readonly string[], keyDigest: number): Placed | undefined {
    const { directory, aliases } = this.#deps;
    const resolved = resolveModel(call.model, call.modelOptional, directory.snapshot(), aliases);
    if (resolved.isListed) call.record.canonicalModel = resolved.model;
    return placeCall(call, resolved, { tried, keyDigest, deps: this.#deps });
  }

  #attempt(call: Call, place: Placed, side: AttemptSide): Promise<AttemptOutcome> {
    const { leases, clock, protocols } = this.#deps;
    const { worker } = place;
    const lease = leases.acquire(worker.id, side.keyDigest);
    const entry: AttemptRecord = {
      workerId: worker.id,
      status: 0,
      error: undefined,
      verdict: 'neutral',
      backoffMs: side.backoffMs,
    };
    call.record.attempts.push(entry);
    call.record.workerId = worker.id;
    call.record.upstreamStartedAt = clock.now();
    return new Promise((resolve) => {
      const attempt = new Attempt(call, worker, protocols[call.protocol], side.writer, this.#deps, (outcome) => {
        side.client.current = undefined;
        const verdict = verdictOf(outcome);
        lease.settle(verdict);
        entry.verdict = verdict.kind;
        entry.status = statusOf(outcome);
        entry.error = outcome.kind === 'failed' || outcome.kind === 'broken' ? outcome.error.code : undefined;
        resolve(outcome);
      });
      side.client.current = attempt;
      if (side.client.isGone) return attempt.clientGone();
      attempt.start({
        method: 'POST',
        path: call.upstreamPath,
        clientHeaders: call.headers,
        requestId: call.requestId,
        key: keyFor(worker, call.callerKey),
        body:
          place.model === call.model || call.model === undefined
            ? call.body
            : replaceModel(call.body, call.modelSpans, place.model),
      });
    });
  }

  #plan(call: Call, failed: Failed, tried: readonly string[], keyDigest: number): RetryPlan {
    const { retry, random, budget, clock, directory, aliases } = this.#deps;
    const { members } = resolveModel(call.model, call.modelOptional, directory.snapshot(), aliases);
    const plan = planRetry(
      retry,
      {
        attempts: call.record.attempts.length,
        nothingSent: failed.error.code === 'upstream_unreachable',
        retryAfterMs: failed.retryAfterMs,
        hasOther: hasCandidates(members, { tried, keyDigest, nowMs: clock.now() }),
      },
      random,
    );
    if (plan.kind === 'retry' && plan.costsBudget && !budget.withdraw(clock.now())) return { kind: 'give_up' };
    return plan;
  }

  /**
   * Every worker has been tried: whom to leave out of the next round. One that answered, though badly, is a better
   * bet than one that could not be reached or stayed silent; those are asked again only when there is nobody else.
   */
  #nextRound(call: Call, keyDigest: number): string[] {
    const { directory, aliases, clock, retry } = this.#deps;
    const { members } = resolveModel(call.model, call.modelOptional, directory.snapshot(), aliases);
    const silent = call.record.attempts.filter(({ status }) => status === 0).map(({ workerId }) => workerId);
    // Cool-downs that end within what the gateway waits out will be over by then.
    const nowMs = clock.now() + retry.retryAfterMaxMs;
    return hasCandidates(members, { tried: silent, keyDigest, nowMs }) ? silent : [];
  }

  /** Nothing more to try: the last real answer of a worker, else the last error, else why no worker could be asked. */
  #giveUp(call: Call, writer: ReplyWriter, last: Failed | undefined, keyDigest: number): void {
    const { record } = call;
    if (!last) throw refusePlacement(call, { keyDigest, deps: this.#deps });
    record.retriesExhausted = true;
    if (!last.answer) throw last.error;
    const { status, headers, body } = last.answer;
    record.status = status;
    record.error = last.error.code;
    record.outcome = 'failed';
    record.headAt = this.#deps.clock.now();
    record.sentBytes += body.length;
    writer.head(status, replyHeaders(headers, record, body.length));
    writer.end(body);
  }
}

interface AttemptSide {
  readonly writer: ReplyWriter;
  readonly client: ClientSide;
  readonly keyDigest: number;
  readonly backoffMs: number;
}

function statusOf(outcome: AttemptOutcome): number {
  if (outcome.kind === 'served') return outcome.status;
  return outcome.kind === 'failed' ? (outcome.answer?.status ?? 0) : 0;
}

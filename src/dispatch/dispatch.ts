/**
 * The spine: the life of one call. Resolve the model, place the call on a worker, attempt, and on failure place it
 * again, until it is served or there is nothing left to try. Read this file first.
 */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { keyFor } from '../domain/credentials.ts';
import { GatewayError } from '../domain/errors.ts';
import { workerOfMember } from '../domain/ids.ts';
import type { AdmissionTicket, ReplyWriter } from '../domain/ports.ts';
import type { AttemptRecord } from '../domain/record.ts';
import type { Worker } from '../domain/worker.ts';
import { ReasoningVault } from '../protocols/hub/reasoning-vault.ts';
import type { RetryOptions, RetryPlan } from '../resilience/retry.ts';
import { planRetry } from '../resilience/retry.ts';
import type { AttemptOutcome } from './answer.ts';
import { Attempt } from './attempt.ts';
import { ClientSide } from './client-side.ts';
import type { DispatchDeps } from './deps.ts';
import { CallHints } from './hints.ts';
import type { Placed, Placement } from './place.ts';
import { hasCandidates, placeCall, poolOf, refusePlacement } from './place.ts';
import type { Held } from './recovery-line.ts';
import { RecoveryLine } from './recovery-line.ts';
import { replyHeaders } from './reply-headers.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { resolveModel } from './resolve-model.ts';
import { answerCall } from './translation/own-answer.ts';
import type { Outbound, Wait } from './translation/outbound.ts';
import { notTranslatable, Translator } from './translation/translator.ts';
import { Reach } from './translation/way.ts';
import { applyOutcome, verdictOf } from './verdict.ts';

type Failed = Extract<AttemptOutcome, { kind: 'failed' }>;

export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #recovery: RecoveryLine;
  readonly #translator: Translator;
  readonly #reach: Reach;
  /** Calls between two attempts. */
  readonly #pausing = new Set<ClientSide>();

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
    this.#recovery = new RecoveryLine(deps.clock);
    const languages = { protocols: deps.protocols, unary: deps.unaryTranslations };
    this.#reach = new Reach(languages);
    this.#translator = new Translator({
      ...deps,
      ...languages,
      scopeOf: (call) => deps.scopeOf(call),
      isStrict: deps.strictTranslation,
      vault: new ReasoningVault(),
    });
  }

  /** Ends every running attempt, every pause before one and every wait for a worker: the last step of a shutdown. */
  cancelAll(error: GatewayError): void {
    for (const client of this.#pausing) client.preempted(error);
    this.#recovery.cancelAll(error);
    this.#deps.ticker.cancelAll(error);
  }

  /**
   * Serves the call to its end. Rejects with a GatewayError while nothing has been written; fills `call.record`.
   * `ticket` may end it while its answer has not begun.
   */
  async dispatch(call: Call, writer: ReplyWriter, ticket?: AdmissionTicket): Promise<void> {
    this.#deps.budget.deposit();
    const client = new ClientSide(writer);
    ticket?.onPreempted(client);
    const keyDigest = this.#deps.keyDigest(call.callerKey);
    let tried: string[] = [];
    let last: Failed | undefined;
    /** Why a worker could not be asked at all. */
    let unfit: GatewayError | undefined;
    let backoffMs = 0;
    let hints: CallHints | undefined;
    let retry: RetryOptions | undefined;
    let held: Held | undefined;
    try {
      for (;;) {
        if (client.cancelled) throw client.cancelled;
        if (client.isGone) return applyOutcome(call.record, { kind: 'client_gone' });
        const resolved = this.#resolve(call);
        // A model that was renamed meanwhile is another prompt; in every other case the hints are kept.
        if (hints?.model !== resolved.model) hints = this.#hintsFor(call, resolved.model);
        const isBehind = !held && mayBeHeld(call) && this.#recovery.hasLine(resolved.model);
        const placement = { resolved, hints, tried, keyDigest, deps: this.#deps };
        // From here to the lease nothing may wait: a half-open breaker has room for one.
        const place = isBehind ? undefined : placeCall(call, placement);
        if (!place) {
          held = this.#hold(call, placement, { held, isBehind, client });
          if (!held && !last && unfit) throw unfit;
          if (!held) return this.#giveUp(call, writer, last, keyDigest);
          await client.wait(this.#recovery.remaining(held), this.#deps.clock);
          continue;
        }
        if (held) held = this.#recovery.placed(held, call.record);
        const outbound = this.#translator.outbound(call, place.member, hints.model);
        if (outbound.kind === 'unfit') {
          tried.push(place.member.worker.id);
          unfit = outbound.error;
          continue;
        }
        if (outbound.kind === 'pending') {
          await this.#wait(outbound.wait, client);
          continue;
        }
        if (outbound.kind === 'answer') return answerCall(call, writer, outbound, this.#deps.clock);
        tried.push(place.member.worker.id);
        const outcome = await this.#attempt(call, place, { writer, client, keyDigest, backoffMs, hints, outbound });
        if (outcome.kind !== 'failed') return applyOutcome(call.record, outcome);
        // Cancelled from above: no worker is to blame, and none is to be asked instead.
        if (outcome.error.origin !== 'upstream') throw outcome.error;
        last = outcome.answer || !last?.answer ? outcome : { ...outcome, answer: last.answer };
        retry ??= retryFor(this.#deps.retry, place.member.worker);
        const plan = this.#plan(call, outcome, { tried, keyDigest, retry });
        if (plan.kind === 'give_up') return this.#giveUp(call, writer, last, keyDigest);
        if (plan.again) tried = this.#nextRound(call, keyDigest);
        backoffMs = plan.delayMs;
        this.#pausing.add(client);
        await client.wait(plan.delayMs, this.#deps.clock);
        this.#pausing.delete(client);
      }
    } finally {
      if (held) this.#recovery.left(held, call.record);
    }
  }

  /** Waits for what has to be there before a worker can be asked; the client may leave meanwhile. */
  async #wait(wait: Wait, client: ClientSide): Promise<void> {
    client.current = wait;
    this.#pausing.add(client);
    try {
      await wait.done;
    } finally {
      this.#pausing.delete(client);
      client.current = undefined;
    }
  }

  /** A place in the line of those who wait for a worker that is being tried again, or undefined: there is no hope. */
  #hold(call: Call, { resolved }: Placement, { held, isBehind, client }: Waiting): Held | undefined {
    if (held) {
      if (this.#recovery.remaining(held) > 0 && this.#isBeingTried(resolved)) return this.#recovery.stay(held);
      this.#recovery.left(held, call.record);
      return undefined;
    }
    if (!mayBeHeld(call)) return undefined;
    return isBehind || this.#isBeingTried(resolved) ? this.#recovery.join(resolved.model, client) : undefined;
  }

  #isBeingTried({ members }: ResolvedModel): boolean {
    return members.some(({ id, worker }) => worker.state === 'ready' && this.#deps.leases.isBeingTried(id));
  }

  #resolve(call: Call): ResolvedModel {
    const { directory, aliases } = this.#deps;
    const resolved = resolveModel(call.model, call.modelOptional, directory.snapshot(), aliases);
    if (resolved.isListed) call.record.canonicalModel = resolved.model;
    const able = this.#reach.within(resolved.members, call.protocol);
    if (able === resolved.members) return resolved;
    if (able.length === 0) throw notTranslatable(call.protocol, resolved.members);
    return { ...resolved, members: able };
  }

  #pool(call: Call): readonly PoolMember[] {
    return poolOf(call, this.#resolve(call));
  }

  #hintsFor(call: Call, model: string): CallHints {
    return new CallHints(call, model, this.#deps.protocols[call.protocol]);
  }

  #attempt(call: Call, place: Placed, side: AttemptSide): Promise<AttemptOutcome> {
    const { leases, clock, protocols } = this.#deps;
    const { member, policy } = place;
    const { worker } = member;
    const lease = leases.acquire(member.id, side.keyDigest);
    const watch = policy.begin?.(member.candidate, side.hints);
    const entry: AttemptRecord = {
      workerId: member.id,
      status: 0,
      error: undefined,
      verdict: 'neutral',
      backoffMs: side.backoffMs,
    };
    call.record.attempts.push(entry);
    call.record.workerId = worker.id;
    call.record.translation = side.outbound.translation;
    call.record.warnings = side.outbound.warnings;
    call.record.upstreamStartedAt = clock.now();
    return new Promise((resolve) => {
      const settle = (outcome: AttemptOutcome) => {
        side.client.current = undefined;
        const verdict = verdictOf(outcome);
        lease.settle(verdict);
        this.#recovery.settled(verdict.kind === 'success');
        watch?.ended(verdict, call.record.usage);
        entry.verdict = verdict.kind;
        entry.status = statusOf(outcome);
        entry.error = outcome.kind === 'failed' || outcome.kind === 'broken' ? outcome.error.code : undefined;
        resolve(outcome);
      };
      const { path, body, reader } = side.outbound;
      const attempt = new Attempt(
        { call, worker, watch, reader },
        protocols[call.protocol],
        side.writer,
        this.#deps,
        settle,
      );
      side.client.current = attempt;
      if (side.client.isGone) return attempt.clientGone();
      attempt.start({
        method: 'POST',
        path,
        clientHeaders: call.headers,
        requestId: call.requestId,
        key: keyFor(worker, call.callerKey),
        rank: member.rank,
        body,
      });
    });
  }

  #plan(call: Call, failed: Failed, { tried, keyDigest, retry }: RetryFacts): RetryPlan {
    const { random, budget, clock } = this.#deps;
    const plan = planRetry(
      retry,
      {
        attempts: call.record.attempts.length,
        nothingSent: failed.error.code === 'upstream_unreachable',
        retryAfterMs: failed.retryAfterMs,
        hasOther: hasCandidates(this.#pool(call), { tried, keyDigest, nowMs: clock.now() }),
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
    const { clock, retry } = this.#deps;
    const silent = call.record.attempts
      .filter(({ status }) => status === 0)
      .map(({ workerId }) => workerOfMember(workerId));
    // Cool-downs that end within what the gateway waits out will be over by then.
    const nowMs = clock.now() + retry.retryAfterMaxMs;
    return hasCandidates(this.#pool(call), { tried: silent, keyDigest, nowMs }) ? silent : [];
  }

  /** Nothing more to try: the last real answer of a worker, else the last error, else why no worker could be asked. */
  #giveUp(call: Call, writer: ReplyWriter, last: Failed | undefined, keyDigest: number): void {
    const { record } = call;
    if (!last) throw refusePlacement(this.#pool(call), keyDigest, this.#deps);
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

interface RetryFacts {
  readonly tried: readonly string[];
  readonly keyDigest: number;
  readonly retry: RetryOptions;
}

/** The worker of the first attempt may have limits of its own. */
function retryFor(options: RetryOptions, { spec }: Worker): RetryOptions {
  const { maxRetries, disableRetry } = spec.resilience;
  if (disableRetry === undefined && maxRetries === undefined) return options;
  return { ...options, maxAttempts: disableRetry === true ? 1 : (maxRetries ?? options.maxAttempts) };
}

interface Waiting {
  readonly held: Held | undefined;
  readonly isBehind: boolean;
  readonly client: ClientSide;
}

interface AttemptSide {
  readonly writer: ReplyWriter;
  readonly client: ClientSide;
  readonly keyDigest: number;
  readonly backoffMs: number;
  readonly hints: CallHints;
  readonly outbound: Extract<Outbound, { kind: 'request' }>;
}

/** A retry has its own rules, and whoever named a worker does not wait for others. */
function mayBeHeld({ record, headers }: Call): boolean {
  return record.attempts.length === 0 && headers['x-smg-target-worker'] === undefined;
}

function statusOf(outcome: AttemptOutcome): number {
  if (outcome.kind === 'served') return outcome.status;
  return outcome.kind === 'failed' ? (outcome.answer?.status ?? 0) : 0;
}

/**
 * The spine: the life of one call. Resolve the model, place the call on a worker, attempt, and on failure place it
 * again, until it is served or there is nothing left to try. Read this file first.
 */
import { TurnEnd } from '../base/turn-end.ts';
import type { Call } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { workerOfMember } from '../domain/ids.ts';
import type { AdmissionTicket, ReplyWriter } from '../domain/ports.ts';
import type { AttemptRecord, PassReason } from '../domain/record.ts';
import type { Worker } from '../domain/worker.ts';
import { ReasoningVault } from '../protocols/hub/reasoning-vault.ts';
import type { FailedAttempt, RetryOptions, RetryPlan } from '../resilience/retry.ts';
import { planRetry } from '../resilience/retry.ts';
import type { AttemptOutcome } from './answer.ts';
import { Attempt } from './attempt.ts';
import { CallKey } from './call-key.ts';
import { ClientSide } from './client-side.ts';
import { isTooLong } from './context-fit.ts';
import { Course } from './course.ts';
import type { DispatchDeps, SpineDeps } from './deps.ts';
import type { Failed } from './failure.ts';
import { isOfTheModel } from './failure.ts';
import { giveUp } from './give-up.ts';
import type { CallHints, PromptTokens } from './hints.ts';
import { isKeyless, moveOn, refusedBy, resolveFor } from './next-model.ts';
import type { Placed } from './place.ts';
import { hasCandidates, placeCall, poolOf } from './place.ts';
import type { Held } from './recovery-line.ts';
import { RecoveryLine } from './recovery-line.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { chainOf } from './resolve-model.ts';
import { readTokenCall } from './tokens/read-token-call.ts';
import { TokenCalls } from './tokens/token-calls.ts';
import { TokenOutbounds } from './tokens/token-outbounds.ts';
import { answerForms } from './tokens/token-forms.ts';
import type { TokenCall } from './tokens/token-prompt.ts';
import { TokenWait } from './tokens/token-wait.ts';
import { DecodedCalls } from './translation/decoded-calls.ts';
import { answerCall } from './translation/own-answer.ts';
import type { Outbound, Wait } from './translation/outbound.ts';
import { Translator } from './translation/translator.ts';
import { Reach } from './translation/way.ts';
import { applyOutcome, verdictOf } from './verdict.ts';

export class Dispatcher {
  readonly #deps: SpineDeps;
  readonly #recovery: RecoveryLine;
  readonly #translator: Translator;
  readonly #tokens: TokenCalls;
  /** Calls between two attempts. */
  readonly #pausing = new Set<ClientSide>();

  constructor(deps: DispatchDeps) {
    const languages = { protocols: deps.protocols, unary: deps.unaryTranslations };
    this.#deps = { ...deps, reach: new Reach(languages), turnEnd: new TurnEnd() };
    this.#recovery = new RecoveryLine(deps.clock);
    const decodedCalls = new DecodedCalls(deps.protocols);
    this.#tokens = new TokenCalls({
      models: deps.tokenModels,
      clock: deps.clock,
      waitMs: deps.tokenizerWaitMs,
      read: (call, model, name) =>
        readTokenCall(
          { call, model, name },
          {
            ...languages,
            formsOf: (id, each, model) => answerForms(deps.formsOf(id, model), each),
            decoded: (each) => decodedCalls.of(each).decoded,
          },
        ),
    });
    this.#translator = new Translator({
      ...deps,
      ...languages,
      decodedCalls,
      tokens: new TokenOutbounds({ ...deps, calls: this.#tokens }),
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
    const { aliases, budget, keyDigest } = this.#deps;
    budget.deposit();
    const client = new ClientSide(writer);
    ticket?.onPreempted(client);
    const course = new Course(call, chainOf(call.model, aliases), new CallKey(call.callerKey, keyDigest));
    try {
      for (;;) {
        if (client.cancelled) throw client.cancelled;
        if (client.isGone) return applyOutcome(call.record, { kind: 'client_gone' });
        // From here to the lease nothing may wait: a half-open breaker has room for one.
        const place = this.#place(course);
        if (place instanceof TokenWait) {
          await this.#wait(place, client);
          continue;
        }
        if (!place) {
          const held = this.#hold(course, client);
          if (!held) return giveUp(course, writer, this.#deps);
          await client.wait(this.#recovery.remaining(held), this.#deps.clock);
          course.restart();
          continue;
        }
        if (course.held) course.held = this.#recovery.placed(course.held, call.record);
        const outbound = this.#translator.outbound(call, place.member, course.model);
        if (outbound.kind === 'unfit') {
          course.unfitted(place.member.worker.id, outbound.error);
          continue;
        }
        if (outbound.kind === 'pending') {
          await this.#wait(outbound.wait, client);
          continue;
        }
        if (outbound.kind === 'answer') return answerCall(call, writer, outbound, this.#deps.clock);
        const outcome = await this.#attempt(course, place, { writer, client, outbound });
        if (outcome.kind !== 'failed') return applyOutcome(call.record, outcome);
        // Cancelled from above: no worker is to blame, and none is to be asked instead.
        if (outcome.error.origin !== 'upstream') throw outcome.error;
        const pauseMs = this.#afterFailure(course, place, outcome);
        if (pauseMs === undefined) return giveUp(course, writer, this.#deps);
        course.backoffMs = pauseMs;
        this.#pausing.add(client);
        await client.wait(pauseMs, this.#deps.clock);
        this.#pausing.delete(client);
      }
    } finally {
      if (course.held) this.#recovery.left(course.held, call.record);
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

  /** A worker that takes the call now: of the model that it is at, else of the next of its chain that has one. */
  #place(course: Course): Placed | TokenWait | undefined {
    for (;;) {
      const place = this.#placeHere(course);
      if (typeof place === 'object') return place;
      const passed = [{ model: course.model, why: course.why ?? place }];
      course.left = passed;
      if (!course.hasNext) return undefined;
      course.moveTo({ at: course.at + 1, tried: course.failedWorkers(), passed });
    }
  }

  #placeHere(course: Course): Placed | TokenWait | PassReason {
    const { call, tried, key } = course;
    const deps = this.#deps;
    try {
      const resolved = resolveFor(call, course.model, deps);
      // The names of a chain are the operator's, and therefore few.
      if (resolved.isListed || course.isChain) call.record.canonicalModel = resolved.model;
      if (!course.held && mayBeHeld(call) && this.#recovery.hasLine(resolved.model)) return 'no_worker';
      const hints = course.hints(deps.protocols[call.protocol]);
      if (resolved.members.some(takesTokens)) {
        const tokens = this.#tokens.prepare(call, resolved.model, servedName(resolved));
        if (tokens instanceof TokenWait) return this.#placeMeanwhile(course, resolved, tokens) ?? tokens;
        // What is wrong with it is told by those who take tokens; others may serve it all the same.
        if (!(tokens instanceof GatewayError)) hints.useTokens(promptOf(tokens));
      }
      if (course.isChain && this.#isSkipped(course, resolved, hints)) return 'context';
      if (course.isChain && isKeyless(course, poolOf(call, resolved), deps)) return 'no_key';
      const place = placeCall(call, { resolved, hints, tried, key, deps });
      if (place || !course.isChain) return place ?? 'no_worker';
      return course.unfit ? course.refused(course.unfit) : refusedBy(course, poolOf(call, resolved), deps);
    } catch (thrown) {
      return course.refused(thrown);
    }
  }

  /** While the tokenizer is being loaded: a worker that needs none, if there is one. */
  #placeMeanwhile(course: Course, resolved: ResolvedModel, { isForTokenizer }: TokenWait): Placed | undefined {
    const waiting = resolved.members.filter(takesTokens);
    if (!isForTokenizer || waiting.length === resolved.members.length) return undefined;
    const { call, key } = course;
    const deps = this.#deps;
    const tried = [...course.tried, ...waiting.map(({ worker }) => worker.id)];
    return placeCall(call, { resolved, hints: course.hints(deps.protocols[call.protocol]), tried, key, deps });
  }

  /** Too long for the model; the last one is asked all the same, unless one before it would have had the room. */
  #isSkipped({ call, hasNext }: Course, { members }: ResolvedModel, hints: CallHints): boolean {
    const hadRoom = call.record.chain.some(({ why }) => why !== 'context' && why !== 'unknown');
    return (hasNext || hadRoom) && isTooLong(call, members, hints);
  }

  /** A place in the line of those who wait for a worker that is being tried again, or undefined: there is no hope. */
  #hold(course: Course, client: ClientSide): Held | undefined {
    const { held, call, models } = course;
    if (held) {
      if (this.#recovery.remaining(held) > 0 && this.#isBeingTried(course, held.model))
        return this.#recovery.stay(held);
      this.#recovery.left(held, call.record);
      course.held = undefined;
      return undefined;
    }
    if (!mayBeHeld(call)) return undefined;
    const model = models.find((each) => this.#recovery.hasLine(each) || this.#isBeingTried(course, each));
    if (model !== undefined) course.held = this.#recovery.join(model, client);
    return course.held;
  }

  #isBeingTried({ call }: Course, model: string): boolean {
    try {
      const { members } = resolveFor(call, model, this.#deps);
      return members.some(({ id, worker }) => worker.state === 'ready' && this.#deps.leases.isBeingTried(id));
    } catch {
      // It has left meanwhile, or never came: nobody of it is being tried.
      return false;
    }
  }

  #attempt(course: Course, place: Placed, side: AttemptSide): Promise<AttemptOutcome> {
    const { leases, clock, protocols } = this.#deps;
    const { member, policy } = place;
    const { worker } = member;
    const { call, key, model } = course;
    const hints = course.hints(protocols[call.protocol]);
    const digest = key.digestFor(worker);
    key.placedOn(worker);
    course.tried.push(worker.id);
    course.attempts += 1;
    const lease = leases.acquire(member.id, digest);
    const watch = policy.begin?.(member.candidate, hints);
    const entry: AttemptRecord = {
      workerId: member.id,
      status: 0,
      error: undefined,
      verdict: 'neutral',
      backoffMs: course.backoffMs,
    };
    call.record.attempts.push(entry);
    call.record.workerId = worker.id;
    call.record.answerModel = model === (call.model ?? '') ? '' : model;
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
      const { outbound } = side;
      const sentKey = key.keyFor(worker);
      const reader = outbound.kind === 'request' ? outbound.reader : undefined;
      const subject = { call, worker, watch, key: sentKey, reader };
      const attempt = new Attempt(subject, protocols[call.protocol], side.writer, this.#deps, settle);
      side.client.current = attempt;
      if (side.client.isGone) return attempt.clientGone();
      if (outbound.kind === 'tokens') {
        return attempt.startTokens(outbound.begin({ key: sentKey, rank: member.rank }));
      }
      const { path, body } = outbound;
      attempt.start({
        method: 'POST',
        path,
        clientHeaders: call.headers,
        requestId: call.requestId,
        key: sentKey,
        isCallersKey: key.isCallersFor(worker),
        rank: member.rank,
        body,
      });
    });
  }

  /**
   * How long to wait before the next attempt, or undefined: there is none. On which model and with whom left out, the
   * course says then.
   */
  #afterFailure(course: Course, { member }: Placed, failed: Failed): number | undefined {
    course.failed(failed, member.worker.id);
    const plan = isOfTheModel(failed) || failed.isFinal ? GIVE_UP : this.#plan(course, member.worker, failed);
    if (plan.kind === 'retry' && !plan.again && this.#mayRetry(plan)) return plan.delayMs;
    // Who can turn to another model does not go round the same workers again.
    if (moveOn(course, failed, this.#deps)) return 0;
    if (plan.kind === 'give_up' || !plan.again || !this.#mayRetry(plan)) return undefined;
    course.tried = this.#nextRound(course);
    return plan.delayMs;
  }

  #plan(course: Course, worker: Worker, failed: Failed): RetryPlan {
    const { random, clock, retry } = this.#deps;
    const { call, tried, key, model } = course;
    course.retry ??= retryFor(retry, worker);
    const pool = poolOf(call, resolveFor(call, model, this.#deps));
    const facts: FailedAttempt = {
      attempts: course.attempts,
      nothingSent: failed.error.code === 'upstream_unreachable',
      retryAfterMs: failed.retryAfterMs,
      hasOther: hasCandidates(pool, { tried, key, nowMs: clock.now() }),
    };
    return planRetry(course.retry, facts, random);
  }

  #mayRetry({ costsBudget }: { readonly costsBudget: boolean }): boolean {
    return !costsBudget || this.#deps.budget.withdraw(this.#deps.clock.now());
  }

  /**
   * Every worker has been tried: whom to leave out of the next round. One that answered, though badly, is a better
   * bet than one that could not be reached or stayed silent; those are asked again only when there is nobody else.
   */
  #nextRound({ call, key, model }: Course): string[] {
    const { clock, retry } = this.#deps;
    const silent = call.record.attempts
      .filter(({ status }) => status === 0)
      .map(({ workerId }) => workerOfMember(workerId));
    // Cool-downs that end within what the gateway waits out will be over by then.
    const nowMs = clock.now() + retry.retryAfterMaxMs;
    return hasCandidates(poolOf(call, resolveFor(call, model, this.#deps)), { tried: silent, key, nowMs })
      ? silent
      : [];
  }
}

/** The model's id; of a call that names none, that of the only one that there is. */
function servedName({ model, members }: ResolvedModel): string {
  return model === '' ? (members[0]?.worker.facts?.models[0] ?? '') : model;
}

/** What policies go by: of several prompts the first. */
function promptOf({ prompts: [first], adapter }: TokenCall): PromptTokens {
  return { ids: first?.ids ?? new Uint32Array(), adapter };
}

function takesTokens({ worker }: PoolMember): boolean {
  return worker.facts?.connection === 'grpc';
}

const GIVE_UP: RetryPlan = { kind: 'give_up' };

/** The worker of the first attempt may have limits of its own. */
function retryFor(options: RetryOptions, { spec }: Worker): RetryOptions {
  const { maxRetries, disableRetry } = spec.resilience;
  if (disableRetry === undefined && maxRetries === undefined) return options;
  return { ...options, maxAttempts: disableRetry === true ? 1 : (maxRetries ?? options.maxAttempts) };
}

interface AttemptSide {
  readonly writer: ReplyWriter;
  readonly client: ClientSide;
  readonly outbound: Extract<Outbound, { kind: 'request' | 'tokens' }>;
}

/** A retry has its own rules, and whoever named a worker does not wait for others. */
function mayBeHeld({ record, headers }: Call): boolean {
  return record.attempts.length === 0 && headers['x-smg-target-worker'] === undefined;
}

function statusOf(outcome: AttemptOutcome): number {
  if (outcome.kind === 'served') return outcome.status;
  return outcome.kind === 'failed' ? (outcome.answer?.status ?? 0) : 0;
}

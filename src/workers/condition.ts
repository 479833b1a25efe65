/**
 * May a ready worker serve? One circuit breaker and one cool-down book per worker, fed by what its calls came to; and
 * the counts of what they came to.
 */
import type { Clock } from '../base/clock.ts';
import type { Gate } from '../domain/candidate.ts';
import type { AttemptVerdict, FleetTelemetry } from '../domain/ports.ts';
import { NO_RESILIENCE_OVERRIDES } from '../domain/worker.ts';
import type { ResilienceOverrides } from '../domain/worker.ts';
import { CircuitBreaker } from '../resilience/circuit-breaker.ts';
import type { BreakerOptions, BreakerState } from '../resilience/circuit-breaker.ts';
import { CoolDown } from '../resilience/cool-down.ts';

/** The rest after a 429 that names no time. */
const DEFAULT_COOL_DOWN_MS = 1_000;
/** The longest rest: an absurd `Retry-After` must not take a worker away for a day. */
const MAX_COOL_DOWN_MS = 300_000;

export class Condition implements Gate {
  readonly breaker: CircuitBreaker;
  readonly counts = { success: 0, failure: 0, rate_limited: 0, neutral: 0 };
  readonly #coolDown = new CoolDown();

  constructor(options: BreakerOptions, onChange: (from: BreakerState, to: BreakerState) => void) {
    this.breaker = new CircuitBreaker(options, onChange);
  }

  mayServe(nowMs: number, keyDigest: number): boolean {
    return this.breaker.mayServe(nowMs) && this.#coolDown.endsAt(keyDigest, nowMs) === 0;
  }

  coolDownEndsAt(nowMs: number, keyDigest: number): number {
    return this.#coolDown.endsAt(keyDigest, nowMs);
  }

  isOutOfQuota(nowMs: number, keyDigest: number): boolean {
    return this.#coolDown.isOutOfQuota(keyDigest, nowMs);
  }

  /** Tells what a call came to. `wasProbe` is what the breaker's `started` returned for it. */
  settle(verdict: AttemptVerdict, wasProbe: boolean, keyDigest: number, clock: Pick<Clock, 'now'>): void {
    this.counts[verdict.kind] += 1;
    switch (verdict.kind) {
      case 'success':
        return this.breaker.succeeded(wasProbe);
      case 'failure':
        if (verdict.retryAfterMs !== undefined) this.#rest(keyDigest, clock.now(), verdict.retryAfterMs);
        return this.breaker.failed(wasProbe, clock.now());
      case 'rate_limited':
        this.#rest(keyDigest, clock.now(), verdict.retryAfterMs ?? DEFAULT_COOL_DOWN_MS, verdict.isQuota);
        return this.breaker.neutral(wasProbe);
      case 'neutral':
        return this.breaker.neutral(wasProbe);
    }
  }

  #rest(keyDigest: number, nowMs: number, restMs: number, isQuota = false): void {
    this.#coolDown.start(keyDigest, nowMs + Math.min(restMs, MAX_COOL_DOWN_MS), isQuota);
  }
}

export class ConditionBook {
  readonly #conditions = new Map<string, Condition>();
  readonly #options: BreakerOptions;
  readonly #telemetry: FleetTelemetry;
  readonly #clock: Clock;

  constructor(options: BreakerOptions, telemetry: FleetTelemetry, clock: Clock) {
    this.#options = options;
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  open(memberId: string, overrides: ResilienceOverrides = NO_RESILIENCE_OVERRIDES): Gate {
    const options = breakerFor(this.#options, overrides);
    const condition = new Condition(options, (from, to) => this.#telemetry.breakerChanged(memberId, from, to));
    this.#conditions.set(memberId, condition);
    return condition;
  }

  change(memberId: string, overrides: ResilienceOverrides): void {
    this.#conditions.get(memberId)?.breaker.adopt(breakerFor(this.#options, overrides));
  }

  close(workerId: string): void {
    this.#conditions.delete(workerId);
  }

  of(workerId: string): Condition | undefined {
    return this.#conditions.get(workerId);
  }

  /** When the first of these workers is free again for this key; 0 when one of them is not cooling down. */
  firstCoolDownEnd(workerIds: readonly string[], keyDigest: number): number {
    const now = this.#clock.now();
    let first = Number.POSITIVE_INFINITY;
    for (const id of workerIds) {
      const ends = this.#conditions.get(id)?.coolDownEndsAt(now, keyDigest) ?? 0;
      if (ends === 0) return 0;
      first = Math.min(first, ends);
    }
    return Number.isFinite(first) ? first : 0;
  }
}

/** The breaker's options as they are for one worker: what its spec says counts instead. */
function breakerFor(options: BreakerOptions, overrides: ResilienceOverrides): BreakerOptions {
  const { cbFailureThreshold, cbSuccessThreshold, cbTimeoutSecs, cbWindowSecs, disableCircuitBreaker } = overrides;
  const failureThreshold = cbFailureThreshold ?? options.failureThreshold;
  return {
    // Switched on for this worker though it is off for the gateway: then the worker has to name a threshold.
    failureThreshold: disableCircuitBreaker === true ? Number.POSITIVE_INFINITY : failureThreshold,
    successThreshold: cbSuccessThreshold ?? options.successThreshold,
    openMs: cbTimeoutSecs === undefined ? options.openMs : cbTimeoutSecs * 1_000,
    windowMs: cbWindowSecs === undefined ? options.windowMs : cbWindowSecs * 1_000,
  };
}

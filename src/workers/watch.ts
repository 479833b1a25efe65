/**
 * Keeps watch over one worker from its first probe to its removal:
 *
 *   pending -> probing -> ready <-> unhealthy -> failed
 *                 ^___________________|____________|     (probing goes on; the worker comes back by itself)
 *
 * A worker that is ready is read anew from time to time, and at once when it may have been started anew: its models
 * and facts change under it. For a provider's worker that reading is the check too, at the slower rhythm of it, and calls
 * that went well since the last one outweigh one that fails; without a key, or with its models named by an operator, it
 * is asked nothing. One timer at a time; every probe has its limit. Owns the counters of the hysteresis and the round
 * that runs, nothing else.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';
import type { EngineProber } from '../domain/engine-prober.ts';
import type { FleetTelemetry, Prober } from '../domain/ports.ts';
import type { OnboardingProgress, OnboardingStep, Worker, WorkerFacts } from '../domain/worker.ts';
import { compareInstances } from './instance.ts';
import { onboard } from './onboarding.ts';
import type { EngineQuestions } from './onboarding/step.ts';
import { cloudListPath } from './onboarding/list-cloud-models.ts';
import type { Registry } from './registry.ts';
import type { WatchOptions } from './watch-options.ts';
import { watchOptionsFor } from './watch-options.ts';

export interface WatchDeps {
  readonly registry: Registry;
  readonly prober: Prober;
  readonly engines: EngineProber;
  readonly telemetry: FleetTelemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** What the member had in its cache is gone: it was started anew. */
  onCacheLost(member: PoolMember): void;
  /** How many calls have gone well on the worker since it joined. */
  successesOf(workerId: string): number;
}

const FIRST_RETRY_MS = 1_000;
/** `unhealthy` becomes `failed` after this many times the failure threshold. */
const FAILED_FACTOR = 3;
/** Providers are not in such a hurry to be asked again as engines: they count what they are asked. */
const CLOUD_RETRY_FACTOR = 10;
/** An engine that does not tell its start is taken for started anew when it was away for this long. */
const LONG_ABSENCE_MS = 60_000;
const READY: OnboardingProgress = { step: 'ready', attempts: 1, lastError: undefined };

export class WorkerWatch {
  readonly #id: string;
  readonly #defaults: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #startedAt: number;
  /** Asks nothing of a worker that has left, whatever step its onboarding has come to. */
  readonly #prober: Prober = {
    ask: (worker, question, timeoutMs) =>
      this.#isStopped ? Promise.reject(gone()) : this.#deps.prober.ask(worker, question, timeoutMs),
  };
  readonly #engines: EngineQuestions = {
    detect: (worker, timeoutMs) => this.#unlessGone((engines) => engines.detect(worker, timeoutMs)),
    health: (worker, timeoutMs) => this.#unlessGone((engines) => engines.health(worker, timeoutMs)),
    describe: (worker, timeoutMs) => this.#unlessGone((engines) => engines.describe(worker, timeoutMs)),
  };
  #timer: Timer | undefined;
  #isProbing = false;
  #isStopped = false;
  /** The next round follows at once. */
  #isHurried = false;
  /** The spec is another one: what was found out under the old one is found out anew. */
  #isStale = false;
  #attempts = 0;
  #failures = 0;
  #successes = 0;
  /** When the first of the failures in a row was; undefined while it is well. */
  #awaySince: number | undefined;
  #lookDueAt = 0;
  /** Calls that had gone well when the provider was last asked and was well. */
  #successesSeen = 0;

  constructor(id: string, options: WatchOptions, deps: WatchDeps) {
    this.#id = id;
    this.#defaults = options;
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  #unlessGone<Answer>(ask: (engines: EngineProber) => Promise<Answer>): Promise<Answer> {
    return this.#isStopped ? Promise.reject(gone()) : ask(this.#deps.engines);
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) this.#deps.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Something looks wrong (a breaker opened): probe now instead of at the next turn. */
  probeSoon(): void {
    if (this.#isStopped || this.#isProbing) return;
    void this.#round();
  }

  /** Key or health settings are others: probe with them now, also when a probe with the old ones is under way. */
  retune(): void {
    this.#isHurried = this.#isProbing;
    this.probeSoon();
  }

  /** The whole spec is another one. A ready worker goes on serving; it is read anew, and a failure counts as a failed check. */
  refresh(): void {
    this.#isStale = true;
    this.retune();
  }

  /** The worker may have been started anew: its facts are read now. */
  lookAgain(): void {
    this.#lookDueAt = 0;
    this.probeSoon();
  }

  get #options(): WatchOptions {
    return watchOptionsFor(this.#defaults, this.#worker?.spec.health);
  }

  get #worker(): Worker | undefined {
    return this.#deps.registry.get(this.#id);
  }

  async #round(): Promise<void> {
    if (this.#timer) this.#deps.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#isProbing = true;
    const delayMs = await this.#probe();
    this.#isProbing = false;
    const wait = this.#isHurried ? 0 : delayMs;
    this.#isHurried = false;
    if (this.#isStopped || wait === undefined) return;
    this.#timer = this.#deps.clock.setTimer(() => void this.#round(), wait);
  }

  /** One probe; returns when the next is due, or undefined for never. */
  async #probe(): Promise<number | undefined> {
    const worker = this.#worker;
    if (!worker || worker.state === 'draining') return undefined;
    if (worker.state !== 'ready' && worker.state !== 'unhealthy') return this.#onboard();
    if (worker.state === 'ready' && this.#isStale) return this.#readAnew();
    // Checks may be off; a look that somebody asked for is taken all the same.
    if (worker.state === 'ready' && !this.#options.isActive)
      return this.#lookDueAt === 0 ? this.#lookOnce() : undefined;
    if (worker.state === 'ready' && worker.address.provider) return this.#lookAtCloud();
    return (await this.#isHealthy()) ? this.#wasHealthy() : this.#wasUnhealthy();
  }

  async #readAnew(): Promise<number | undefined> {
    const delayMs = await this.#onboard();
    return this.#isStale ? this.#wasUnhealthy() : delayMs;
  }

  async #lookAtCloud(): Promise<number | undefined> {
    const isRead = await this.#look();
    const worker = this.#worker;
    if (!worker || this.#isStopped || cloudListPath(worker) === undefined) return undefined;
    const successes = this.#deps.successesOf(this.#id);
    const isHealthy = isRead || successes > this.#successesSeen;
    this.#deps.telemetry.healthChecked(this.#id, isHealthy);
    if (!isHealthy) return this.#wasUnhealthy();
    this.#failures = 0;
    this.#awaySince = undefined;
    this.#successesSeen = successes;
    return this.#cloudInterval();
  }

  async #isHealthy(): Promise<boolean> {
    const worker = this.#worker;
    if (!worker) return false;
    let problem: string | undefined;
    try {
      problem = await this.#problemOf(worker);
    } catch (thrown) {
      problem = GatewayError.from(thrown).message;
    }
    if (problem !== undefined) this.#note('health', problem);
    if (!this.#isStopped) this.#deps.telemetry.healthChecked(this.#id, problem === undefined);
    return problem === undefined;
  }

  /** What its health check says is wrong. Rejects when it says nothing. */
  async #problemOf({ address, facts }: Worker): Promise<string | undefined> {
    const { healthPath, probeTimeoutMs } = this.#options;
    if (facts?.connection === 'grpc') {
      const health = await this.#engines.health({ address, engine: facts.engine }, probeTimeoutMs);
      return health.isHealthy ? undefined : `The engine is not well: ${health.message || 'it gives no reason'}`;
    }
    const path = facts?.healthPath ?? healthPath;
    const { status } = await this.#prober.ask(address, { method: 'GET', path }, probeTimeoutMs);
    return status >= 200 && status < 300 ? undefined : `GET ${path} answered ${status}`;
  }

  #wasHealthy(): number | undefined | Promise<number | undefined> {
    const { successThreshold } = this.#options;
    this.#failures = 0;
    this.#successes += 1;
    if (this.#worker?.state === 'unhealthy') {
      // A worker that was away may have come back as something else: its facts are read anew.
      return this.#successes >= successThreshold ? this.#onboard() : this.#retryDelay(this.#successes);
    }
    this.#awaySince = undefined;
    if (this.#deps.clock.now() >= this.#lookDueAt) return this.#look().then(() => this.#interval());
    if (this.#worker?.progress.step === 'health') this.#progress(READY);
    return this.#interval();
  }

  #wasUnhealthy(): number {
    const { failureThreshold } = this.#options;
    this.#successes = 0;
    this.#failures += 1;
    this.#awaySince ??= this.#deps.clock.now();
    if (this.#worker?.state === 'ready') {
      if (this.#failures < failureThreshold) return this.#retryDelay(this.#failures);
      this.#change('unhealthy');
    } else if (this.#failures >= failureThreshold * FAILED_FACTOR) {
      this.#change('failed');
    }
    return this.#retryDelay(this.#failures);
  }

  async #onboard(): Promise<number | undefined> {
    const worker = this.#worker;
    if (!worker) return this.#interval();
    if (worker.state === 'pending') this.#change('probing');
    this.#attempts += 1;
    this.#awaySince ??= this.#deps.clock.now();
    let step: OnboardingProgress['step'] = 'classify';
    const isStale = this.#isStale;
    this.#isStale = false;
    try {
      const facts = await this.#readFacts((name) => {
        step = name;
        // The last error stays to be seen until there is another, or success.
        this.#note(name, this.#worker?.progress.lastError);
      });
      if (this.#isStopped) return 0;
      this.#joined(worker, facts);
      return this.#firstInterval();
    } catch (thrown) {
      this.#isStale ||= isStale;
      this.#note(step, GatewayError.from(thrown).message);
      return this.#notYet();
    }
  }

  #joined(before: Worker, facts: WorkerFacts): void {
    const isCacheLost = this.#isCacheLost(before, facts);
    const progress: OnboardingProgress = { ...READY, attempts: this.#attempts };
    this.#failures = 0;
    this.#successes = 0;
    this.#attempts = 0;
    this.#awaySince = undefined;
    this.#deps.registry.change(this.#id, { state: 'ready', facts, progress });
    if (isCacheLost) this.#forgetCache();
  }

  async #lookOnce(): Promise<undefined> {
    await this.#look();
  }

  /** Reads the facts of a worker that is ready, and tells whether they could be read. It stays in service here. */
  async #look(): Promise<boolean> {
    let step: OnboardingProgress['step'] = 'classify';
    try {
      const facts = await this.#readFacts((name) => {
        step = name;
      });
      const worker = this.#worker;
      if (this.#isStopped || !worker || worker.state !== 'ready') return true;
      const isOther = compareInstances(worker.facts?.instance, facts.instance) === 'other';
      if (!isDeepStrictEqual(worker.facts, facts)) this.#deps.registry.change(this.#id, { facts, progress: READY });
      else if (worker.progress.lastError !== undefined) this.#progress(READY);
      if (isOther) this.#forgetCache();
      return true;
    } catch (thrown) {
      this.#note(step, GatewayError.from(thrown).message);
      return false;
    }
  }

  #readFacts(onStep: (step: OnboardingStep) => void): Promise<WorkerFacts> {
    const { healthPath, probeTimeoutMs: timeoutMs, lookIntervalMs } = this.#options;
    const { clock, random } = this.#deps;
    const worker = this.#worker;
    if (!worker) return Promise.reject(new GatewayError('worker_not_found', 'The worker was removed.'));
    this.#lookDueAt = clock.now() + spread(lookIntervalMs, random);
    return onboard(worker, { prober: this.#prober, engines: this.#engines, clock, healthPath, timeoutMs }, onStep);
  }

  /**
   * A short absence wipes nothing: what flaps between well and unwell has its cache. An engine that tells its start is
   * believed; one that does not is taken for started anew after `failed` or a long absence.
   */
  #isCacheLost(before: Worker, facts: WorkerFacts): boolean {
    if (!before.facts) return false;
    const comparison = compareInstances(before.facts.instance, facts.instance);
    if (comparison !== 'unknown') return comparison === 'other';
    const awayMs = this.#deps.clock.now() - (this.#awaySince ?? this.#deps.clock.now());
    return before.state === 'failed' || awayMs >= LONG_ABSENCE_MS;
  }

  #forgetCache(): void {
    for (const member of this.#deps.registry.membersOf(this.#id)) this.#deps.onCacheLost(member);
  }

  #notYet(): number {
    const isLate = this.#deps.clock.now() - this.#startedAt >= this.#options.startupTimeoutMs;
    if (isLate && this.#worker?.state === 'probing') this.#change('failed');
    return this.#retryDelay(this.#attempts);
  }

  #change(state: 'probing' | 'unhealthy' | 'failed'): void {
    if (!this.#isStopped) this.#deps.registry.change(this.#id, { state });
  }

  #note(step: OnboardingProgress['step'], lastError: string | undefined): void {
    this.#progress({ step, attempts: this.#attempts, lastError });
  }

  #progress(progress: OnboardingProgress): void {
    if (!this.#isStopped) this.#deps.registry.change(this.#id, { progress });
  }

  /** From 1 s, doubling; never slower than the configured limits. */
  #retryDelay(tries: number): number {
    const { maxRetryMs, intervalMs } = this.#options;
    const cap = this.#worker?.state === 'probing' ? maxRetryMs : intervalMs;
    const factor = this.#worker?.address.provider ? CLOUD_RETRY_FACTOR : 1;
    return Math.min(factor * FIRST_RETRY_MS * 2 ** Math.min(Math.max(tries - 1, 0), 16), cap);
  }

  #interval(): number {
    return spread(this.#options.intervalMs, this.#deps.random);
  }

  /** As often as models are read anew, unless the worker has a rhythm of its own. */
  #cloudInterval(): number {
    const { intervalMs, lookIntervalMs } = this.#options;
    const hasOwn = this.#worker?.spec.health.checkIntervalSecs !== undefined;
    return spread(hasOwn ? intervalMs : lookIntervalMs, this.#deps.random);
  }

  /** Workers that join together are not checked together: the first check comes at any time of the interval. */
  #firstInterval(): number | undefined {
    const worker = this.#worker;
    if (worker?.address.provider) return cloudListPath(worker) === undefined ? undefined : this.#cloudInterval();
    return this.#options.intervalMs * (0.1 + 0.9 * this.#deps.random.next());
  }
}

function gone(): GatewayError {
  return new GatewayError('upstream_unreachable', 'The worker has been removed.');
}

/** Give or take a tenth, so that a fleet is not probed in one burst. */
function spread(ms: number, random: Random): number {
  return ms * (0.9 + 0.2 * random.next());
}

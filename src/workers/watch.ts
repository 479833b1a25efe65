/**
 * Keeps watch over one worker from its first probe to its removal:
 *
 *   pending -> probing -> ready <-> unhealthy -> failed
 *                 ^___________________|____________|     (probing goes on; the worker comes back by itself)
 *
 * One timer at a time; every probe has its limit. Owns the counters of the hysteresis, nothing else.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { GatewayError } from '../domain/errors.ts';
import type { FleetTelemetry, Prober } from '../domain/ports.ts';
import type { HealthOverrides, OnboardingProgress, OnboardingStep } from '../domain/worker.ts';
import { onboard } from './onboarding.ts';
import type { Registry } from './registry.ts';

export interface WatchOptions {
  readonly healthPath: string;
  readonly probeTimeoutMs: number;
  readonly intervalMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  /** False: a worker that became ready is not probed any more. */
  readonly isActive: boolean;
  /** Onboarding retries double from 1 s up to this. */
  readonly maxRetryMs: number;
  /** After this long without success a worker that never came up is called `failed`. */
  readonly startupTimeoutMs: number;
}

/** The options as they are for one worker: what its spec says of health counts instead. */
function optionsFor(options: WatchOptions, health: HealthOverrides): WatchOptions {
  const { timeoutSecs, checkIntervalSecs, disableHealthCheck } = health;
  return {
    ...options,
    probeTimeoutMs: timeoutSecs === undefined ? options.probeTimeoutMs : timeoutSecs * 1_000,
    intervalMs: checkIntervalSecs === undefined ? options.intervalMs : checkIntervalSecs * 1_000,
    failureThreshold: health.failureThreshold ?? options.failureThreshold,
    successThreshold: health.successThreshold ?? options.successThreshold,
    isActive: disableHealthCheck === undefined ? options.isActive : !disableHealthCheck,
  };
}

export interface WatchDeps {
  readonly registry: Registry;
  readonly prober: Prober;
  readonly telemetry: FleetTelemetry;
  readonly clock: Clock;
  readonly random: Random;
}

const FIRST_RETRY_MS = 1_000;
/** `unhealthy` becomes `failed` after this many times the failure threshold. */
const FAILED_FACTOR = 3;

export class WorkerWatch {
  readonly #id: string;
  readonly #gatewayOptions: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #startedAt: number;
  /** Asks nothing of a worker that has left, whatever step its onboarding has come to. */
  readonly #prober: Prober = {
    ask: (worker, question, timeoutMs) =>
      this.#isStopped
        ? Promise.reject(new GatewayError('upstream_unreachable', 'The worker has been removed.'))
        : this.#deps.prober.ask(worker, question, timeoutMs),
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

  constructor(id: string, options: WatchOptions, deps: WatchDeps) {
    this.#id = id;
    this.#gatewayOptions = options;
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
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

  get #options(): WatchOptions {
    const worker = this.#deps.registry.get(this.#id);
    return worker ? optionsFor(this.#gatewayOptions, worker.spec.health) : this.#gatewayOptions;
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
    const worker = this.#deps.registry.get(this.#id);
    if (!worker) return undefined;
    if (worker.state === 'draining') return undefined;
    if (worker.state === 'ready' && this.#isStale) return this.#readAnew();
    if (worker.state === 'ready' && !this.#options.isActive) return undefined;
    if (worker.state === 'ready' || worker.state === 'unhealthy') {
      return (await this.#isHealthy()) ? this.#wasHealthy() : this.#wasUnhealthy();
    }
    return this.#onboard();
  }

  async #readAnew(): Promise<number> {
    const delayMs = await this.#onboard();
    return this.#isStale ? this.#wasUnhealthy() : delayMs;
  }

  async #isHealthy(): Promise<boolean> {
    const worker = this.#deps.registry.get(this.#id);
    if (!worker) return false;
    let isHealthy = false;
    try {
      const path = worker.facts?.healthPath ?? this.#options.healthPath;
      const reply = await this.#prober.ask(worker.address, { method: 'GET', path }, this.#options.probeTimeoutMs);
      isHealthy = reply.status >= 200 && reply.status < 300;
      if (!isHealthy) this.#note('health', `GET ${path} answered ${reply.status}`);
    } catch (thrown) {
      this.#note('health', GatewayError.from(thrown).message);
    }
    if (!this.#isStopped) this.#deps.telemetry.healthChecked(this.#id, isHealthy);
    return isHealthy;
  }

  #wasHealthy(): number | Promise<number> {
    this.#failures = 0;
    this.#successes += 1;
    const isBack = this.#state() === 'unhealthy' && this.#successes >= this.#options.successThreshold;
    // A worker that was away may have come back as something else: its facts are read anew.
    if (isBack) return this.#onboard();
    return this.#state() === 'unhealthy' ? this.#retryDelay(this.#successes) : this.#interval();
  }

  #wasUnhealthy(): number {
    this.#successes = 0;
    this.#failures += 1;
    if (this.#state() === 'ready') {
      if (this.#failures < this.#options.failureThreshold) return this.#retryDelay(this.#failures);
      this.#change('unhealthy');
    } else if (this.#failures >= this.#options.failureThreshold * FAILED_FACTOR) {
      this.#change('failed');
    }
    return this.#retryDelay(this.#failures);
  }

  async #onboard(): Promise<number> {
    const worker = this.#deps.registry.get(this.#id);
    if (!worker) return this.#interval();
    if (worker.state === 'pending') this.#change('probing');
    this.#attempts += 1;
    let step: OnboardingStep = 'connect';
    const isStale = this.#isStale;
    this.#isStale = false;
    try {
      const options = { healthPath: this.#options.healthPath, timeoutMs: this.#options.probeTimeoutMs };
      const facts = await onboard(worker, this.#prober, options, (name) => {
        step = name;
      });
      if (this.#isStopped) return 0;
      this.#failures = 0;
      this.#successes = 0;
      const progress: OnboardingProgress = { step: 'ready', attempts: this.#attempts, lastError: undefined };
      this.#attempts = 0;
      this.#deps.registry.change(this.#id, { state: 'ready', facts, progress });
      return this.#interval();
    } catch (thrown) {
      this.#isStale ||= isStale;
      this.#note(step, GatewayError.from(thrown).message);
      return this.#notYet();
    }
  }

  #notYet(): number {
    const isLate = this.#deps.clock.now() - this.#startedAt >= this.#options.startupTimeoutMs;
    if (isLate && this.#state() === 'probing') this.#change('failed');
    return this.#retryDelay(this.#attempts);
  }

  #state(): string | undefined {
    return this.#deps.registry.get(this.#id)?.state;
  }

  #change(state: 'probing' | 'unhealthy' | 'failed'): void {
    if (!this.#isStopped) this.#deps.registry.change(this.#id, { state });
  }

  #note(step: OnboardingProgress['step'], lastError: string): void {
    if (this.#isStopped) return;
    this.#deps.registry.change(this.#id, { progress: { step, attempts: this.#attempts, lastError } });
  }

  /** From 1 s, doubling; never slower than the configured limits. */
  #retryDelay(tries: number): number {
    const cap = this.#state() === 'probing' ? this.#options.maxRetryMs : this.#options.intervalMs;
    return Math.min(FIRST_RETRY_MS * 2 ** Math.min(Math.max(tries - 1, 0), 16), cap);
  }

  /** The regular interval, spread by ±10 % so that a fleet is not probed in one burst. */
  #interval(): number {
    return this.#options.intervalMs * (0.9 + 0.2 * this.#deps.random.next());
  }
}

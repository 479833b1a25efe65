/**
 * The engine's counters: what tests and operators may ask about, and waiting until they say something.
 * Each count has one method here; gauges of the scheduler are read through when a snapshot is taken.
 */

import type { Scheduler, Totals } from '../core/scheduler.ts';
import type { FaultKind } from '../faults/fault.ts';

/** Counters of one engine. Counts are since the start or the last reset; `…now` words are gauges. */
export interface EngineStats {
  /** When the engine started, ms since 1970; a restarted engine has another one. */
  readonly startedAtMs: number;
  readonly requestsTotal: number;
  /** Requests by path; unknown paths are together under `other`. */
  readonly requestsByPath: Readonly<Record<string, number>>;
  /** Generating requests by data-parallel rank, asked for by the caller or dealt out. */
  readonly requestsByRank: Readonly<Record<string, number>>;
  /** Requests received and not yet answered or gone. Gauge. */
  readonly inFlight: number;
  /** Most requests in flight at once. */
  readonly peakConcurrency: number;
  /** Answers written to their intended end, whatever their status. */
  readonly completed: number;
  /** Requests whose client left before the end. */
  readonly aborted: number;
  /** Event streams being written (or hanging). Gauge. */
  readonly openStreams: number;
  /** Sequences in the batch. Gauge. */
  readonly running: number;
  readonly peakRunning: number;
  /** Sequences waiting for a slot or for memory. Gauge. */
  readonly waiting: number;
  readonly sequencesFinished: number;
  readonly sequencesAborted: number;
  readonly tokensGenerated: number;
  readonly promptTokens: number;
  readonly prefixHitTokens: number;
  readonly faultsFired: Readonly<Partial<Record<FaultKind, number>>>;
  /** POST requests that did not carry exactly one Authorization header: none, or several. */
  readonly authorizationNotOne: number;
  /** The part of `authorizationNotOne` that carried several. */
  readonly authorizationRepeated: number;
  /** Answers with 401. */
  readonly unauthorized: number;
  /** Ids that Abort was called for, under way or not. gRPC engines only. */
  readonly abortCalls: number;
  readonly connectionsAccepted: number;
  /** Connections open. Gauge. */
  readonly connectionsOpen: number;
}

interface Waiter {
  readonly predicate: (stats: EngineStats) => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const LONGEST_WAIT_MS = 30_000;

/** Keeps the counters of one engine. */
export class Counters {
  readonly startedAtMs = Date.now();
  readonly #scheduler: Scheduler;
  #sums = noSums();
  #before: Totals;
  #inFlight = 0;
  #openStreams = 0;
  #connectionsOpen = 0;
  #waiters: Waiter[] = [];
  #isCheckDue = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#before = { ...scheduler.totals };
  }

  requestStarted(path: string): void {
    this.#sums.requestsTotal++;
    this.#sums.requestsByPath[path] = (this.#sums.requestsByPath[path] ?? 0) + 1;
    this.#inFlight++;
    this.#sums.peakConcurrency = Math.max(this.#sums.peakConcurrency, this.#inFlight);
    this.changed();
  }

  /** `cut` requests were ended by a fault: neither completed nor aborted. */
  requestEnded(outcome: 'completed' | 'aborted' | 'cut'): void {
    this.#inFlight--;
    if (outcome === 'completed') this.#sums.completed++;
    if (outcome === 'aborted') this.#sums.aborted++;
    this.changed();
  }

  rankStarted(rank: number): void {
    this.#sums.requestsByRank[rank] = (this.#sums.requestsByRank[rank] ?? 0) + 1;
    this.changed();
  }

  streamOpened(): void {
    this.#openStreams++;
    this.changed();
  }

  streamClosed(): void {
    this.#openStreams--;
    this.changed();
  }

  connectionOpened(): void {
    this.#sums.connectionsAccepted++;
    this.#connectionsOpen++;
    this.changed();
  }

  connectionClosed(): void {
    this.#connectionsOpen--;
    this.changed();
  }

  authorizationSeen(headerCount: number): void {
    if (headerCount === 1) return;
    this.#sums.authorizationNotOne++;
    if (headerCount > 1) this.#sums.authorizationRepeated++;
    this.changed();
  }

  refusedUnauthorized(): void {
    this.#sums.unauthorized++;
    this.changed();
  }

  abortCalled(): void {
    this.#sums.abortCalls++;
    this.changed();
  }

  faultFired(kind: FaultKind): void {
    this.#sums.faultsFired[kind] = (this.#sums.faultsFired[kind] ?? 0) + 1;
    this.changed();
  }

  /** Says that a counter or gauge may have changed; waiting tests look again at the end of this turn. */
  changed(): void {
    if (this.#waiters.length === 0 || this.#isCheckDue) return;
    this.#isCheckDue = true;
    queueMicrotask(() => this.#check());
  }

  /** All counters as they are now. */
  snapshot(): EngineStats {
    const { totals } = this.#scheduler;
    const before = this.#before;
    return {
      ...this.#sums,
      requestsByPath: { ...this.#sums.requestsByPath },
      requestsByRank: { ...this.#sums.requestsByRank },
      faultsFired: { ...this.#sums.faultsFired },
      startedAtMs: this.startedAtMs,
      inFlight: this.#inFlight,
      openStreams: this.#openStreams,
      connectionsOpen: this.#connectionsOpen,
      running: this.#scheduler.running,
      waiting: this.#scheduler.waiting,
      peakRunning: totals.peakRunning,
      sequencesFinished: totals.finished - before.finished,
      sequencesAborted: totals.aborted - before.aborted,
      tokensGenerated: totals.generatedTokens - before.generatedTokens,
      promptTokens: totals.promptTokens - before.promptTokens,
      prefixHitTokens: totals.prefixHitTokens - before.prefixHitTokens,
    };
  }

  /** Starts all sums anew; gauges keep their truth, and so do the engine's own metrics. */
  reset(): void {
    this.#sums = noSums();
    this.#sums.peakConcurrency = this.#inFlight;
    this.#scheduler.resetPeak();
    this.#before = { ...this.#scheduler.totals };
    this.changed();
  }

  /** Resolves when the predicate holds; looked at now and after every change. Rejects after 30 s. */
  waitFor(predicate: (stats: EngineStats) => boolean): Promise<void> {
    if (predicate(this.snapshot())) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(predicate), LONGEST_WAIT_MS);
      this.#waiters.push({ predicate, resolve, reject, timer });
    });
  }

  /** Rejects everybody still waiting: the engine is gone and nothing will change any more. */
  close(): void {
    for (const waiter of this.#waiters.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(new Error('the engine was closed while a test waited for its counters'));
    }
  }

  #check(): void {
    this.#isCheckDue = false;
    const stats = this.snapshot();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (!waiter.predicate(stats)) {
        this.#waiters.push(waiter);
        continue;
      }
      clearTimeout(waiter.timer);
      waiter.resolve();
    }
  }

  #giveUp(predicate: Waiter['predicate']): void {
    const waiter = this.#waiters.find((one) => one.predicate === predicate);
    this.#waiters = this.#waiters.filter((one) => one !== waiter);
    const counters = JSON.stringify(this.snapshot());
    waiter?.reject(new Error(`waited ${LONGEST_WAIT_MS / 1000} s for ${predicate.toString()}; counters: ${counters}`));
  }
}

interface Sums {
  requestsTotal: number;
  requestsByPath: Record<string, number>;
  requestsByRank: Record<string, number>;
  peakConcurrency: number;
  completed: number;
  aborted: number;
  faultsFired: Partial<Record<FaultKind, number>>;
  authorizationNotOne: number;
  authorizationRepeated: number;
  unauthorized: number;
  abortCalls: number;
  connectionsAccepted: number;
}

function noSums(): Sums {
  return {
    requestsTotal: 0,
    requestsByPath: {},
    requestsByRank: {},
    peakConcurrency: 0,
    completed: 0,
    aborted: 0,
    faultsFired: {},
    authorizationNotOne: 0,
    authorizationRepeated: 0,
    unauthorized: 0,
    abortCalls: 0,
    connectionsAccepted: 0,
  };
}

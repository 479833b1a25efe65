/**
 * Asks ready workers how busy they are, and hands what they say to the load book.
 * One timer for all workers: each tick lets old reports age and polls those that are due, a bounded number at a time.
 * A worker without a report is asked rarely; a poll that fails says nothing about the worker's health, but one that
 * was away and is back may have been started anew, and its watch is told to look.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { LoadReport, PoolMember } from '../domain/candidate.ts';
import type { Prober, WorkerDirectory } from '../domain/ports.ts';
import type { EngineProber } from '../domain/engine-prober.ts';
import type { Engine, Worker, WorkerFacts } from '../domain/worker.ts';
import { compareInstances } from './instance.ts';
import { loadSourcesOf } from './load-reports/index.ts';
import type { EngineLoad, RankLoad } from './load-reports/engine-load.ts';
import { totalOf } from './load-reports/engine-load.ts';
import type { LoadBook } from './load.ts';
import { isOk } from './read-json.ts';

export interface LoadMonitorOptions {
  /** Each worker is asked this often, give or take a tenth; 0 = never. */
  readonly intervalMs: number;
}

export interface LoadMonitorDeps {
  readonly directory: WorkerDirectory;
  readonly loads: LoadBook;
  readonly prober: Prober;
  readonly engines: Pick<EngineProber, 'loads'>;
  readonly clock: Clock;
  readonly random: Random;
  /** The worker may have been started anew. */
  onRestarted(workerId: string): void;
}

const POLL_TIMEOUT_MS = 5_000;
const MAX_POLLS = 64;
const MAX_TICK_MS = 500;
const TICKS_PER_INTERVAL = 20;
/** A worker that reports nothing is asked again after this many intervals: it may have been started with other options. */
const RARELY = 60;

/** What is remembered of one worker between polls. */
interface Polling {
  engine: Engine;
  connection: WorkerFacts['connection'];
  /** Which of the engine's sources is asked. */
  source: number;
  dueAt: number;
  /** It is in the queue, or asked just now. */
  isBusy: boolean;
  /** The last poll could not reach it. */
  wasAway: boolean;
}

type NoLoad = 'not_there' | 'not_now';

/** Over gRPC there is one place, or none; that is for the engine to say. */
function sourceCount({ engine, connection }: Pick<WorkerFacts, 'engine' | 'connection'>): number {
  return connection === 'grpc' ? 1 : loadSourcesOf(engine).length;
}

export class LoadMonitor {
  readonly #options: LoadMonitorOptions;
  readonly #deps: LoadMonitorDeps;
  readonly #polled = new Map<string, Polling>();
  /** Polls that are due and wait for a place. */
  #queue: (() => Promise<void>)[] = [];
  #timer: Timer | undefined;
  #running = 0;

  constructor(options: LoadMonitorOptions, deps: LoadMonitorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): void {
    if (this.#options.intervalMs > 0) this.#arm();
  }

  stop(): void {
    if (this.#timer) this.#deps.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#queue = [];
  }

  #arm(): void {
    const tickMs = Math.min(MAX_TICK_MS, this.#options.intervalMs / TICKS_PER_INTERVAL);
    this.#timer = this.#deps.clock.setTimer(() => {
      this.#tick();
      this.#arm();
    }, tickMs);
  }

  #tick(): void {
    const { clock, directory, loads } = this.#deps;
    const now = clock.now();
    loads.age(now, this.#options.intervalMs);
    const { workers } = directory.snapshot();
    if (this.#polled.size > workers.length) this.#dropGone(workers);
    for (const worker of workers) {
      const polling = this.#pollingOf(worker, now);
      if (!polling || polling.isBusy || polling.dueAt > now) continue;
      polling.isBusy = true;
      this.#queue.push(() => this.#poll(worker, polling));
    }
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running < MAX_POLLS) {
      const poll = this.#queue.shift();
      if (!poll) return;
      this.#running += 1;
      void poll().finally(() => {
        this.#running -= 1;
        this.#startNext();
      });
    }
  }

  /** Undefined for a worker that is not to be asked. */
  #pollingOf({ id, state, facts }: Worker, now: number): Polling | undefined {
    if (state !== 'ready' || !facts || sourceCount(facts) === 0) return undefined;
    const known = this.#polled.get(id);
    if (known?.engine === facts.engine && known.connection === facts.connection) return known;
    const { intervalMs } = this.#options;
    const dueAt = now + intervalMs * this.#deps.random.next();
    const { engine, connection } = facts;
    const polling: Polling = { engine, connection, source: 0, dueAt, isBusy: false, wasAway: false };
    this.#polled.set(id, polling);
    return polling;
  }

  #dropGone(workers: readonly Worker[]): void {
    const present = new Set(workers.map(({ id }) => id));
    for (const id of this.#polled.keys()) if (!present.has(id)) this.#polled.delete(id);
  }

  async #poll(worker: Worker, polling: Polling): Promise<void> {
    const { clock, random } = this.#deps;
    const { intervalMs } = this.#options;
    polling.dueAt = clock.now() + intervalMs * (0.9 + 0.2 * random.next());
    const heard = await this.#ask(worker, polling).catch(() => 'away' as const);
    polling.isBusy = false;
    if (!this.#timer) return;
    if (typeof heard === 'object') this.#heard(worker, heard, polling.wasAway);
    else if (heard === 'not_there') this.#tryNextSource(polling);
    polling.wasAway = heard === 'away';
  }

  /** Not waited for longer than its limit: its report decays meanwhile, and its health is asked elsewhere. */
  async #ask({ address }: Worker, { engine, connection, source: at }: Polling): Promise<EngineLoad | NoLoad> {
    const { prober, engines } = this.#deps;
    if (connection === 'grpc') return (await engines.loads({ address, engine }, POLL_TIMEOUT_MS)) ?? 'not_there';
    const source = loadSourcesOf(engine)[at];
    if (!source) return 'not_there';
    const reply = await prober.ask(address, { method: 'GET', path: source.path }, POLL_TIMEOUT_MS);
    const load = isOk(reply) ? source.read(reply.text) : undefined;
    return load ?? (reply.status < 500 || reply.status === 501 ? 'not_there' : 'not_now');
  }

  /** This source is not there; after the last the first is tried again, much later. */
  #tryNextSource(polling: Polling): void {
    const count = sourceCount(polling);
    polling.source = (polling.source + 1) % count;
    const now = this.#deps.clock.now();
    polling.dueAt = polling.source === 0 ? now + this.#options.intervalMs * RARELY : now;
  }

  #heard(worker: Worker, load: EngineLoad, wasAway: boolean): void {
    const { directory, loads, clock } = this.#deps;
    const members = directory.snapshot().members.filter((member) => member.worker.id === worker.id);
    const atMs = clock.now();
    for (const member of members) {
      const figures = figuresFor(member, load);
      if (figures) loads.report(member.id, reportOf(figures, atMs));
    }
    const comparison = compareInstances(worker.facts?.instance, load.instance);
    if (comparison === 'other' || (wasAway && comparison === 'unknown')) this.#deps.onRestarted(worker.id);
  }
}

function figuresFor(member: PoolMember, { ranks }: EngineLoad): RankLoad | undefined {
  return member.rank === undefined ? totalOf(ranks) : ranks.find(({ rank }) => rank === member.rank);
}

function reportOf(figures: RankLoad, atMs: number): LoadReport {
  const { running, waiting, waitingTokens, usedTokens, capacityTokens, throughput, cacheHitRate } = figures;
  return { atMs, running, waiting, waitingTokens, usedTokens, capacityTokens, throughput, cacheHitRate };
}

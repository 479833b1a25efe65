/**
 * One simulated engine: joins scheduler, driver, faults, counters and listeners, and is the API for tests.
 *
 *   const engine = await startEngine({ kind: 'vllm', speed: Infinity });
 *   await fetch(`${engine.url}/v1/models`);
 *   await engine.close();
 */

import { randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONTROL_PREFIX, type Controlled, serveControl } from './control/control.ts';
import { type RecordedRequest, Recorder } from './control/recorder.ts';
import { Counters, type EngineStats } from './control/stats.ts';
import { Scheduler } from './core/scheduler.ts';
import { Driver } from './driver.ts';
import { faultOn, type FaultRule, type FaultSpec, parseFaultRule } from './faults/fault.ts';
import { FaultPlan } from './faults/plan.ts';
import { type EngineError, errorBody } from './http/errors.ts';
import { Listener } from './http/listener.ts';
import { type ServingEngine, serve } from './http/serve.ts';
import { type EngineKind, type EngineOptions, resolveOptions } from './options.ts';

export type { RecordedRequest } from './control/recorder.ts';
export type { EngineStats } from './control/stats.ts';
export type { FaultKind, FaultSpec } from './faults/fault.ts';
export type { EngineKind, EngineOptions } from './options.ts';

/** A running engine in this process. */
export interface SimEngine {
  /** Base URL, without a final slash. */
  readonly url: string;
  readonly port: number;
  /** Base URL of the control listener, when `controlPort` was given. */
  readonly controlUrl: string | undefined;
  readonly kind: EngineKind;
  /** The base model, then the adapters. */
  readonly models: readonly string[];
  /** All counters, now. */
  stats(): EngineStats;
  resetStats(): void;
  /** The last recorded POST request; `back` 1 is the one before, up to 31. */
  lastRequest(back?: number): RecordedRequest | undefined;
  /** Replaces the fault rules; a `refuse` in the list takes effect at once. Throws FaultError on a bad one. */
  setFaults(faults: readonly FaultSpec[]): void;
  /** Removes all rules and listens again if it had been refusing. */
  clearFaults(): Promise<void>;
  /** Serves one model more from now on. */
  loadAdapter(name: string): void;
  /** Forgets every prefix, as after POST /flush_cache. */
  flushCache(): void;
  /** true: stops listening and closes idle connections; false: listens again on the same port. */
  refuse(on: boolean): Promise<void>;
  /** Dies abruptly: every connection and the listeners are gone. Start another engine on the port to "restart". */
  kill(): void;
  /** Ends everything and waits for it. */
  close(): Promise<void>;
  /** Resolves when the counters satisfy the predicate; re-checked whenever one changes; rejects after 30 s. */
  waitFor(predicate: (stats: EngineStats) => boolean): Promise<void>;
}

/** Starts an engine and waits until it listens. Throws RangeError on bad options; rejects when the port is taken. */
export async function startEngine(options: Partial<EngineOptions> = {}): Promise<SimEngine> {
  const engine = new Engine(resolveOptions(options));
  await engine.listen();
  return engine;
}

class Engine implements SimEngine, ServingEngine, Controlled {
  options: EngineOptions;
  readonly runningByRank: number[];
  readonly scheduler: Scheduler;
  readonly counters: Counters;
  readonly driver: Driver;
  readonly serverName = 'uvicorn';
  readonly recorder = new Recorder();
  readonly faults: FaultPlan;
  readonly #listener: Listener;
  readonly #control: Listener | undefined;
  #ids = randomInt(2 ** 31);
  #isEnded = false;
  #rank = 0;

  constructor(options: EngineOptions) {
    this.options = options;
    this.runningByRank = Array.from({ length: options.dataParallelSize }, () => 0);
    this.scheduler = new Scheduler(options);
    this.counters = new Counters(this.scheduler);
    this.driver = new Driver(this.scheduler, options.speed, () => this.counters.changed());
    this.faults = new FaultPlan(options.seed);
    this.#listener = new Listener(options, (request, response) => this.#serve(request, response), this.counters);
    if (options.controlPort !== undefined) {
      const where = { ...options, port: options.controlPort };
      this.#control = new Listener(where, (request, response) => this.#serveControl(request, response));
    }
  }

  get url(): string {
    return this.#listener.url;
  }

  get port(): number {
    return this.#listener.port;
  }

  get controlUrl(): string | undefined {
    return this.#control?.url;
  }

  get kind(): EngineKind {
    return this.options.kind;
  }

  get models(): readonly string[] {
    return this.options.models;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get startedAtMs(): number {
    return this.counters.startedAtMs;
  }

  nextId(): number {
    this.#ids++;
    return this.#ids;
  }

  nextRank(): number {
    this.#rank = (this.#rank + 1) % this.options.dataParallelSize;
    return this.#rank;
  }

  enterRank(rank: number): () => void {
    this.counters.rankStarted(rank);
    this.runningByRank[rank] = (this.runningByRank[rank] ?? 0) + 1;
    return () => {
      this.runningByRank[rank] = (this.runningByRank[rank] ?? 0) - 1;
    };
  }

  wordError(path: string, error: EngineError): unknown {
    return errorBody(this.options.kind, path, error);
  }

  loadAdapter(name: string): void {
    this.options = { ...this.options, models: [...this.options.models, name] };
  }

  flushCache(): void {
    this.scheduler.flushCache();
  }

  async listen(): Promise<void> {
    await this.#listener.listen();
    await this.#control?.listen();
  }

  stats(): EngineStats {
    return this.counters.snapshot();
  }

  resetStats(): void {
    this.counters.reset();
  }

  lastRequest(back = 0): RecordedRequest | undefined {
    return this.recorder.last(back);
  }

  faultRules(): readonly FaultRule[] {
    return this.faults.list();
  }

  setFaults(faults: readonly FaultSpec[]): void {
    this.applyRules(faults.map(parseFaultRule));
  }

  applyRules(rules: readonly FaultRule[]): void {
    for (const { fault } of rules) faultOn('http', fault);
    this.faults.set(rules.filter(({ fault }) => fault.kind !== 'refuse'));
    if (this.faults.list().length === rules.length) return;
    this.counters.faultFired('refuse');
    this.#listener.stopListening();
  }

  clearFaults(): Promise<void> {
    this.faults.clear();
    return this.refuse(false);
  }

  async refuse(on = true): Promise<void> {
    if (on) this.#listener.stopListening();
    else if (!this.#isEnded) await this.#listener.listen();
  }

  kill(): void {
    if (this.#isEnded) return;
    this.#end();
    this.options.onKill?.();
  }

  async close(): Promise<void> {
    this.#end();
    await this.counters.waitFor((stats) => stats.connectionsOpen === 0);
    this.counters.close();
  }

  waitFor(predicate: (stats: EngineStats) => boolean): Promise<void> {
    return this.counters.waitFor(predicate);
  }

  #end(): void {
    this.#isEnded = true;
    this.driver.stop();
    this.#listener.destroy();
    this.#control?.destroy();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.url?.startsWith(CONTROL_PREFIX)) this.#serveControl(request, response);
    else serve(this, request, response).catch((error: unknown) => fail(response, error));
  }

  #serveControl(request: IncomingMessage, response: ServerResponse): void {
    serveControl(this, request, response).catch((error: unknown) => fail(response, error));
  }
}

/** A programming fault ends its own request, loudly, and no other. */
function fail(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`sim: ${text}\n`);
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}

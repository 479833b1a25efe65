/**
 * One simulated gRPC engine: joins scheduler, driver, model, faults, counters and listeners, and is the API for tests.
 *
 *   const engine = await startGrpcEngine({ kind: 'sglang', speed: Infinity });   // engine.url: grpc://127.0.0.1:PORT
 *   await engine.close();
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Controlled, serveControl } from '../control/control.ts';
import type { RecordedRequest } from '../control/recorder.ts';
import { Counters, type EngineStats } from '../control/stats.ts';
import { Scheduler } from '../core/scheduler.ts';
import { Driver } from '../driver.ts';
import { type FaultKind, faultOn, type FaultRule, type FaultSpec, parseFaultRule } from '../faults/fault.ts';
import { FaultPlan } from '../faults/plan.ts';
import { Listener } from '../http/listener.ts';
import { Model } from './answer.ts';
import type { CallOutcome, RpcCall } from './call.ts';
import type { GrpcDialect, Identity } from './dialect.ts';
import { DIALECTS } from './engines/dialects.ts';
import { HEALTH_SERVICE, healthDefinition } from './health.ts';
import { GrpcListener, loadGrpc, type Registered } from './listener.ts';
import { type GrpcEngineKind, type GrpcEngineOptions, resolveGrpcOptions } from './options.ts';
import { serviceDefinition } from './protos.ts';
import { type RecordedRpc, RpcRecorder, shownRequest } from './recorder.ts';
import { type Pending, type RpcHost, serveRpc } from './serve.ts';
import { RpcRefusal, STATUS } from './status.ts';
import { loadTokenizer, type SimTokenizer } from './tokenizer.ts';

export type { EngineStats } from '../control/stats.ts';
export type { FaultSpec } from '../faults/fault.ts';
export type { GrpcEngineKind, GrpcEngineOptions } from './options.ts';
export type { RecordedRpc } from './recorder.ts';
export type { SimTokenizer } from './tokenizer.ts';

/** One Abort as it came, for one id. */
export interface AbortCall {
  readonly requestId: string;
  readonly reason: string;
  /** How it was with the request: under way, over (its caller had left, a fault had cut it), or never heard of. */
  readonly state: 'running' | CallOutcome | 'unknown';
}

/** A running gRPC engine in this process. */
export interface SimGrpcEngine {
  /** `grpc://127.0.0.1:PORT`, or `grpcs://…`. */
  readonly url: string;
  readonly port: number;
  readonly controlUrl: string | undefined;
  readonly kind: GrpcEngineKind;
  readonly models: readonly string[];
  readonly tokenizer: SimTokenizer;
  stats(): EngineStats;
  resetStats(): void;
  /** The last Generate or Embed as it was decoded; `back` 1 is the one before, up to 31. */
  lastRequest(back?: number): RecordedRpc | undefined;
  /** Every Abort, oldest first; the last 16,384. */
  aborts(): readonly AbortCall[];
  /** Ids of the Generates whose caller left before their end, oldest first; the last 16,384. */
  left(): readonly string[];
  /** Replaces the fault rules; a `refuse` takes effect at once. `path` may be a bare method name. Throws FaultError. */
  setFaults(faults: readonly FaultSpec[]): void;
  clearFaults(): Promise<void>;
  /** What HealthCheck says from now on. */
  setHealthy(on: boolean): void;
  flushCache(): void;
  refuse(on: boolean): Promise<void>;
  /** Dies abruptly: every connection is reset, the listeners are gone. */
  kill(): void;
  close(): Promise<void>;
  /** Resolves when the counters satisfy the predicate; re-checked whenever one changes; rejects after 30 s. */
  waitFor(predicate: (stats: EngineStats) => boolean): Promise<void>;
}

/**
 * Starts an engine and waits until it listens. Throws RangeError on bad options; rejects when the port is taken, the
 * tokenizer cannot be read, or the packages @grpc/grpc-js and tokenizers are not there.
 */
export async function startGrpcEngine(given: Partial<GrpcEngineOptions> = {}): Promise<SimGrpcEngine> {
  const options = resolveGrpcOptions(given);
  const tokenizer = await loadTokenizer(options.tokenizerPath);
  const mind = await Model.create(tokenizer);
  const engine = new GrpcEngine(options, mind);
  await engine.open();
  return engine;
}

/** For a thousand callers that leave, and more. */
const MOST_ABORTS = 16_384;
const MOST_OUTCOMES = 16_384;

class GrpcEngine implements SimGrpcEngine, Controlled, RpcHost {
  readonly options: GrpcEngineOptions;
  readonly mind: Model;
  readonly dialect: GrpcDialect;
  readonly scheduler: Scheduler;
  readonly counters: Counters;
  readonly driver: Driver;
  readonly faults: FaultPlan;
  readonly generations = new Map<string, Pending>();
  readonly adapters = new Set<string>();
  readonly views = { aborts: () => this.aborts() };
  readonly #recorder = new RpcRecorder();
  readonly #aborts: AbortCall[] = [];
  /** How requests ended, by their id. */
  readonly #outcomes = new Map<string, CallOutcome>();
  readonly #left: string[] = [];
  readonly #runningByRank: number[];
  readonly #control: Listener | undefined;
  #listener: GrpcListener | undefined;
  #isHealthy = true;
  #isProfiling = false;
  #isEnded = false;
  #rank = 0;

  constructor(options: GrpcEngineOptions, mind: Model) {
    this.options = options;
    this.mind = mind;
    this.dialect = DIALECTS[options.kind];
    this.scheduler = new Scheduler(options);
    this.counters = new Counters(this.scheduler);
    this.driver = new Driver(this.scheduler, options.speed, () => this.counters.changed());
    this.faults = new FaultPlan(options.seed);
    this.#runningByRank = Array.from({ length: options.dataParallelSize }, () => 0);
    if (options.controlPort !== undefined) {
      const where = { ...options, port: options.controlPort };
      this.#control = new Listener(where, (request, response) => this.#serveControl(request, response));
    }
  }

  get url(): string {
    return this.#listener?.url ?? '';
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get controlUrl(): string | undefined {
    return this.#control?.url;
  }

  get kind(): GrpcEngineKind {
    return this.options.kind;
  }

  get models(): readonly string[] {
    return this.options.models;
  }

  get model(): string {
    return this.options.models[0] ?? '';
  }

  get tokenizer(): SimTokenizer {
    return this.mind.tokenizer;
  }

  get tokensPerChunk(): number {
    return this.options.tokensPerChunk;
  }

  /** Reads the schemas and listens. */
  async open(): Promise<void> {
    const [grpc, definition] = await Promise.all([loadGrpc(), serviceDefinition(this.dialect.service)]);
    const services: Registered[] = [
      { definition, serve: (call) => this.#serve(call) },
      { definition: healthDefinition(), serve: (call) => this.#serveHealth(call) },
    ];
    this.#listener = new GrpcListener(grpc, this.options, this.counters, services);
    await this.#listener.listen();
    await this.#control?.listen();
  }

  identity(): Identity {
    const { totals } = this.scheduler;
    return {
      options: this.options,
      tokenizer: this.tokenizer,
      startedAtMs: this.counters.startedAtMs,
      activeRequests: this.generations.size,
      load: this.scheduler.load(),
      cacheHitRate: totals.promptTokens === 0 ? 0 : totals.prefixHitTokens / totals.promptTokens,
      runningByRank: this.#runningByRank,
      isHealthy: this.#isHealthy,
    };
  }

  enterRank(asked: number | undefined): () => void {
    const rank = asked ?? this.#rank;
    if (asked === undefined) this.#rank = (this.#rank + 1) % this.options.dataParallelSize;
    this.counters.rankStarted(rank);
    this.#runningByRank[rank] = (this.#runningByRank[rank] ?? 0) + 1;
    return () => {
      this.#runningByRank[rank] = (this.#runningByRank[rank] ?? 0) - 1;
    };
  }

  aborted(requestId: string, reason: string): boolean {
    const pending = this.generations.get(requestId);
    const state = pending === undefined ? (this.#outcomes.get(requestId) ?? 'unknown') : 'running';
    this.#aborts.push({ requestId, reason, state });
    if (this.#aborts.length > MOST_ABORTS) this.#aborts.shift();
    if (pending !== undefined) {
      pending.isAborted = true;
      pending.generation?.abort();
    }
    this.counters.abortCalled();
    return pending !== undefined;
  }

  ended(requestId: string, outcome: CallOutcome): void {
    this.#outcomes.set(requestId, outcome);
    if (outcome === 'aborted') this.#left.push(requestId);
    if (this.#left.length > MOST_OUTCOMES) this.#left.shift();
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > MOST_OUTCOMES && oldest !== undefined) this.#outcomes.delete(oldest);
  }

  profile(on: boolean): boolean {
    const isChange = this.#isProfiling !== on;
    this.#isProfiling = on;
    return isChange;
  }

  refusedUnauthorized(): void {
    this.counters.refusedUnauthorized();
  }

  fired(kind: FaultKind): void {
    this.counters.faultFired(kind);
  }

  stats(): EngineStats {
    return this.counters.snapshot();
  }

  resetStats(): void {
    this.counters.reset();
  }

  lastRequest(back = 0): (RecordedRpc & RecordedRequest) | undefined {
    const entry = this.#recorder.last(back);
    return entry === undefined ? undefined : { ...shownRequest(entry), ...entry };
  }

  aborts(): readonly AbortCall[] {
    return [...this.#aborts];
  }

  left(): readonly string[] {
    return [...this.#left];
  }

  faultRules(): readonly FaultRule[] {
    return this.faults.list();
  }

  setFaults(faults: readonly FaultSpec[]): void {
    this.applyRules(faults.map(parseFaultRule));
  }

  applyRules(rules: readonly FaultRule[]): void {
    for (const { fault } of rules) faultOn('grpc', fault);
    this.faults.set(rules.filter(({ fault }) => fault.kind !== 'refuse').map((rule) => this.#withPath(rule)));
    if (this.faults.list().length === rules.length) return;
    this.counters.faultFired('refuse');
    this.#listener?.stopListening();
  }

  clearFaults(): Promise<void> {
    this.faults.clear();
    return this.refuse(false);
  }

  setHealthy(on: boolean): void {
    this.#isHealthy = on;
  }

  flushCache(): void {
    this.scheduler.flushCache();
  }

  async refuse(on = true): Promise<void> {
    if (on) this.#listener?.stopListening();
    else if (!this.#isEnded) await this.#listener?.listen();
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
    this.#listener?.destroy();
    this.#control?.destroy();
  }

  #withPath(rule: FaultRule): FaultRule {
    const { path } = rule;
    return path === undefined || path.startsWith('/') ? rule : { ...rule, path: `/${this.dialect.service}/${path}` };
  }

  #serve(call: RpcCall): void {
    this.counters.requestStarted(call.path);
    const isStream = call.path.endsWith('/Generate');
    if (isStream) this.counters.streamOpened();
    call.onEnd((outcome) => {
      if (isStream) this.counters.streamClosed();
      this.counters.requestEnded(outcome);
    });
    if (/\/(?:Generate|Embed)$/.test(call.path)) {
      this.#recorder.record({ path: call.path, metadata: call.metadata, message: call.request });
    }
    serveRpc(this, call);
  }

  #serveHealth(call: RpcCall): void {
    const name = call.request['service'];
    if (name !== '' && name !== this.dialect.service && name !== HEALTH_SERVICE) {
      call.fail(new RpcRefusal(STATUS.notFound, 'unknown service'));
      return;
    }
    call.message({ status: this.#isHealthy ? 'SERVING' : 'NOT_SERVING' });
    call.end();
  }

  #serveControl(request: IncomingMessage, response: ServerResponse): void {
    serveControl(this, request, response).catch((error: unknown) => {
      process.stderr.write(`sim: ${String(error)}\n`);
      response.destroy();
    });
  }
}

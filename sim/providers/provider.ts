/**
 * One simulated cloud provider: joins dialect, faults, counters, memories and a listener, and is the API for tests.
 *
 *   const provider = await startProvider({ kind: 'anthropic', keys: ['sk-ant-test'] });
 *   await fetch(`${provider.url}/v1/models`, { headers: … });
 *   provider.keysSeen();
 *   await provider.close();
 */

import { createHash, randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONTROL_PREFIX, type Controlled, serveControl } from '../control/control.ts';
import { type RecordedRequest, Recorder } from '../control/recorder.ts';
import { Counters, type EngineStats } from '../control/stats.ts';
import { DEFAULT_COST } from '../core/cost.ts';
import { Scheduler } from '../core/scheduler.ts';
import { faultOn, type FaultRule, type FaultSpec, parseFaultRule } from '../faults/fault.ts';
import { FaultPlan } from '../faults/plan.ts';
import type { EngineError } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { Listener } from '../http/listener.ts';
import { hexId } from '../random.ts';
import { KeyMemory, type SeenKey } from './credentials.ts';
import type { Dialect } from './dialect.ts';
import { createDialect } from './kinds.ts';
import { type ProviderKind, type ProviderOptions, type ProviderSpec, resolveProvider } from './options.ts';
import type { RefusalWords } from './refusal.ts';
import { Sealer } from './seal.ts';
import { type ServingProvider, serveProvider } from './serve.ts';
import type { Item } from './transcript.ts';

export type { RecordedRequest } from '../control/recorder.ts';
export type { EngineStats } from '../control/stats.ts';
export type { FaultSpec } from '../faults/fault.ts';
export type { SeenKey } from './credentials.ts';
export type { ProviderKind, ProviderSpec } from './options.ts';

/** A request that was refused as too wrong, whatever was wrong with it. */
export interface Violation {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly message: string;
  /** The field at fault, where the provider says it. */
  readonly param: string | undefined;
}

/** A running provider in this process. */
export interface SimProvider {
  /** Base URL, without a final slash and without the provider's own path (`/v1`). */
  readonly url: string;
  readonly port: number;
  readonly kind: ProviderKind;
  readonly models: readonly string[];
  /** All counters, now. Those of batching and tokens stay 0. */
  stats(): EngineStats;
  resetStats(): void;
  /** The last recorded request; `back` 1 is the one before. */
  lastRequest(back?: number): RecordedRequest | undefined;
  /** Every recorded request, GET too, oldest first; the last 512. */
  requests(): readonly RecordedRequest[];
  /** Every credential it was ever sent, right or wrong, with its place; the first 1,000. */
  keysSeen(): readonly SeenKey[];
  /** What it refused, oldest first; the last 1,000. */
  violations(): readonly Violation[];
  /** Forgets requests, credentials and violations. */
  forget(): void;
  /** Replaces the fault rules; `key` in a rule makes it strike requests with that credential only. */
  setFaults(faults: readonly FaultSpec[]): void;
  clearFaults(): Promise<void>;
  /** Serves these models from now on. */
  setModels(models: readonly string[]): void;
  /** Knows these keys from now on. */
  setKeys(keys: readonly string[]): void;
  /** true: stops listening and closes idle connections; false: listens again on the same port. */
  refuse(on: boolean): Promise<void>;
  /** Dies abruptly. */
  kill(): void;
  /** Ends everything and waits for it. */
  close(): Promise<void>;
  /** Resolves when the counters satisfy the predicate; re-checked whenever one changes; rejects after 30 s. */
  waitFor(predicate: (stats: EngineStats) => boolean): Promise<void>;
}

const MOST_REQUESTS = 512;
const MOST_VIOLATIONS = 1000;
const MOST_PREFIXES = 10_000;
const MOST_CONVERSATIONS = 500;

/** Starts a provider and waits until it listens. Throws RangeError on bad options; rejects when the port is taken. */
export async function startProvider(spec: ProviderSpec): Promise<SimProvider> {
  const provider = new Provider(resolveProvider(spec));
  await provider.refuse(false);
  return provider;
}

class Provider implements SimProvider, ServingProvider, Controlled {
  options: ProviderOptions;
  readonly dialect: Dialect;
  // The counters of engines, with a scheduler that never runs: requests, connections and faults count alike.
  readonly counters = new Counters(new Scheduler(DEFAULT_COST));
  readonly faults: FaultPlan;
  readonly sealer: Sealer;
  readonly views = {
    requests: () => this.requests(),
    keys: () => this.keysSeen(),
    violations: () => this.violations(),
  };
  readonly cache = { visit: (prefix: string) => this.#visit(prefix) };
  readonly conversations = {
    keep: (id: string, items: readonly Item[]) => this.#keep(id, items),
    find: (id: string) => this.#conversations.get(id),
  };
  recorder = new Recorder(MOST_REQUESTS);
  keyMemory = new KeyMemory();
  readonly #listener: Listener;
  readonly #prefixes = new Set<string>();
  readonly #conversations = new Map<string, readonly Item[]>();
  #violations: Violation[] = [];
  #ids = randomInt(2 ** 31);
  #isEnded = false;

  constructor(options: ProviderOptions) {
    this.options = options;
    this.dialect = createDialect(options);
    this.faults = new FaultPlan(options.seed);
    this.sealer = new Sealer(options.secret);
    this.#listener = new Listener(options, (request, response) => this.#serve(request, response), this.counters);
  }

  get url(): string {
    return this.#listener.url;
  }

  get port(): number {
    return this.#listener.port;
  }

  get kind(): ProviderKind {
    return this.options.kind;
  }

  get models(): readonly string[] {
    return this.options.models;
  }

  get serverName(): string {
    return this.dialect.serverName;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  newId(prefix: string, digits = 24): string {
    this.#ids++;
    return prefix + hexId(this.#ids, digits);
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

  requests(): readonly RecordedRequest[] {
    return this.recorder.all();
  }

  keysSeen(): readonly SeenKey[] {
    return this.keyMemory.all();
  }

  violations(): readonly Violation[] {
    return [...this.#violations];
  }

  forget(): void {
    this.recorder = new Recorder(MOST_REQUESTS);
    this.keyMemory = new KeyMemory();
    this.#violations = [];
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

  setModels(models: readonly string[]): void {
    this.options = { ...this.options, models };
  }

  setKeys(keys: readonly string[]): void {
    this.options = { ...this.options, keys };
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

  wordError(_path: string, error: EngineError): unknown {
    return this.dialect.wordRefusal({ status: error.status, message: error.message }, this.newId('req_'));
  }

  refused(exchange: Exchange, words: RefusalWords): void {
    if (words.status === 401) this.counters.refusedUnauthorized();
    const { method, path } = exchange;
    this.#violations.push({ method, path, status: words.status, message: words.message, param: words.param });
    if (this.#violations.length > MOST_VIOLATIONS) this.#violations.shift();
  }

  #visit(prefix: string): boolean {
    const digest = createHash('sha256').update(prefix).digest('base64');
    const isKnown = this.#prefixes.has(digest);
    if (this.#prefixes.size < MOST_PREFIXES) this.#prefixes.add(digest);
    return isKnown;
  }

  #keep(id: string, items: readonly Item[]): void {
    this.#conversations.set(id, items);
    const [oldest] = this.#conversations.keys();
    if (this.#conversations.size > MOST_CONVERSATIONS && oldest !== undefined) this.#conversations.delete(oldest);
  }

  #end(): void {
    this.#isEnded = true;
    this.#listener.destroy();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const isControl = request.url?.startsWith(CONTROL_PREFIX) === true;
    const served = isControl ? serveControl(this, request, response) : serveProvider(this, request, response);
    served.catch((error: unknown) => fail(response, error));
  }
}

/** A programming fault ends its own request, loudly, and no other. */
function fail(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`sim: ${text}\n`);
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}

/** A whole gateway in front of simulated gRPC engines, what both sides count, and clients that leave when they are told to. */
import { Agent, request as httpRequest } from 'node:http';
import type { TestContext } from 'node:test';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { GrpcEngineKind, GrpcEngineOptions, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { readMetrics } from './prometheus-text.ts';
import { gatewayFor } from './rig.ts';
import type { GatewayFlags } from './rig.ts';

export const GRPC_KINDS = [
  'sglang',
  'vllm',
  'trtllm',
  'mlx',
  'tokenspeed',
] as const satisfies readonly GrpcEngineKind[];

/** An engine that answers as fast as it can, unless it is told otherwise. */
export async function grpcEngineFor(t: TestContext, options: Partial<GrpcEngineOptions> = {}): Promise<SimGrpcEngine> {
  const engine = await startGrpcEngine({ speed: Number.POSITIVE_INFINITY, ...options });
  t.after(() => engine.close());
  return engine;
}

export interface GrpcRig {
  readonly gateway: Gateway;
  readonly engines: readonly SimGrpcEngine[];
}

/** An engine of each kind and a gateway in front of them, all of them ready and their tokenizer loaded. */
export async function grpcRigFor(
  t: TestContext,
  kinds: readonly GrpcEngineKind[],
  flags: GatewayFlags = {},
  options: Partial<GrpcEngineOptions> = {},
): Promise<GrpcRig> {
  const engines = await Promise.all(kinds.map((kind) => grpcEngineFor(t, { kind, ...options })));
  const urls = engines.map(({ url }) => url);
  const gateway = await gatewayFor(t, urls, flags);
  await gateway.whenReady(kinds.length);
  return { gateway, engines };
}

/** Engines at the pace of a real one: so many ms for a token. */
export const paced = (decodeBaseMs = 4): Partial<GrpcEngineOptions> => ({ speed: 1, decodeBaseMs });

/** One of the gateway's metrics, all its series added up; those with these labels only. */
export async function metricOf(gateway: Gateway, name: string, labels: Readonly<Record<string, string>> = {}) {
  const text = await (await fetch(gateway.metricsUrl ?? '')).text();
  const samples = readMetrics(text).find((family) => family.name === name)?.samples ?? [];
  const fits = (of: Readonly<Record<string, string>>) =>
    Object.entries(labels).every(([key, value]) => of[key] === value);
  return samples.filter((sample) => fits(sample.labels)).reduce((sum, { value }) => sum + value, 0);
}

export interface ListedWorker {
  readonly id: string;
  readonly url: string;
  readonly status: string;
  readonly circuit_breaker: string;
  readonly load: number;
  readonly last_error?: string;
  readonly tokenizer?: { readonly status: string };
}

export async function workersOf(gateway: Gateway): Promise<readonly ListedWorker[]> {
  const reply = await fetch(`${gateway.url}/workers`);
  return ((await reply.json()) as { workers: ListedWorker[] }).workers;
}

/** Asks until it is so; a test in which it never is runs into its limit. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** Workers behind gRPC are ready before their tokenizers: until then others of their model serve alone. */
export async function tokenizersReady(gateway: Gateway): Promise<void> {
  await until(async () =>
    (await workersOf(gateway)).every(({ tokenizer }) => tokenizer === undefined || tokenizer.status === 'ready'),
  );
}

/** Engines have nothing to do, and the gateway holds nothing: no call, no stream, nobody who waits. */
export async function allQuiet({ gateway, engines }: GrpcRig): Promise<void> {
  for (const engine of engines) {
    await engine.waitFor(
      ({ running, waiting, inFlight, openStreams }) => running + waiting + inFlight + openStreams === 0,
    );
  }
  await until(async () => (await workersOf(gateway)).every(({ load }) => load === 0));
  for (const name of ['smg_grpc_streams', 'smg_grpc_waiting', 'smg_worker_requests_active']) {
    await until(async () => (await metricOf(gateway, name)) === 0);
  }
}

/** Every id of an Abort once, whatever came in between; throws for an id that came twice. */
export function abortedOnce(engines: readonly SimGrpcEngine[]): ReadonlySet<string> {
  const ids = engines.flatMap((engine) => engine.aborts().map(({ requestId }) => requestId));
  const once = new Set(ids);
  if (once.size !== ids.length) throw new Error(`${ids.length} Aborts for ${once.size} requests`);
  return once;
}

/** Generates that an engine has been asked for since its start. */
export function generatesOf(engine: SimGrpcEngine): number {
  const { requestsByPath } = engine.stats();
  return Object.entries(requestsByPath).reduce(
    (sum, [path, count]) => sum + (path.endsWith('/Generate') ? count : 0),
    0,
  );
}

/** What a client has of its answer at some moment. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The answer came to its end; false: the connection broke, or the client left. */
  readonly isWhole: boolean;
}

export interface Client {
  /** Closes its connection, whatever there is of the answer. */
  leave(): void;
  /** Resolves when so many events have come, or with the end of the answer. */
  hasEvents(count: number): Promise<void>;
  /** The end, whichever way it comes. */
  readonly over: Promise<Seen>;
}

/** A client with a connection of its own, so that leaving means just this call. */
export function clientOf(gateway: Gateway, path: string, body: unknown, headers: Record<string, string> = {}): Client {
  const { promise: over, resolve } = Promise.withResolvers<Seen>();
  const waiting: { count: number; tell: () => void }[] = [];
  const state = { status: 0, headers: {} as Seen['headers'], text: '', events: 0, isOver: false };
  const look = () => {
    for (const each of waiting) if (state.isOver || state.events >= each.count) each.tell();
  };
  const end = (isWhole: boolean) => {
    if (state.isOver) return;
    state.isOver = true;
    look();
    resolve({ status: state.status, headers: state.headers, text: state.text, isWhole });
  };
  const request = httpRequest(
    gateway.url + path,
    { method: 'POST', agent: OWN, headers: { 'content-type': 'application/json', ...headers } },
    (reply) => {
      state.status = reply.statusCode ?? 0;
      state.headers = reply.headers;
      reply.setEncoding('utf8');
      reply.on('data', (text: string) => {
        state.text += text;
        state.events += text.split('\n\n').length - 1;
        look();
      });
      reply.on('end', () => end(reply.complete));
      reply.on('error', () => end(false));
      reply.on('close', () => end(false));
    },
  );
  request.on('error', () => end(false));
  request.end(JSON.stringify(body));
  return {
    leave: () => {
      request.destroy();
      end(false);
    },
    hasEvents: (count) =>
      new Promise((tell) => {
        waiting.push({ count, tell });
        look();
      }),
    over,
  };
}

const OWN = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

/** Questions and orders for all workers at once: loads, cache flushes, profiles. */
import { mapBounded } from '../../base/map-bounded.ts';
import type { LoadReport, PoolMember } from '../../domain/candidate.ts';
import { GatewayError } from '../../domain/errors.ts';
import { isObject } from '../../domain/fields.ts';
import type { Question } from '../../domain/ports.ts';
import type { TokenWorker } from '../../domain/token-generation.ts';
import { readWorkerUrl } from '../../domain/worker-url.ts';
import type { Worker } from '../../domain/worker.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import { loadOf } from '../describe-worker.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';
import { allViews } from './workers.ts';

const MAX_AT_ONCE = 32;

export function getLoads(deps: ServerDeps): JsonAnswer {
  const workers = allViews(deps).map(({ worker, members }) => ({
    worker: worker.id,
    url: worker.spec.url,
    load: loadOf(members),
    details: detailsOf(deps, members),
  }));
  return json(200, { workers });
}

/** What the engine said last; a list by rank for a worker of several. */
function detailsOf(deps: ServerDeps, members: readonly PoolMember[]): unknown {
  const reports = members.map(({ candidate: { report }, rank }) => report && { rank, ...wireReport(deps, report) });
  return members.length === 1 ? reports[0] : reports.filter((report) => report !== undefined);
}

function wireReport(deps: ServerDeps, report: LoadReport): Readonly<Record<string, unknown>> {
  return {
    running: report.running,
    waiting: report.waiting,
    waiting_tokens: report.waitingTokens,
    used_tokens: report.usedTokens,
    capacity_tokens: report.capacityTokens,
    throughput: report.throughput,
    cache_hit_rate: report.cacheHitRate,
    age_ms: Math.round(deps.clock.now() - report.atMs),
  };
}

interface Told {
  readonly worker: Worker;
  /** Why it did not do it; undefined when it did. */
  readonly error: string | undefined;
}

/** An order as workers behind HTTP take it, and as those behind gRPC do. */
interface Orders {
  overHttp(worker: Worker): Question;
  overGrpc(worker: TokenWorker): Promise<void>;
}

async function tell(deps: ServerDeps, workers: readonly Worker[], orders: Orders): Promise<Told[]> {
  return mapBounded(workers, MAX_AT_ONCE, async (worker) => {
    try {
      return { worker, error: await tellOne(deps, worker, orders) };
    } catch (thrown) {
      return { worker, error: GatewayError.from(thrown).message };
    }
  });
}

async function tellOne(deps: ServerDeps, worker: Worker, orders: Orders): Promise<string | undefined> {
  const { address, facts } = worker;
  if (facts?.connection === 'grpc') {
    await orders.overGrpc({ address, engine: facts.engine });
    return undefined;
  }
  const question = orders.overHttp(worker);
  const { status } = await deps.prober.ask(address, question, deps.options.proxyTimeoutMs);
  return status >= 200 && status < 300 ? undefined : `${question.method} ${question.path} answered ${status}`;
}

/** `successful` and `failed` by id; 206 when one did not do it. */
function outcomeOf(told: readonly Told[]) {
  const failed = told.filter(({ error }) => error !== undefined);
  const done = told.filter(({ error }) => error === undefined);
  return {
    status: failed.length === 0 ? 200 : 206,
    word: failed.length === 0 ? 'success' : 'partial_success',
    done,
    lists: {
      successful: done.map(({ worker }) => worker.id),
      failed: failed.map(({ worker, error }) => ({ worker: worker.id, error })),
    },
  };
}

/** Engines that call it otherwise than SGLang does. */
const FLUSH_PATHS: Readonly<Record<string, string>> = { vllm: '/reset_prefix_cache' };

export async function flushCaches(deps: ServerDeps): Promise<JsonAnswer> {
  const { workers } = deps.directory.snapshot();
  const ready = workers.filter(({ state }) => state === 'ready');
  const told = await tell(deps, ready, {
    overHttp: ({ facts }) => ({ method: 'POST', path: FLUSH_PATHS[facts?.engine ?? ''] ?? '/flush_cache' }),
    overGrpc: (worker) => deps.engines.flushCache(worker, deps.options.proxyTimeoutMs),
  });
  const overGrpc = workers.filter(({ facts }) => facts?.connection === 'grpc').length;
  const { status, word, done, lists } = outcomeOf(told);
  for (const { worker } of done) deps.cacheFlushed(worker.id);
  return json(status, {
    status: word,
    message: `Caches of ${done.length} of ${ready.length} ready workers flushed`,
    workers_flushed: done.length,
    total_http_workers: workers.length - overGrpc,
    total_grpc_workers: overGrpc,
    total_zmq_workers_skipped: 0,
    total_workers: workers.length,
    ...lists,
  });
}

/** `{url?, worker_id?, …}`: to all ready workers or to the one that is named; what else the body holds is passed on. */
export async function profile(
  deps: ServerDeps,
  request: ControlRequest,
  path: '/start_profile' | '/stop_profile',
): Promise<JsonAnswer> {
  const body = (await request.readJson()) ?? {};
  if (!isObject(body)) throw new GatewayError('invalid_request', 'The body must be an object.');
  const { url, worker_id: id, ...rest } = body;
  for (const [param, name] of Object.entries({ url, worker_id: id }))
    if (name !== undefined && typeof name !== 'string')
      throw new GatewayError('invalid_request', `\`${param}\` must be text.`, { param });
  const { workers } = deps.directory.snapshot();
  const chosen = workers.filter((worker) => isMeant(worker, url, id));
  if (chosen.length === 0)
    throw new GatewayError('worker_not_found', 'No worker is ready, or none is the one that the body names.');
  const told = await tell(deps, chosen, {
    overHttp: () => ({ method: 'POST', path, body: JSON.stringify(rest) }),
    overGrpc: (worker) =>
      path === '/start_profile' ? deps.engines.startProfile(worker, rest) : deps.engines.stopProfile(worker),
  });
  const { status, word, done, lists } = outcomeOf(told);
  return json(status, {
    status: word,
    message: `${path} sent to ${chosen.length} workers, done by ${done.length}`,
    workers_profiled: done.length,
    total_workers: workers.length,
    ...lists,
  });
}

function isMeant(worker: Worker, url: unknown, id: unknown): boolean {
  if (url === undefined && id === undefined) return worker.state === 'ready';
  if (id !== undefined && worker.id !== id) return false;
  if (url === undefined) return true;
  const reading = readWorkerUrl(typeof url === 'string' ? url : '');
  return reading.ok && (reading.url === worker.spec.url || reading.url === worker.address.url);
}

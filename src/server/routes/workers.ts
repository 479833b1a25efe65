/** Reading the fleet: the workers with state, load and last error; never a key. */
import type { Worker } from '../../domain/worker.ts';
import type { PoolMember } from '../../domain/candidate.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

export function listWorkers(deps: ServerDeps): JsonAnswer {
  const { members } = deps.directory.snapshot();
  const workers = members.map((member) => describe(deps, member));
  const stats = { prefill_count: 0, decode_count: 0, regular_count: workers.length };
  return json(200, { workers, total: workers.length, stats });
}

export function getWorker(deps: ServerDeps, id: string): JsonAnswer {
  const member = deps.directory.snapshot().members.find((other) => other.worker.id === id);
  if (member) return json(200, describe(deps, member));
  throw new GatewayError('worker_not_found', `There is no worker \`${id.slice(0, 64)}\`.`, { param: 'id' });
}

export function describe(deps: ServerDeps, { worker, candidate }: PoolMember): Record<string, unknown> {
  const { spec, facts, progress } = worker;
  return {
    id: worker.id,
    url: spec.url,
    model_id: facts?.models[0],
    models: facts?.models ?? [],
    worker_type: 'regular',
    connection_mode: 'http',
    runtime_type: runtimeOf(worker),
    version: facts?.version,
    context_length: facts?.contextLength,
    labels: spec.labels,
    priority: spec.priority,
    cost: spec.cost,
    max_in_flight: spec.maxInFlight === 0 ? undefined : spec.maxInFlight,
    has_api_key: spec.apiKey !== undefined,
    is_healthy: worker.state === 'ready',
    status: worker.state,
    load: candidate.inFlight,
    circuit_breaker: deps.breakerOf(worker.id),
    onboarding: { step: progress.step, attempts: progress.attempts },
    last_error: progress.lastError ?? null,
  };
}

/** The runtime as the original names it; a server that is neither engine is known by its API only. */
function runtimeOf(worker: Worker): string {
  return worker.facts?.engine ?? 'unspecified';
}

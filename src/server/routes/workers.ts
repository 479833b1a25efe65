/** Reading the fleet: the workers with state, load, progress and last error; never a key. */
import { GatewayError } from '../../domain/errors.ts';
import type { WorkerView } from '../../domain/ports.ts';
import { workerStates } from '../../domain/worker.ts';
import type { Worker, WorkerType } from '../../domain/worker.ts';
import type { ServerDeps } from '../deps.ts';
import { describeView } from '../describe-worker.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

/** `?model=` takes an id or an alias, `?state=` one of the states; both together narrow further. */
export function listWorkers(deps: ServerDeps, query: URLSearchParams): JsonAnswer {
  const state = query.get('state');
  if (state !== null && !workerStates.some((known) => known === state)) {
    const text = `\`state\` must be one of ${workerStates.join(', ')}.`;
    throw new GatewayError('invalid_request', text, { param: 'state' });
  }
  const model = query.get('model');
  const asked = model === null ? undefined : (deps.aliases.get(model) ?? [model]);
  const views = allViews(deps).filter(({ worker }) => {
    const isOfState = state === null || worker.state === state;
    return isOfState && (asked === undefined || asked.some((each) => worker.facts?.models.includes(each) === true));
  });
  return json(200, showWorkers(deps, views));
}

/** All workers as `GET /workers` shows them. */
export function showWorkers(deps: ServerDeps, views = allViews(deps)): Readonly<Record<string, unknown>> {
  const workers = views.map((view) => describeView(view, deps));
  const count = (type: WorkerType) => views.filter(({ worker }) => worker.spec.workerType === type).length;
  const stats = { prefill_count: count('prefill'), decode_count: count('decode'), regular_count: count('regular') };
  return { workers, total: workers.length, stats };
}

export function getWorker(deps: ServerDeps, id: string): JsonAnswer {
  return json(200, describeView(viewOf(deps, id), deps));
}

/** Throws `worker_not_found`. */
export function viewOf(deps: ServerDeps, id: string): WorkerView {
  const view = deps.fleet.view(id);
  if (view) return view;
  throw new GatewayError('worker_not_found', `There is no worker \`${id.slice(0, 64)}\`.`, { param: 'id' });
}

export function allViews(deps: ServerDeps): WorkerView[] {
  return deps.directory.snapshot().workers.flatMap((worker: Worker) => deps.fleet.view(worker.id) ?? []);
}

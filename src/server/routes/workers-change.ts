/** Changing the fleet: `POST`, `PUT`, `PATCH` and `DELETE` of workers. All of them answer 202 in one shape. */
import { GatewayError } from '../../domain/errors.ts';
import { problemText } from '../../domain/fields.ts';
import type { FieldProblem } from '../../domain/fields.ts';
import { readWorkerPatch, readWorkerSpec } from '../../domain/worker-spec.ts';
import type { WorkerView } from '../../domain/ports.ts';
import type { SpecReading } from '../../domain/worker-spec.ts';
import type { Worker } from '../../domain/worker.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import { describeView, loadOf } from '../describe-worker.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';
import { untilReady } from './await-worker.ts';
import { viewOf } from './workers.ts';

const MAX_WAIT_SECONDS = 600;

/** 202; with `?wait=SECONDS` 200 when the worker is ready, or 504 `worker_not_ready` with the reason. */
export async function addWorker(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const waitSeconds = readWait(request.query);
  const reading = accepted(readWorkerSpec(await request.readJson(), deps.specDefaults));
  const { worker, isNew } = deps.fleet.add(reading.spec);
  const { id } = worker;
  if (!isNew) {
    const text = `The worker \`${id}\` has this URL already.`;
    throw new GatewayError('worker_exists', text, { param: 'url', workerId: id });
  }
  if (waitSeconds === undefined)
    return changed(worker, `Worker addition queued for background processing${noteOf(reading)}`);
  const location = ['location', `/workers/${id}`];
  return json(200, describeView(await untilReady(deps, id, waitSeconds, request.signal), deps), location);
}

export async function replaceWorker(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const { worker: before } = viewOf(deps, request.id);
  const defaults = { ...deps.specDefaults, origin: before.spec.origin };
  const reading = accepted(readWorkerSpec(await request.readJson(), defaults));
  const { spec } = reading;
  if (spec.url !== before.spec.url && spec.url !== before.address.url) {
    const text = '`url` must be the URL of this worker; another URL is another worker, which is added with POST.';
    throw new GatewayError('invalid_request', text, { param: 'url' });
  }
  const worker = deps.fleet.replace(request.id, spec);
  if (!worker) throw removedMeanwhile(request.id);
  const note = `${noteOf(reading)}${leavingNoteOf(worker)}`;
  return changed(worker, `Worker replacement queued for background processing${note}`);
}

export async function patchWorker(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const body = await request.readJson();
  const reading = readWorkerPatch(body, viewOf(deps, request.id).worker.spec);
  if (!reading.ok) throw refused(reading.problems);
  const worker = deps.fleet.patch(request.id, reading.patch);
  if (!worker) throw removedMeanwhile(request.id);
  return changed(worker, `Worker updated${leavingNoteOf(worker)}`);
}

/** `?force=true` cuts off the calls that run there. */
export function removeWorker(deps: ServerDeps, { id, query }: ControlRequest): JsonAnswer {
  const force = query.get('force') ?? 'false';
  if (force !== 'true' && force !== 'false')
    throw new GatewayError('invalid_request', '`force` must be true or false.', { param: 'force' });
  viewOf(deps, id);
  const worker = deps.fleet.remove(id, force === 'true');
  if (!worker) throw removedMeanwhile(id);
  return changed(worker, farewellOf(deps.fleet.view(id), force === 'true'));
}

/** `view` is undefined for a worker that is gone already. */
function farewellOf(view: WorkerView | undefined, isForced: boolean): string {
  if (!view) return 'Worker removed';
  if (isForced) return 'Worker removed; calls that ran there are cut off';
  const running = loadOf(view.members);
  if (running === 0) return 'Worker is draining; it is removed when its settle time is over';
  return `Worker is draining; it is removed after its ${running} running call${running === 1 ? '' : 's'}`;
}

function changed({ id, spec }: Worker, message: string): JsonAnswer {
  const location = `/workers/${id}`;
  const body = { status: 'accepted', worker_id: id, url: spec.url, location, message };
  return json(202, body, ['location', location]);
}

function noteOf({ withoutEffect, doubts }: Accepted): string {
  const unused = withoutEffect.length === 0 ? [] : [`without effect: ${withoutEffect.join(', ')}`];
  return [...unused, ...doubts].map((note) => `; ${note}`).join('');
}

function leavingNoteOf({ state }: Worker): string {
  return state === 'draining' ? '; it is draining and is removed all the same' : '';
}

type Accepted = Extract<SpecReading, { ok: true }>;

function accepted(reading: SpecReading): Accepted {
  if (reading.ok) return reading;
  throw refused(reading.problems);
}

function refused(problems: readonly FieldProblem[]): GatewayError {
  const param = problems.find(({ path }) => path !== '')?.path.slice(0, 80);
  const text = `The worker is not as it should be: ${problemText(problems)}.`;
  return new GatewayError('invalid_request', text, param === undefined ? {} : { param });
}

function removedMeanwhile(id: string): GatewayError {
  return new GatewayError('worker_not_found', `The worker \`${id.slice(0, 64)}\` has been removed.`, { param: 'id' });
}

/** Undefined: not asked for. Throws `invalid_request`. */
function readWait(query: URLSearchParams): number | undefined {
  const text = query.get('wait');
  if (text === null) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds > 0 && seconds <= MAX_WAIT_SECONDS) return seconds;
  const message = `\`wait\` must be a number of seconds, above 0 and at most ${MAX_WAIT_SECONDS}.`;
  throw new GatewayError('invalid_request', message, { param: 'wait' });
}

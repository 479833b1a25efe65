/** Waits until a worker is ready, and no longer than somebody wants to know. */
import { GatewayError } from '../../domain/errors.ts';
import type { FleetEvent, WorkerView } from '../../domain/ports.ts';
import type { ServerDeps } from '../deps.ts';

/**
 * Rejects with `worker_not_ready` (and why it is not) when the time is over, `worker_not_found` when it was removed,
 * `client_closed_request` or `shutting_down`.
 */
export function untilReady(deps: ServerDeps, id: string, seconds: number, gone: AbortSignal): Promise<WorkerView> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      leave();
      deps.clock.clearTimer(timer);
      gone.removeEventListener('abort', onGone);
      deps.stopping.removeEventListener('abort', onStopping);
      settle();
    };
    const onGone = end(() => reject(new GatewayError('client_closed_request', 'The client left.')));
    const onStopping = end(() => {
      reject(new GatewayError('shutting_down', 'The gateway is shutting down.', { workerId: id }));
    });
    const onEvent = ({ type, worker }: FleetEvent) => {
      if (worker.id !== id) return;
      const view = deps.fleet.view(id);
      if (type === 'worker_removed' || worker.state === 'draining' || !view) end(() => reject(removed(id)))();
      else if (worker.state === 'ready') end(() => resolve(view))();
    };
    const leave = deps.fleet.onEvent(onEvent);
    const timer = deps.clock.setTimer(
      end(() => reject(notReady(deps.fleet.view(id), id, seconds))),
      seconds * 1_000,
    );
    gone.addEventListener('abort', onGone);
    deps.stopping.addEventListener('abort', onStopping);
    if (gone.aborted) onGone();
    else if (deps.stopping.aborted) onStopping();
  });
}

function removed(id: string): GatewayError {
  return new GatewayError('worker_not_found', `The worker \`${id}\` was removed before it was ready.`);
}

function notReady(view: WorkerView | undefined, id: string, seconds: number): GatewayError {
  if (!view) return removed(id);
  const { step, attempts, lastError } = view.worker.progress;
  const why = lastError === undefined ? 'no attempt has ended yet' : lastError;
  const text = `The worker \`${id}\` is not ready after ${seconds} s; step ${step}, attempt ${attempts}: ${why}`;
  return new GatewayError('worker_not_ready', text, { workerId: id });
}

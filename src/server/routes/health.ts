/** Health: is the process alive, and can it serve? */
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json, text } from '../json-answer.ts';

export function liveness(): JsonAnswer {
  return text(200, 'OK');
}

export function readiness(deps: ServerDeps): JsonAnswer {
  const { workers } = deps.directory.snapshot();
  const healthy = workers.filter((worker) => worker.state === 'ready').length;
  const counts = { healthy_workers: healthy, total_workers: workers.length };
  if (deps.stopping.aborted) return json(503, { status: 'not ready', reason: 'draining', ...counts });
  if (healthy === 0) return json(503, { status: 'not ready', reason: 'insufficient healthy workers', ...counts });
  return json(200, { status: 'ready', ...counts });
}

/** Questions that a worker answers itself: passed to the first ready one, with that worker's own key. */
import { GatewayError } from '../../domain/errors.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';

/** GET `path` of the first ready worker. Rejects with `no_available_workers` or what befell the worker. */
export async function askEngine(deps: ServerDeps, path: string): Promise<JsonAnswer> {
  const worker = deps.directory.snapshot().workers.find((other) => other.state === 'ready');
  if (!worker) throw new GatewayError('no_available_workers', 'No worker is ready.', { retryAfterSeconds: 1 });
  const reply = await deps.prober.ask(worker.address, { method: 'GET', path }, deps.options.proxyTimeoutMs);
  return {
    status: reply.status,
    contentType: reply.contentType ?? 'application/json',
    body: Buffer.from(reply.text),
    headers: ['x-smg-worker', worker.id],
  };
}

/** Questions that a worker answers itself: passed to the first ready one, with that worker's own key. */
import { GatewayError } from '../../domain/errors.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

/** GET `path` of the first ready worker, those behind HTTP before the others. Rejects with `no_available_workers` or what befell the worker. */
export async function askEngine(deps: ServerDeps, path: string): Promise<JsonAnswer> {
  const ready = deps.directory.snapshot().workers.filter((other) => other.state === 'ready');
  const worker = ready.find(({ facts }) => facts?.connection === 'http') ?? ready[0];
  if (!worker) throw new GatewayError('no_available_workers', 'No worker is ready.', { retryAfterSeconds: 1 });
  // It has no such paths: what it has said of itself stands for them.
  if (worker.facts?.connection === 'grpc')
    return { ...json(200, asTold(worker.facts.labels)), headers: ['x-smg-worker', worker.id] };
  const reply = await deps.prober.ask(worker.address, { method: 'GET', path }, deps.options.proxyTimeoutMs);
  return {
    status: reply.status,
    contentType: reply.contentType ?? 'application/json',
    body: Buffer.from(withoutSecrets(reply.text, worker.address.apiKey)),
    headers: ['x-smg-worker', worker.id],
  };
}

const TEXTS = /(?:^model|version|name|path|model_id)$/;

/** Labels are texts; here they are what the engine made them of, because `"false"` counts as true for clients. */
function asTold(labels: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, valueOf(name, text)]));
}

function valueOf(name: string, text: string): unknown {
  if (TEXTS.test(name) || !/^(?:true|false|-?\d{1,15}|\[.*\])$/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // It only looks like one.
    return text;
  }
}

/** Members that engines tell their own secrets in; SGLang's server info holds all of its start-up arguments. */
const SECRET_MEMBER = /("\w*(?:api_key|password|secret)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;
/** A shorter key is a placeholder such as `none`, which may stand anywhere. */
const MIN_KEY_LENGTH = 8;

/** The rest stays as it was, byte for byte. Cost O(text). */
function withoutSecrets(text: string, storedKey = ''): string {
  const safe = text.replace(SECRET_MEMBER, '$1"***"');
  return storedKey.length < MIN_KEY_LENGTH ? safe : safe.replaceAll(storedKey, '***');
}

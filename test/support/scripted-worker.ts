/**
 * A worker on a real socket that lists models and answers its calls as a test says: for answers that no simulated engine
 * gives, such as the errors of one provider. It is found out as a self-hosted engine of OpenAI's kind.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface ScriptedCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export type Script = (response: ServerResponse, call: ScriptedCall) => void;

export interface ScriptedWorker {
  readonly url: string;
  /** Calls that have come whole, oldest first; probes are not among them. */
  readonly calls: ScriptedCall[];
  /** What is answered from now on. */
  script: Script;
}

export interface WorkerListing {
  readonly models: readonly string[];
  /** Told with each model. */
  readonly contextLength?: number;
}

/** Ready to be registered; closed by the test. */
export async function scriptedWorkerFor(
  t: TestContext,
  { models, contextLength }: WorkerListing,
  script: Script = saying('hello'),
): Promise<ScriptedWorker> {
  const data = models.map((id) => ({ id, object: 'model', owned_by: 'x', max_model_len: contextLength }));
  const worker = { url: '', calls: [] as ScriptedCall[], script };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', method, headers } = request;
      if (method === 'GET') return sendJson(response, path === '/v1/models' ? { object: 'list', data } : {});
      const text = Buffer.concat(chunks).toString();
      const call = { path, headers, text, body: JSON.parse(text) as Record<string, unknown> };
      worker.calls.push(call);
      return worker.script(response, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  worker.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return worker;
}

function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An error answer. */
export function failing(status: number, body: unknown, headers: Record<string, string> = {}): Script {
  return (response) => sendJson(response, body, status, headers);
}

/** A good chat completion with this text, whole or as a stream. */
export function saying(content: string): Script {
  return (response, { body: { stream, model } }) => {
    if (stream !== true) {
      const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
      return sendJson(response, { id: 'c', object: 'chat.completion', model, choices });
    }
    return frames(response, [
      chunkOf({ role: 'assistant', content: '' }),
      chunkOf({ content }),
      chunkOf({}, 'stop'),
      '[DONE]',
    ]).end();
  };
}

/** The opening of an event stream and these payloads of it; the stream stays open. */
export function frames(response: ServerResponse, payloads: readonly unknown[]): ServerResponse {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const payload of payloads)
    response.write(`data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`);
  return response;
}

export function chunkOf(delta: object, finish: string | null = null): object {
  return { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** A server that poses as a provider: it lists its models to those who bring its key, and answers calls with a word. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface CloudOptions {
  /** How it lists its models. */
  readonly form: 'openai' | 'anthropic' | 'gemini';
  readonly models: readonly string[];
  /** Keys that it takes; none: any. */
  readonly keys?: readonly string[];
  /** Where its list is; its form's usual place when not given. */
  readonly listPath?: string;
  /** Its list is well, its calls are not. */
  readonly failsCalls?: boolean;
}

export interface CloudRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Cloud {
  readonly url: string;
  readonly host: string;
  readonly seen: CloudRequest[];
  /** Every credential that it was ever sent: `header: value`. */
  credentials(): string[];
}

const CARRIERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'x-smg-provider-key'];

export async function cloudFor(t: TestContext, options: CloudOptions): Promise<Cloud> {
  const seen: CloudRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(asked);
      const [status, answer] = answerTo(asked, options);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, seen, credentials: () => [...new Set(seen.flatMap(credentialsOf))] };
}

function credentialsOf({ headers }: CloudRequest): string[] {
  return CARRIERS.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${String(headers[name])}`]));
}

const LIST_PATHS = { openai: '/v1/models', anthropic: '/v1/models', gemini: '/v1beta/models' } as const;

function answerTo(
  request: CloudRequest,
  { form, models, keys, listPath, failsCalls }: CloudOptions,
): [number, unknown] {
  const sent = credentialsOf(request).map((line) => line.replace(/^[^:]+: (Bearer )?/, ''));
  if (keys && !sent.some((key) => keys.includes(key))) return [401, { error: { message: 'no such key' } }];
  if (request.url.split('?')[0] === (listPath ?? LIST_PATHS[form])) return [200, listOf(form, models)];
  if (failsCalls) return [500, { error: { message: 'not well' } }];
  const message = { role: 'assistant', content: 'Hello from afar' };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  return request.method === 'POST' ? [200, { id: 'c', object: 'chat.completion', model: 'm', choices }] : [404, {}];
}

function listOf(form: CloudOptions['form'], models: readonly string[]): unknown {
  if (form === 'gemini') {
    return {
      models: models.map((id) => ({ name: `models/${id}`, supportedGenerationMethods: ['generateContent'] })),
    };
  }
  if (form === 'openai')
    return { object: 'list', data: models.map((id) => ({ id, object: 'model', owned_by: 'far' })) };
  const data = models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-02-04T00:00:00Z' }));
  return { data, has_more: false, first_id: models[0], last_id: models.at(-1) };
}

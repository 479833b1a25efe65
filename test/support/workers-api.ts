/** The control plane as a test uses it. */
import type { Gateway } from '../../src/app/build.ts';

export interface ApiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

export async function api(gateway: Gateway, method: string, path: string, body?: unknown): Promise<ApiReply> {
  const init =
    body === undefined ? { method } : { method, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const reply = await fetch(gateway.url + path, { ...init, headers: { 'content-type': 'application/json' } });
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as ApiReply['body'] };
}

/** Registers a worker and waits until it is ready; its id. */
export async function addReady(gateway: Gateway, spec: Readonly<Record<string, unknown>>): Promise<string> {
  const { status, body } = await api(gateway, 'POST', '/workers?wait=30', spec);
  if (status !== 200) throw new Error(`POST /workers answered ${status}: ${JSON.stringify(body)}`);
  return String(body['id']);
}

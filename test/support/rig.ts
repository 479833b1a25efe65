/** A whole gateway in front of simulated engines, on real sockets, ended by the test that started it. */
import type { TestContext } from 'node:test';
import { startGateway } from '../../src/app/build.ts';
import type { Gateway } from '../../src/app/build.ts';
import { loadConfig } from '../../src/config/load.ts';
import { startEngine } from '../../sim/engine.ts';
import type { EngineOptions, SimEngine } from '../../sim/engine.ts';

/** No test asks the real hub, whatever model a simulated engine says it has. */
process.env['HF_HUB_OFFLINE'] = '1';

/** Values as flags give them, policies' options too: native ones or their text form. A wrong name fails the start. */
export type GatewayFlags = Readonly<Record<string, unknown>>;

/** Logs of errors only, and no audit, which has no level; everything else is as a user gets it, on free ports. */
export async function gatewayFor(
  t: TestContext,
  workerUrls: readonly string[],
  flags: GatewayFlags = {},
): Promise<Gateway> {
  const all = {
    host: '127.0.0.1',
    port: 0,
    prometheusHost: '127.0.0.1',
    prometheusPort: 0,
    logLevel: 'error',
    disableAuditLogging: true,
    workerUrls,
    ...flags,
  };
  const loaded = loadConfig({ flags: all });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const gateway = await startGateway(loaded.config);
  t.after(() => gateway.stop({ force: true }));
  return gateway;
}

/** An engine that answers as fast as it can. */
export async function engineFor(t: TestContext, options: Partial<EngineOptions> = {}): Promise<SimEngine> {
  const engine = await startEngine({ speed: Number.POSITIVE_INFINITY, models: ['sim-model'], ...options });
  t.after(() => engine.close());
  return engine;
}

export interface Rig {
  readonly gateway: Gateway;
  readonly engines: readonly SimEngine[];
}

/** `count` engines and a gateway in front of them, every one of them ready. */
export async function rigFor(
  t: TestContext,
  count: number,
  flags: GatewayFlags = {},
  options: Partial<EngineOptions> = {},
): Promise<Rig> {
  const engines = await Promise.all(Array.from({ length: count }, () => engineFor(t, options)));
  const gateway = await gatewayFor(
    t,
    engines.map((engine) => engine.url),
    flags,
  );
  await allReady(gateway, count);
  return { gateway, engines };
}

/** Resolves when `count` workers are ready; a worker that never becomes ready lets the test run into its limit. */
export function allReady(gateway: Gateway, count: number): Promise<void> {
  return gateway.whenReady(count);
}

export const chatBody = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  model: 'sim-model',
  messages: [{ role: 'user', content: 'Say something.' }],
  ...extra,
});

export function post(gateway: Gateway, path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) };
  return fetch(gateway.url + path, { method: 'POST', body: text, ...init, headers });
}

/** The `data:` payloads of an event stream. */
export function payloads(text: string): string[] {
  return text
    .split('\n\n')
    .flatMap((frame) => frame.split('\n'))
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
}

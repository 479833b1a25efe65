/**
 * `/_sim/*`: how tests and operators look into an engine and upset it. Never counted, never faulted, needs no key.
 * The same paths are answered on the engine's own port and on its control port.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultError, type FaultRule, parseFaultRule } from '../faults/fault.ts';
import type { RecordedRequest } from './recorder.ts';
import type { EngineStats } from './stats.ts';

/** What control requests may do to an engine. */
export interface Controlled {
  stats(): EngineStats;
  resetStats(): void;
  lastRequest(back?: number): RecordedRequest | undefined;
  faultRules(): readonly FaultRule[];
  applyRules(rules: readonly FaultRule[]): void;
  clearFaults(): Promise<void>;
  /** Further things to look at: path behind `/_sim/` to its reader. Providers have some, engines none. */
  readonly views?: Readonly<Record<string, () => unknown>>;
}

/** The beginning of all control paths. */
export const CONTROL_PREFIX = '/_sim/';

interface ControlAnswer {
  readonly status: number;
  readonly value: unknown;
}

type Act = (engine: Controlled, query: URLSearchParams, body: string) => ControlAnswer | Promise<ControlAnswer>;

const OK: ControlAnswer = { status: 200, value: { ok: true } };

const ACTS: Readonly<Record<string, Act>> = {
  'GET /_sim/stats': (engine) => ({ status: 200, value: engine.stats() }),
  'POST /_sim/stats/reset': (engine) => {
    engine.resetStats();
    return OK;
  },
  'GET /_sim/last_request': (engine, query) => {
    const request = engine.lastRequest(Number(query.get('back') ?? 0));
    if (request === undefined) return { status: 404, value: { error: 'no such request is remembered' } };
    return { status: 200, value: request };
  },
  'GET /_sim/faults': (engine) => ({ status: 200, value: engine.faultRules() }),
  'POST /_sim/faults': (engine, _query, body) => setFaults(engine, body),
  'DELETE /_sim/faults': async (engine) => {
    await engine.clearFaults();
    return OK;
  },
};

/** Answers one control request. */
export async function serveControl(
  engine: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const key = `${request.method} ${path}`;
  const act = findAct(engine, key);
  const body = await readText(request);
  const missing: ControlAnswer = { status: 404, value: { error: `no such control path: ${key}` } };
  const { status, value } = act === undefined ? missing : await act(engine, new URLSearchParams(query), body);
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(bytes.length) });
  response.end(bytes);
}

function findAct(engine: Controlled, key: string): Act | undefined {
  if (Object.hasOwn(ACTS, key)) return ACTS[key];
  const name = key.slice(`GET ${CONTROL_PREFIX}`.length);
  const view = key.startsWith('GET ') && Object.hasOwn(engine.views ?? {}, name) ? engine.views?.[name] : undefined;
  return view === undefined ? undefined : () => ({ status: 200, value: view() });
}

function setFaults(engine: Controlled, body: string): ControlAnswer {
  try {
    const list: unknown = JSON.parse(body);
    const rules = (Array.isArray(list) ? list : [list]).map(parseFaultRule);
    engine.applyRules(rules);
    return { status: 200, value: { ok: true, rules: rules.length } };
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
    return { status: 400, value: { error: error.message } };
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

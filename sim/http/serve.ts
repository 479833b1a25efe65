/**
 * The way of every request through an engine:
 *
 *   count -> read body -> record -> key -> route -> JSON -> fault? -> fixed answer? -> endpoint
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EngineParts } from '../api/generation.ts';
import type { Recorder } from '../control/recorder.ts';
import { strikeBefore } from '../faults/before.ts';
import { FaultError, faultOn, parseFault } from '../faults/fault.ts';
import type { FaultPlan } from '../faults/plan.ts';
import { isRecord } from '../json.ts';
import { sendError, sendJson } from './answers.ts';
import { engineError } from './errors.ts';
import { Exchange, type ExchangeHost } from './exchange.ts';
import { sendFixedAnswer } from './fixed-answer.ts';
import { readBody } from './read-body.ts';
import { findRoute, type Route } from './routes.ts';

/** An engine as the request path needs it. */
export interface ServingEngine extends EngineParts, ExchangeHost {
  readonly recorder: Recorder;
  readonly faults: FaultPlan;
  /** The next rank in turn, for a request that names none. */
  nextRank(): number;
  /** Counts a request in on a rank; the returned function counts it out. */
  enterRank(rank: number): () => void;
}

/** Answers one request. */
export async function serve(engine: ServingEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const exchange = new Exchange(request, response, engine);
  const { route, name } = findRoute(engine.options.kind, exchange.path);
  engine.counters.requestStarted(name);
  const body = await readBody(request);
  if (body === undefined || !exchange.isOpen) return;
  exchange.body = body;
  if (exchange.method === 'POST') record(engine, exchange);
  if (!isAuthorized(engine, exchange, route)) return;
  // mlx_lm's server knows GETs of its own pages only, and nothing of methods.
  const isUnknown = route === undefined || (engine.options.kind === 'mlx' && !route.methods.includes(exchange.method));
  if (isUnknown) return sendJson(exchange, { detail: 'Not Found' }, 404);
  if (!route.methods.includes(exchange.method)) return sendJson(exchange, { detail: 'Method Not Allowed' }, 405);
  if (!readJson(exchange, route) || !chooseFault(engine, exchange)) return;
  if (route.takesJson && !takeRank(engine, exchange)) return;
  if (exchange.fault !== undefined && strikeBefore(exchange, exchange.fault)) return;
  if (!sendFixedAnswer(exchange)) route.answer(engine, exchange);
}

function record(engine: ServingEngine, exchange: Exchange): void {
  const { rawHeaders, url = '/' } = exchange.request;
  let authorizations = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') authorizations++;
  }
  engine.counters.authorizationSeen(authorizations);
  engine.recorder.record(exchange.method, url, rawHeaders, exchange.body);
}

function isAuthorized(engine: ServingEngine, exchange: Exchange, route: Route | undefined): boolean {
  const { apiKey, healthNeedsKey } = engine.options;
  const isOpen = route?.open === 'always' || (route?.open === 'health' && !healthNeedsKey);
  if (apiKey === undefined || isOpen || exchange.request.headers.authorization === `Bearer ${apiKey}`) return true;
  engine.counters.refusedUnauthorized();
  sendJson(exchange, { error: 'Unauthorized' }, 401);
  return false;
}

function readJson(exchange: Exchange, route: Route): boolean {
  if (!route.takesJson) return true;
  const type = exchange.request.headers['content-type'] ?? '';
  const isJsonType = type.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
  if (exchange.path.startsWith('/v1/') && !isJsonType) {
    sendError(exchange, badRequest("Unsupported Media Type: Only 'application/json' is allowed"));
    return false;
  }
  try {
    const value: unknown = JSON.parse(exchange.body.toString());
    if (!isRecord(value)) throw new SyntaxError('Input should be a valid dictionary');
    exchange.json = value;
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    sendError(exchange, badRequest(`JSON decode error: ${reason}`));
    return false;
  }
}

/** On which data-parallel rank it runs: the header decides, then the body; vLLM reads the header only. */
function takeRank(engine: ServingEngine, exchange: Exchange): boolean {
  const { dataParallelSize: size, kind } = engine.options;
  const inBody = exchange.json['routed_dp_rank'] ?? exchange.json['data_parallel_rank'];
  const header = exchange.request.headers['x-data-parallel-rank'];
  const asked = header === undefined ? (kind === 'sglang' ? inBody : undefined) : Number(header);
  const rank = asked ?? engine.nextRank();
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 0 || rank >= size) {
    sendError(exchange, engineError(400, `routed_dp_rank must be in range [0, ${size}), not ${JSON.stringify(rank)}`));
    return false;
  }
  exchange.onEnd(engine.enterRank(rank));
  return true;
}

function badRequest(message: string) {
  return { ...engineError(400, message), type: 'Bad Request' };
}

function chooseFault(engine: ServingEngine, exchange: Exchange): boolean {
  const own = exchange.json['sim_fault'];
  if (own === undefined) {
    exchange.fault = engine.faults.pick(exchange.method, exchange.path);
    return true;
  }
  try {
    exchange.fault = faultOn('http', parseFault(own));
    return true;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    sendError(exchange, engineError(400, `sim_fault: ${error.message}`, 'sim_fault'));
    return false;
  }
}

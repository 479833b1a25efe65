/**
 * The listener of the data plane: from a raw request to the route that serves it, one record for each.
 * Order: record and request id -> CORS -> route -> inference or control.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { GatewayError } from '../domain/errors.ts';
import { CallRecord } from '../domain/record.ts';
import { anthropicDialect, openaiDialect } from '../protocols/dialect.ts';
import type { Dialect } from '../protocols/dialect.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { gatewayHeaders } from '../dispatch/reply-headers.ts';
import type { ServerDeps } from './deps.ts';
import type { JsonAnswer } from './json-answer.ts';
import { requestIdOf } from './request-id.ts';
import type { ControlPath, InferenceRoute } from './route-table.ts';
import { controlPaths, inferenceRoutes } from './route-table.ts';
import { askEngine } from './routes/engine.ts';
import { liveness, readiness } from './routes/health.ts';
import { failCall, serveInference } from './routes/inference.ts';
import { getModel, listModels } from './routes/models.ts';
import { getWorker, listWorkers } from './routes/workers.ts';
import { HttpReply } from './write-reply.ts';

type ControlRoute = (deps: ServerDeps, id: string) => JsonAnswer | Promise<JsonAnswer>;

const controlRoutes: Readonly<Record<ControlPath, ControlRoute>> = {
  '/health': () => liveness(),
  '/liveness': () => liveness(),
  '/readiness': (deps) => readiness(deps),
  '/health_generate': (deps) => askEngine(deps, '/health_generate'),
  '/v1/models': (deps) => listModels(deps),
  '/v1/models/{id}': (deps, id) => getModel(deps, id),
  '/get_model_info': (deps) => askEngine(deps, '/get_model_info'),
  '/get_server_info': (deps) => askEngine(deps, '/get_server_info'),
  '/workers': (deps) => listWorkers(deps),
  '/workers/{id}': (deps, id) => getWorker(deps, id),
};

type Target =
  | { readonly kind: 'inference'; readonly route: InferenceRoute }
  | { readonly kind: 'control'; readonly path: ControlPath; readonly id: string }
  | { readonly kind: 'none' };

const NOWHERE: Target = { kind: 'none' };
/** The label of every path that does not exist: a client must not be able to invent labels. */
const UNKNOWN_ROUTE = 'unknown';

const targets = new Map<string, Target>([
  ...inferenceRoutes.map((route): [string, Target] => [route.path, { kind: 'inference', route }]),
  ...controlPaths
    .filter((path) => !path.endsWith('{id}'))
    .map((path): [string, Target] => [path, { kind: 'control', path, id: '' }]),
]);
const prefixes = controlPaths
  .filter((path) => path.endsWith('/{id}'))
  .map((path) => ({ path, prefix: path.slice(0, -4) }));

function findTarget(path: string): Target {
  const exact = targets.get(path);
  if (exact) return exact;
  for (const { path: pattern, prefix } of prefixes) {
    if (path.length > prefix.length && path.startsWith(prefix)) {
      return { kind: 'control', path: pattern, id: decodeId(path.slice(prefix.length)) };
    }
  }
  return NOWHERE;
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`: no id has one, so the text stands for itself and is not found.
    return text;
  }
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function createListener(deps: ServerDeps): RequestListener {
  return (request, response) => {
    const target = findTarget(pathOf(request.url ?? ''));
    serve(deps, target, request, response);
  };
}

function routeLabel(target: Target): string {
  if (target.kind === 'inference') return target.route.path;
  return target.kind === 'control' ? target.path : UNKNOWN_ROUTE;
}

function serve(deps: ServerDeps, target: Target, request: IncomingMessage, response: ServerResponse): void {
  const { options, clock, telemetry } = deps;
  const method = request.method ?? '';
  const prefix = target.kind === 'inference' ? deps.protocols[target.route.protocol].idPrefix : 'req-';
  const requestId = requestIdOf(request.headers, options.requestIdHeaders, prefix);
  const record = new CallRecord(requestId, method, routeLabel(target), clock.now());
  const reply = new HttpReply(response, corsHeaders(options.corsAllowedOrigins, request.headers.origin));
  if (deps.isDraining()) response.shouldKeepAlive = false;
  telemetry.callStarted(record);
  const ended = () => {
    record.endedAt = clock.now();
    telemetry.callEnded(record);
  };
  record.isInference = target.kind === 'inference' && method === 'POST';
  // Neither of them rejects: what goes wrong becomes an answer and a field of the record.
  if (target.kind === 'inference' && record.isInference) {
    void serveInference(deps, target.route, request, reply, record).then(ended);
  } else {
    void serveControl(deps, target, request, reply, record).then(ended);
  }
}

async function serveControl(
  deps: ServerDeps,
  target: Target,
  request: IncomingMessage,
  reply: HttpReply,
  record: CallRecord,
): Promise<void> {
  try {
    const answer = await answerControl(deps, target, request);
    record.status = answer.status;
    record.sentBytes = answer.body.length;
    const { headers, contentType, body } = answer;
    record.headAt = deps.clock.now();
    const own = ['content-type', contentType, 'content-length', String(body.length), ...gatewayHeaders(record)];
    reply.head(answer.status, [...own, ...headers]);
    reply.end(request.method === 'HEAD' ? undefined : body);
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    failCall(error, record, deps.clock.now());
    const facts = { dialect: dialectOf(target), record, closeAfter: !request.complete };
    reply.error(error, error.code === 'method_not_allowed' ? { ...facts, allow: allowedMethod(target) } : facts);
  }
}

function dialectOf(target: Target): Dialect {
  return target.kind === 'inference' && target.route.protocol === 'anthropic-messages'
    ? anthropicDialect
    : openaiDialect;
}

function answerControl(deps: ServerDeps, target: Target, request: IncomingMessage): JsonAnswer | Promise<JsonAnswer> {
  const method = request.method ?? '';
  if (method === 'OPTIONS' && target.kind !== 'none') return preflight(target, request);
  if (target.kind === 'none')
    throw new GatewayError('route_not_found', `There is no ${method} ${pathOf(request.url ?? '').slice(0, 200)}.`);
  if (target.kind === 'inference' || (method !== 'GET' && method !== 'HEAD')) {
    throw new GatewayError('method_not_allowed', `${method} is not allowed here; use ${allowedMethod(target)}.`);
  }
  return controlRoutes[target.path](deps, target.id);
}

function allowedMethod(target: Target): string {
  return target.kind === 'inference' ? 'POST' : 'GET';
}

function preflight(target: Target, request: IncomingMessage): JsonAnswer {
  const requested = request.headers['access-control-request-headers'];
  const headers = ['allow', `${allowedMethod(target)}, OPTIONS`, ...preflightHeaders(requested)];
  return { status: 204, contentType: 'text/plain', body: Buffer.alloc(0), headers };
}

/**
 * The listener of the data plane: from a raw request to the route that serves it, one record for each.
 * Order: record and request id -> CORS -> route -> inference or control.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { CallRecord } from '../domain/record.ts';
import { corsHeaders } from './cors.ts';
import type { ServerDeps } from './deps.ts';
import { findRoute } from './find-route.ts';
import type { Target } from './find-route.ts';
import { adoptQueryKey } from './query-key.ts';
import { requestIdOf } from './request-id.ts';
import { serveControl } from './routes/control.ts';
import { serveInference } from './routes/inference.ts';
import { HttpReply } from './write-reply.ts';

/** The label of every path that does not exist: a client must not be able to invent labels. */
const UNKNOWN_ROUTE = 'unknown';

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function createListener(deps: ServerDeps): RequestListener {
  return (request, response) => {
    adoptQueryKey(request);
    serve(deps, findRoute(request.method ?? '', pathOf(request.url ?? '')), request, response);
  };
}

function serve(deps: ServerDeps, target: Target, request: IncomingMessage, response: ServerResponse): void {
  const { options, clock, telemetry } = deps;
  const method = request.method ?? '';
  const inference = target.kind === 'none' ? undefined : target.path.inference;
  const prefix = inference ? deps.protocols[inference.protocol].idPrefix : 'req-';
  const requestId = requestIdOf(request.headers, options.requestIdHeaders, prefix);
  const route = target.kind === 'none' ? UNKNOWN_ROUTE : target.path.path;
  const record = new CallRecord(requestId, method, route, clock.now());
  const reply = new HttpReply(response, corsHeaders(options.corsAllowedOrigins, request.headers.origin));
  if (deps.stopping.aborted) response.shouldKeepAlive = false;
  telemetry.callStarted(record);
  const ended = () => {
    record.endedAt = clock.now();
    telemetry.callEnded(record);
  };
  record.isInference = target.kind === 'inference';
  // Neither of them rejects: what goes wrong becomes an answer and a field of the record.
  if (target.kind === 'inference') void serveInference(deps, target, request, reply, record).then(ended);
  else void serveControl(deps, target, request, reply, record).then(ended);
}

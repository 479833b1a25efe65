/** Control requests: from a raw request through its route to the answer that is written. */
import type { IncomingMessage } from 'node:http';
import { gatewayHeaders } from '../../dispatch/reply-headers.ts';
import { GatewayError } from '../../domain/errors.ts';
import { headerOf } from '../../domain/headers.ts';
import type { Principal } from '../../domain/ports.ts';
import type { CallRecord } from '../../domain/record.ts';
import { anthropicDialect, geminiDialect, openaiDialect } from '../../protocols/dialect.ts';
import type { Dialect } from '../../protocols/dialect.ts';
import { readControlJson } from '../control-request.ts';
import { preflightHeaders } from '../cors.ts';
import type { ServerDeps } from '../deps.ts';
import type { Target } from '../find-route.ts';
import type { ControlAnswer } from '../json-answer.ts';
import type { HttpReply } from '../write-reply.ts';
import { controlFunctions } from './index.ts';
import { failCall } from './inference.ts';

/** Everything that is not an inference call: control routes, preflights, wrong paths and methods. Never rejects. */
export async function serveControl(
  deps: ServerDeps,
  target: Target,
  request: IncomingMessage,
  reply: HttpReply,
  record: CallRecord,
): Promise<void> {
  const gone = new AbortController();
  reply.onGone(() => gone.abort());
  let principal: Principal | undefined;
  let made = '';
  try {
    if (target.kind === 'control') principal = deps.gatekeeper.check(request.headers, target.route.access);
    if (principal) record.tenant = principal.tenant;
    const answer = await answerControl(deps, { target, request, record, principal, signal: gone.signal });
    record.status = answer.status;
    made = headerOf(answer.headers, 'location')?.split('/').at(-1) ?? '';
    record.headAt = deps.clock.now();
    await write(deps, answer, { request, reply, record, signal: gone.signal });
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    made = error.workerId ?? made;
    failCall(error, record, deps.clock.now());
    const facts = { dialect: dialectOf(target, request.url ?? '', deps), record, closeAfter: !request.complete };
    if (reply.hasHead) reply.destroy();
    else reply.error(error, target.kind === 'wrong_method' ? { ...facts, allow: allowOf(target) } : facts);
  }
  if (target.kind === 'control' && target.route.method !== 'GET' && target.route.access === 'control') {
    deps.audit.write({
      principal: principal ?? deps.gatekeeper.identify(request.headers),
      requestId: record.requestId,
      method: target.route.method,
      route: target.route.path,
      target: target.id === '' ? made : target.id,
      status: record.status,
      error: record.error,
    });
  }
}

const ANONYMOUS: Principal = { kind: 'anonymous', tenant: '', name: '', usedGatewayKey: false };

interface Asked {
  readonly target: Target;
  readonly request: IncomingMessage;
  readonly record: CallRecord;
  readonly principal: Principal | undefined;
  readonly signal: AbortSignal;
}

function answerControl(deps: ServerDeps, asked: Asked): ControlAnswer | Promise<ControlAnswer> {
  const { target, request, record, principal = ANONYMOUS, signal } = asked;
  const method = request.method ?? '';
  const url = request.url ?? '';
  if (method === 'OPTIONS' && target.kind !== 'none') return preflight(target, request);
  if (target.kind === 'none') {
    throw new GatewayError('route_not_found', `There is no ${method} ${url.split('?')[0]?.slice(0, 200)}.`);
  }
  if (target.kind !== 'control') {
    throw new GatewayError('method_not_allowed', `${method} is not allowed here; use ${allowOf(target)}.`);
  }
  const query = url.indexOf('?');
  return controlFunctions[target.route.name](deps, {
    id: target.id,
    query: new URLSearchParams(query < 0 ? '' : url.slice(query + 1)),
    headers: request.headers,
    principal,
    requestId: record.requestId,
    signal,
    readJson: (maxBytes) => readControlJson(request, deps.options.maxPayloadBytes, maxBytes),
  });
}

interface Side {
  readonly request: IncomingMessage;
  readonly reply: HttpReply;
  readonly record: CallRecord;
  readonly signal: AbortSignal;
}

async function write(deps: ServerDeps, answer: ControlAnswer, side: Side): Promise<void> {
  const { request, reply, record, signal } = side;
  const { contentType, headers } = answer;
  const own = ['content-type', contentType, ...gatewayHeaders(record), ...headers];
  if ('open' in answer) {
    reply.head(answer.status, own);
    if (request.method === 'HEAD') return reply.end();
    return answer.open(reply, AbortSignal.any([signal, deps.stopping]));
  }
  record.sentBytes = answer.body.length;
  reply.head(answer.status, ['content-length', String(answer.body.length), ...own]);
  reply.end(request.method === 'HEAD' ? undefined : answer.body);
}

function dialectOf(target: Target, url: string, { protocols }: ServerDeps): Dialect {
  if (target.kind === 'wrong_method' && target.path.inference) return protocols[target.path.inference.protocol].dialect;
  if (url.startsWith('/v1beta/')) return geminiDialect;
  return url.startsWith('/v1/messages/') ? anthropicDialect : openaiDialect;
}

function allowOf(target: Exclude<Target, { kind: 'none' }>): string {
  return target.path.methods.join(', ');
}

function preflight(target: Exclude<Target, { kind: 'none' }>, request: IncomingMessage): ControlAnswer {
  const requested = request.headers['access-control-request-headers'];
  const headers = ['allow', `${allowOf(target)}, OPTIONS`, ...preflightHeaders(requested)];
  return { status: 204, contentType: 'text/plain', body: Buffer.alloc(0), headers };
}

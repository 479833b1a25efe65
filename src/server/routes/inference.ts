/** All inference paths: one function, because they differ only in their row of the route table. */
import type { IncomingMessage } from 'node:http';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Principal } from '../../domain/ports.ts';
import type { CallRecord } from '../../domain/record.ts';
import type { ServerDeps } from '../deps.ts';
import { readBody } from '../read-body.ts';
import { checkMediaType, makeCall } from '../read-call.ts';
import type { InferenceRoute } from '../route-table.ts';
import type { HttpReply } from '../write-reply.ts';

export async function serveInference(
  deps: ServerDeps,
  route: InferenceRoute,
  request: IncomingMessage,
  reply: HttpReply,
  record: CallRecord,
): Promise<void> {
  const protocol = deps.protocols[route.protocol];
  try {
    const principal = deps.gatekeeper.check(request.headers, 'data');
    record.tenant = principal.tenant;
    checkMediaType(request.headers);
    const body = await readBody(request, deps.options.maxPayloadBytes);
    const call = makeCall({ request, body, route, protocol, principal, record });
    await admitted(deps, call, principal, reply);
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    failCall(error, record, deps.clock.now());
    if (reply.hasHead) reply.destroy();
    else reply.error(error, { dialect: protocol.dialect, record, closeAfter: !request.complete });
  }
}

/** Waits for a place among the running calls, and gives it back whatever becomes of the call. */
async function admitted(deps: ServerDeps, call: Call, principal: Principal, reply: HttpReply): Promise<void> {
  const gone = new AbortController();
  const request = { headers: call.headers, principal, record: call.record, signal: gone.signal };
  const entry = deps.admission.enter(request);
  if (!entry) return deps.dispatcher.dispatch(call, reply);
  reply.onGone(() => gone.abort());
  const ticket = entry instanceof Promise ? await entry : entry;
  try {
    await deps.dispatcher.dispatch(call, reply);
  } finally {
    ticket.release();
  }
}

/** Closes the record of a call that the gateway itself answers with an error. */
export function failCall(error: GatewayError, record: CallRecord, nowMs: number): void {
  if (record.headAt === 0) record.headAt = nowMs;
  record.status = error.status;
  record.error = error.code;
  record.outcome = error.code === 'client_closed_request' ? 'client_gone' : 'failed';
  if (error.cause !== undefined && error.code === 'internal_error') record.fault = error.cause;
}

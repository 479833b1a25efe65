/** All inference paths: one function, because they differ only in their row of the route table. */
import type { IncomingMessage } from 'node:http';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { CallRecord } from '../../domain/record.ts';
import type { ServerDeps } from '../deps.ts';
import type { Admission } from '../middleware/admit.ts';
import { readBody } from '../read-body.ts';
import { checkMediaType, makeCall } from '../read-call.ts';
import type { Target } from '../find-route.ts';
import type { HttpReply } from '../write-reply.ts';

type InferenceTarget = Extract<Target, { kind: 'inference' }>;

export async function serveInference(
  deps: ServerDeps,
  { route, model }: InferenceTarget,
  request: IncomingMessage,
  reply: HttpReply,
  record: CallRecord,
): Promise<void> {
  const protocol = deps.protocols[route.protocol];
  try {
    const principal = deps.gatekeeper.check(request.headers, 'data');
    record.tenant = principal.tenant;
    checkMediaType(request.headers);
    const classIndex = deps.admission?.expect({ headers: request.headers, principal, record }) ?? 0;
    const body = await readBody(request, deps.options.maxPayloadBytes);
    const call = makeCall({ request, body, route, model, protocol, principal, record });
    if (deps.admission) await serveAdmitted(deps, deps.admission, { call, classIndex }, reply);
    else await deps.dispatcher.dispatch(call, reply);
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    failCall(error, record, deps.clock.now());
    if (reply.hasHead) reply.destroy();
    else reply.error(error, { dialect: protocol.dialect, record, closeAfter: mustClose(request) });
  }
}

interface Admitted {
  readonly call: Call;
  readonly classIndex: number;
}

/** Takes a place among the running calls, waits for it if need be, and gives it back whatever becomes of the call. */
async function serveAdmitted(
  { dispatcher }: ServerDeps,
  admission: Admission,
  { call, classIndex }: Admitted,
  reply: HttpReply,
): Promise<void> {
  const ticket = admission.enter(classIndex, call, reply);
  try {
    if (!ticket.isAdmitted) await admission.turn(ticket, reply);
    await dispatcher.dispatch(call, reply, ticket);
  } finally {
    admission.release(ticket);
  }
}

/** A body up to this size that nobody has read is read and thrown away, so that the connection can go on. */
const DISCARD_BYTES = 64 * 1024;

/** The rest of a request that was refused before its end may be so long that a new connection is cheaper. */
function mustClose(request: IncomingMessage): boolean {
  return !request.complete && !(Number(request.headers['content-length']) <= DISCARD_BYTES);
}

/** Closes the record of a call that the gateway itself answers with an error. */
export function failCall(error: GatewayError, record: CallRecord, nowMs: number): void {
  if (record.headAt === 0) record.headAt = nowMs;
  record.status = error.status;
  record.error = error.code;
  record.outcome = error.code === 'client_closed_request' ? 'client_gone' : 'failed';
  if (error.cause !== undefined && error.code === 'internal_error') record.fault = error.cause;
}

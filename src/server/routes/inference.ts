/** All inference paths: one function, because they differ only in their row of the route table. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../domain/errors.ts';
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
    checkMediaType(request.headers);
    const body = await readBody(request, deps.options.maxPayloadBytes);
    await deps.dispatcher.dispatch(makeCall(request, body, route, protocol, record), reply);
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    failCall(error, record, deps.clock.now());
    if (reply.hasHead) reply.destroy();
    else reply.error(error, { dialect: protocol.dialect, record, closeAfter: !request.complete });
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

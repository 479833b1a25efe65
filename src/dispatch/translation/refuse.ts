/** What an attempt ends with when a worker that speaks another API gave an error. */
import { GatewayError } from '../../domain/errors.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { isRetryableStatus } from '../../resilience/retry.ts';
import type { AnswerParts } from '../answer.ts';
import { retryAfterOf } from '../body-answer.ts';
import { translateFailure } from './translated-failure.ts';

/** Ends the attempt: the error is told to the client in its dialect, or the call is tried elsewhere. */
export function refuseWith(
  parts: AnswerParts,
  dialects: { readonly worker: Protocol; readonly client: Protocol },
  body: Buffer,
): void {
  const { host, gate, record, workerId, clock } = parts;
  const { status, headers } = gate;
  const answer = translateFailure({ status, headers, body }, { ...dialects, workerId, requestId: record.requestId });
  if (isRetryableStatus(status)) {
    const error = new GatewayError('upstream_error', `Worker ${workerId} answered ${status}.`);
    return host.finish({ kind: 'failed', error, answer, retryAfterMs: retryAfterOf(answer.headers, clock) });
  }
  record.firstContentAt = clock.now();
  gate.status = answer.status;
  gate.headers = answer.headers;
  gate.writeWhole(answer.body);
  host.finish({ kind: 'served', status });
}

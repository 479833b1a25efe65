/** What an attempt ends with when a worker that speaks another API gave an error. */
import type { Protocol } from '../../protocols/protocol.ts';
import type { AnswerParts } from '../answer.ts';
import { failedBy } from '../failure.ts';
import { translateFailure } from './translated-failure.ts';

/** Ends the attempt: the error is told to the client in its dialect, or the call is tried elsewhere. */
export function refuseWith(
  parts: AnswerParts,
  dialects: { readonly worker: Protocol; readonly client: Protocol },
  body: Buffer,
): void {
  const { host, gate, record, workerId, clock } = parts;
  const { status, headers } = gate;
  const own = { status, headers, body };
  const answer = translateFailure(own, { ...dialects, workerId, requestId: record.requestId });
  const failed = failedBy(own, { protocol: dialects.worker, workerId, wallTimeMs: clock.wallTime() });
  if (failed) return host.finish({ ...failed, answer });
  record.firstContentAt = clock.now();
  gate.status = answer.status;
  gate.headers = answer.headers;
  gate.writeWhole(answer.body);
  host.finish({ kind: 'served', status });
}

/** Answers that the gateway itself gives to a call. */
import type { Clock } from '../../base/clock.ts';
import type { Call } from '../../domain/call.ts';
import type { ReplyWriter } from '../../domain/ports.ts';
import { replyHeaders } from '../reply-headers.ts';
import { applyOutcome } from '../verdict.ts';
import { JSON_TYPE } from './answer-headers.ts';
import type { Outbound } from './outbound.ts';

type OwnAnswer = Extract<Outbound, { kind: 'answer' }>;

/** Writes it and closes the record. No worker is asked. */
export function answerCall({ record }: Call, writer: ReplyWriter, { headers, body }: OwnAnswer, clock: Clock): void {
  const now = clock.now();
  record.headAt = now;
  record.firstContentAt = now;
  record.status = 200;
  record.sentBytes += body.length;
  writer.head(200, replyHeaders(['content-type', JSON_TYPE, ...headers], record, body.length));
  writer.end(body);
  applyOutcome(record, { kind: 'served', status: 200 });
}

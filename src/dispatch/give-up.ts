/** The end of a call that nobody served: what its client gets, and what the record says of it. */
import type { GatewayError } from '../domain/errors.ts';
import type { ReplyWriter } from '../domain/ports.ts';
import type { Course } from './course.ts';
import type { SpineDeps } from './deps.ts';
import { isOfTheModel } from './failure.ts';
import { resolveFor } from './next-model.ts';
import { poolOf, refusePlacement } from './place.ts';
import { replyHeaders } from './reply-headers.ts';

/** Nothing more to try: the last real answer of a worker, else the last error, else why no worker could be asked. */
export function giveUp(course: Course, writer: ReplyWriter, deps: SpineDeps): void {
  const { record } = course.call;
  course.end();
  const { last } = course;
  if (!last) throw course.refusal ?? course.unfit ?? refusalOf(course, deps);
  const { failed, workerId, answerModel } = last;
  record.retriesExhausted = !isOfTheModel(failed);
  if (!failed.answer) throw failed.error;
  const { status, headers, body } = failed.answer;
  record.workerId = workerId;
  record.answerModel = answerModel;
  record.status = status;
  record.error = failed.error.code;
  record.outcome = 'failed';
  record.headAt = deps.clock.now();
  record.sentBytes += body.length;
  writer.head(status, replyHeaders(headers, record, body.length));
  writer.end(body);
}

function refusalOf({ call, model, key }: Course, deps: SpineDeps): GatewayError {
  return refusePlacement(poolOf(call, resolveFor(call, model, deps)), key, deps);
}

/** An answer that is one body: held whole as far as HOLD_BYTES go, so that a bad one can be told before it is shown. */
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { headerOf } from '../domain/headers.ts';
import { isRetryableStatus, parseRetryAfter } from '../resilience/retry.ts';
import type { Answer, AnswerParts } from './answer.ts';
import { HOLD_BYTES } from './answer.ts';
import { invalidAnswer } from './answer-check.ts';

const EMPTY: Buffer = Buffer.alloc(0);
/** An error body longer than this is not kept: the gateway's own error stands for it. */
export const MAX_ERROR_BYTES = 1024 * 1024;
/** Of a long unary answer the end is kept, for the usage that stands there. */
const TAIL_BYTES = 8 * 1024;

export class BodyAnswer implements Answer {
  readonly usage = undefined;
  readonly #parts: AnswerParts;
  #tail: Buffer = EMPTY;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  tick(): void {}

  encodeError(): undefined {
    return undefined;
  }

  data(chunk: Buffer): void {
    const { host, gate, record, protocol } = this.#parts;
    if (gate.isCommitted) {
      this.#keepTail(chunk);
      return gate.write(chunk);
    }
    gate.hold(chunk);
    if (isRetryableStatus(gate.status)) {
      if (gate.heldBytes > MAX_ERROR_BYTES) this.#failWithAnswer(undefined);
    } else if (gate.heldBytes > HOLD_BYTES || (record.streaming && gate.isGood && protocol.streamsArrays)) {
      // Its end may be far: the clock of the first content must not cut it.
      if (record.streaming) host.contentBegins();
      const held = gate.commit('as_sent');
      this.#keepTail(held);
      gate.write(held);
    }
  }

  end(): void {
    const { host, gate, record, protocol, workerId, clock } = this.#parts;
    if (gate.isCommitted) {
      record.usage = protocol.readUsage(this.#tail);
      gate.end();
      return host.finish({ kind: 'served', status: gate.status });
    }
    const body = gate.takeHeld();
    if (isRetryableStatus(gate.status)) return this.#failWithAnswer(body);
    const problem = invalidAnswer(gate.status, headerOf(gate.headers, 'content-type'), body);
    if (problem) return host.fail(new GatewayError('upstream_invalid_answer', `Worker ${workerId} ${problem}`));
    record.firstContentAt = clock.now();
    if (gate.isGood) record.usage = protocol.readUsage(body);
    gate.writeWhole(body);
    host.finish({ kind: 'served', status: gate.status });
  }

  #keepTail(chunk: Buffer): void {
    const joined = chunk.length >= TAIL_BYTES ? chunk : Buffer.concat([this.#tail, chunk]);
    // A copy: a view would keep the whole chunk alive.
    this.#tail = Buffer.from(joined.subarray(Math.max(0, joined.length - TAIL_BYTES)));
  }

  #failWithAnswer(body: Buffer | undefined): void {
    const { host, gate, workerId, clock } = this.#parts;
    const { status, headers } = gate;
    const error = new GatewayError('upstream_error', `Worker ${workerId} answered ${status}.`);
    const answer = body && { status, headers, body };
    host.finish({ kind: 'failed', error, answer, retryAfterMs: retryAfterOf(headers, clock) });
  }
}

/** How long the worker asks to be left alone, in ms; undefined when it does not say. */
export function retryAfterOf(headers: HeaderList, clock: Clock): number | undefined {
  const exact = Number(headerOf(headers, 'retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  return parseRetryAfter(headerOf(headers, 'retry-after'), clock.wallTime());
}

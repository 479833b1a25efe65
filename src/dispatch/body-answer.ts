/** An answer that is one body: held whole as far as HOLD_BYTES go, so that a bad one can be told before it is shown. */
import { GatewayError } from '../domain/errors.ts';
import { headerOf } from '../domain/headers.ts';
import { isRetryableStatus } from '../resilience/retry.ts';
import type { ArrayTap } from '../protocols/protocol.ts';
import type { Answer, AnswerParts } from './answer.ts';
import { HOLD_BYTES } from './answer.ts';
import { invalidAnswer } from './answer-check.ts';
import type { FailureFacts } from './failure.ts';
import { failedBy, failedWithoutBody } from './failure.ts';

const EMPTY: Buffer = Buffer.alloc(0);
/** An error body longer than this is not kept: the gateway's own error stands for it. */
export const MAX_ERROR_BYTES = 1024 * 1024;
/** Of a long unary answer the end is kept, for the usage that stands there. */
const TAIL_BYTES = 8 * 1024;

export class BodyAnswer implements Answer {
  readonly usage = undefined;
  readonly #parts: AnswerParts;
  /** Of a stream that may be an array. */
  readonly #array: ArrayTap | undefined;
  #tail: Buffer = EMPTY;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    if (parts.record.streaming && parts.gate.isGood) this.#array = parts.protocol.createArrayTap?.();
  }

  tick(): void {}

  encodeError(error: GatewayError): Buffer | undefined {
    return this.#array?.encodeError(error);
  }

  data(chunk: Buffer): void {
    const { host, gate, record } = this.#parts;
    this.#array?.push(chunk);
    if (gate.isCommitted) {
      this.#keepTail(chunk);
      return gate.write(chunk);
    }
    gate.hold(chunk);
    if (isRetryableStatus(gate.status)) {
      if (gate.heldBytes > MAX_ERROR_BYTES)
        host.finish(failedWithoutBody(gate.status, gate.headers, this.#failureFacts));
    } else if (gate.heldBytes > HOLD_BYTES || this.#array?.isArray) {
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
      if (this.#array?.isCut) {
        const text = `Worker ${workerId} ended its stream before it was complete.`;
        return host.error(new GatewayError('upstream_broken', text));
      }
      gate.end();
      return host.finish({ kind: 'served', status: gate.status });
    }
    const body = gate.takeHeld();
    const { status, headers } = gate;
    const failed = failedBy({ status, headers, body }, this.#failureFacts);
    if (failed) return host.finish(failed);
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

  get #failureFacts(): FailureFacts {
    const { protocol, workerId, clock } = this.#parts;
    return { protocol, workerId, wallTimeMs: clock.wallTime() };
  }
}

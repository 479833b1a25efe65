/**
 * An answer that is a stream of events: held until its first content, then passed on by whole frames, and complete only
 * when it says so. Reads every frame until content has begun, and after that as little as the protocol allows.
 */
import { GatewayError } from '../domain/errors.ts';
import type { Usage } from '../domain/usage.ts';
import type { StreamTap } from '../protocols/protocol.ts';
import { SseFramer } from '../protocols/sse.ts';
import { SseTail } from '../protocols/sse-tail.ts';
import type { Answer, AnswerParts } from './answer.ts';
import { HOLD_BYTES } from './answer.ts';
import type { InBandError } from './failure.ts';
import { failedInBand } from './failure.ts';
import type { ReplyGate } from './reply-gate.ts';

const EMPTY: Buffer = Buffer.alloc(0);
/** The opening of a stream (a role, `message_start`) is held for its first content, but never longer than this. */
export const PRELUDE_HOLD_MS = 2_000;

export class StreamAnswer implements Answer {
  readonly #parts: AnswerParts;
  readonly #gate: ReplyGate;
  readonly #tap: StreamTap;
  /** Reads each frame of a stream until its content has begun, or to its end when the tap wants that. */
  #framer: SseFramer | undefined = new SseFramer(HOLD_BYTES);
  /** Takes over from the framer once content has begun. */
  #sseTail: SseTail | undefined;
  #preludeSince = 0;
  /** The worker reported an error after content: the client has it, and the call did not succeed. */
  #brokeInBand = false;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#gate = parts.gate;
    this.#tap = parts.protocol.createTap();
  }

  get usage(): Usage | undefined {
    return this.#tap.usage;
  }

  data(chunk: Buffer): void {
    if (this.#sseTail) this.#gate.write(this.#sseTail.push(chunk));
    else if (this.#framer) this.#dataOfFramer(this.#framer, chunk);
  }

  tick(nowMs: number): void {
    if (this.#gate.isCommitted || this.#preludeSince === 0) return;
    if (nowMs - this.#preludeSince >= PRELUDE_HOLD_MS) this.#commit();
  }

  encodeError(error: GatewayError): Buffer {
    return this.#tap.encodeError(error);
  }

  end(): void {
    const { host, workerId } = this.#parts;
    const gate = this.#gate;
    let rest: Buffer = this.#framer?.takeRest() ?? this.#sseTail?.takeRest() ?? EMPTY;
    if (this.#sseTail) this.#readEnd(this.#sseTail);
    else if (rest.length > 0 && this.#tap.frame(rest) === 'error') {
      if (this.#mayFail) return this.#failInBand(rest);
      this.#brokeInBand = true;
      rest = this.#parts.mask.bytes(rest);
    }
    if (!this.#tap.isComplete && !this.#brokeInBand) {
      // The unfinished frame is dropped: it would swallow the error that follows it.
      const text = `Worker ${workerId} ended its stream before it was complete.`;
      return host.error(new GatewayError('upstream_broken', text));
    }
    if (rest.length > 0) gate.hold(rest);
    if (!gate.isCommitted) this.#commit();
    else if (rest.length > 0) gate.write(gate.takeHeld());
    gate.end();
    if (!this.#brokeInBand) return host.finish({ kind: 'served', status: gate.status });
    const text = `Worker ${workerId} reported an error in its stream: ${this.#tap.failure ?? 'no message'}`;
    host.finish({ kind: 'broken', error: new GatewayError('upstream_error', text) });
  }

  #dataOfFramer(framer: SseFramer, chunk: Buffer): void {
    const { host, record, clock } = this.#parts;
    const gate = this.#gate;
    framer.push(chunk, this.#onFrame);
    if (host.isOver || gate.heldBytes === 0) return;
    // All frames that one read brought leave in one write.
    if (gate.isCommitted) {
      gate.write(gate.takeHeld());
      return this.#switchToTail();
    }
    if (record.firstContentAt > 0 || this.#tap.isComplete || gate.heldBytes > HOLD_BYTES) this.#commit();
    else if (this.#preludeSince === 0) this.#preludeSince = clock.now();
  }

  /** Bound once: a closure per chunk would be garbage per chunk. */
  readonly #onFrame = (frame: Buffer): void => {
    const { host, record } = this.#parts;
    if (host.isOver) return;
    const kind = this.#tap.frame(frame);
    if (kind === 'error') {
      if (this.#mayFail) return this.#failInBand(frame);
      this.#brokeInBand = true;
    }
    this.#gate.hold(this.#tap.failure === undefined ? frame : this.#parts.mask.bytes(frame));
    if (this.#tap.failure !== undefined && this.#mayFail && this.#passesOn(frame)) return;
    if (kind === 'content' && record.firstContentAt === 0) host.contentBegins();
  };

  /** No content has come and nothing was shown. */
  get #mayFail(): boolean {
    return this.#parts.record.firstContentAt === 0 && !this.#gate.isCommitted;
  }

  /** The worker reported a failure inside its stream before any content: as good as an error status, a 429 included. */
  #failInBand(frame: Buffer): void {
    const failed = failedInBand({ ...this.#failureFacts, frame, answer: undefined });
    if (failed) this.#parts.host.finish(failed);
  }

  /** An error about the request ends its stream, so that what is held is all of the answer. */
  #passesOn(frame: Buffer): boolean {
    const { status, headers } = this.#gate;
    const body = this.#gate.takeHeld();
    const failed = failedInBand({ ...this.#failureFacts, frame, answer: { status, headers, body } });
    if (failed) this.#parts.host.finish(failed);
    else this.#gate.hold(body);
    return failed !== undefined;
  }

  get #failureFacts(): Pick<InBandError, 'text' | 'isRateLimited'> {
    const { failure = 'no message', isRateLimited } = this.#tap;
    return { text: `Worker ${this.#parts.workerId} reported an error: ${failure}`, isRateLimited };
  }

  #commit(): void {
    this.#gate.write(this.#gate.commit('unknown'));
    this.#switchToTail();
  }

  /** From here on frames need not be read one by one. */
  #switchToTail(): void {
    if (!this.#framer || !this.#tap.endTellsAll || this.#parts.record.firstContentAt === 0) return;
    const rest = this.#framer.takeRest();
    this.#framer = undefined;
    this.#sseTail = new SseTail();
    if (rest.length > 0) this.#gate.write(this.#sseTail.push(rest));
  }

  #readEnd(tail: SseTail): void {
    tail.readLastFrames((frame) => {
      if (this.#tap.frame(frame) === 'error') this.#brokeInBand = true;
    });
  }
}

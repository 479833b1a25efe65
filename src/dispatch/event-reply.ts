/**
 * What the client gets of an answer that is encoded for it event by event: held until its first content, then passed on,
 * all that one turn of the loop brought in one write, and complete only when it says so. By the rules of stream-answer.ts.
 */
import type { Transform } from '../base/transform.ts';
import type { TurnTask } from '../base/turn-end.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { TranslationWarning } from '../domain/generation.ts';
import type { AnswerParts } from './answer.ts';
import { HOLD_BYTES } from './answer.ts';
import { PRELUDE_HOLD_MS } from './stream-answer.ts';

/** Encodes events of one kind for the client. */
export interface ReplyEncoder<Event> extends Transform<Event, Buffer> {
  encodeError(error: GatewayError): Buffer;
  readonly warnings?: readonly TranslationWarning[];
}

export class EventReply<Event> implements TurnTask {
  isDue = false;
  readonly #parts: AnswerParts;
  readonly #encoder: ReplyEncoder<Event>;
  #preludeSince = 0;

  constructor(parts: AnswerParts, encoder: ReplyEncoder<Event>) {
    this.#parts = parts;
    this.#encoder = encoder;
  }

  /** Nothing of it was shown, and nothing came that the client waits for: another worker may do better. */
  get mayFail(): boolean {
    return this.#parts.record.firstContentAt === 0 && !this.#parts.gate.isCommitted;
  }

  /** Held until `passOn`. */
  push(event: Event, isContent: boolean): void {
    const { host, record } = this.#parts;
    this.#encoder.push(event, this.#hold);
    if (isContent && record.firstContentAt === 0) host.contentBegins();
  }

  /** The first content leaves at once; after it, all that a turn brings leaves in one write. */
  passOn(isComplete: boolean): void {
    const { host, gate, record, clock, turnEnd } = this.#parts;
    if (host.isOver || gate.heldBytes === 0) return;
    if (gate.isCommitted && gate.heldBytes <= HOLD_BYTES) return turnEnd.add(this);
    const isFit = record.firstContentAt > 0 || isComplete || gate.heldBytes > HOLD_BYTES;
    if (gate.isCommitted || isFit) this.flush();
    else if (this.#preludeSince === 0) this.#preludeSince = clock.now();
  }

  /** The turn is over. */
  run(): void {
    const { host, gate } = this.#parts;
    if (!host.isOver && gate.heldBytes > 0) this.flush();
  }

  tick(nowMs: number): void {
    if (this.#parts.gate.isCommitted || this.#preludeSince === 0) return;
    if (nowMs - this.#preludeSince >= PRELUDE_HOLD_MS) this.flush();
  }

  flush(): void {
    const { gate } = this.#parts;
    gate.write(gate.isCommitted ? gate.takeHeld() : gate.commit('unknown'));
  }

  encodeError(error: GatewayError): Buffer {
    const frames = this.#encoder.encodeError(error);
    this.#noteWarnings();
    return frames;
  }

  /** The answer is complete. */
  end(): void {
    const { host, gate } = this.#parts;
    this.#encoder.end(this.#hold);
    this.#noteWarnings();
    this.flush();
    gate.end();
    host.finish({ kind: 'served', status: gate.status });
  }

  /** Bound once: a closure per event would be garbage per event. */
  readonly #hold = (frame: Buffer): void => this.#parts.gate.hold(frame);

  #noteWarnings(): void {
    const { record } = this.#parts;
    const { warnings = [] } = this.#encoder;
    if (warnings.length > 0) record.warnings = [...record.warnings, ...warnings];
  }
}

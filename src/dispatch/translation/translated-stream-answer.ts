/**
 * A stream of events in another API than the client's: decoded, encoded, and held, passed on and ended by the rules of
 * stream-answer.ts. What breaks it after its content is told in the client's form, and nothing that says success follows.
 */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Usage } from '../../domain/usage.ts';
import type { EventEncoder } from '../../protocols/hub/codec.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import { HOLD_BYTES } from '../answer.ts';
import { failedByEvent } from '../failure.ts';
import { PRELUDE_HOLD_MS } from '../stream-answer.ts';
import { translatedHeaders } from './answer-headers.ts';
import type { EventWatch, HubSides } from './hub-sides.ts';
import { recordedUsage } from './hub-sides.ts';

export class TranslatedStreamAnswer implements Answer {
  usage: Usage | undefined = undefined;
  readonly #parts: AnswerParts;
  readonly #decoder: Transform<Buffer, GenerationEvent>;
  readonly #encoder: EventEncoder;
  readonly #watch: EventWatch | undefined;
  #preludeSince = 0;
  /** The worker said that the stream is complete. */
  #isComplete = false;

  constructor(parts: AnswerParts, sides: HubSides) {
    this.#parts = parts;
    this.#decoder = sides.workerCodec.createDecoder(sides.decodeFacts);
    this.#encoder = sides.clientCodec.createEncoder(sides.answerFacts);
    this.#watch = sides.watch();
    const { gate } = parts;
    gate.headers = translatedHeaders(gate.headers, sides.clientCodec.streamType(sides.answerFacts));
  }

  data(chunk: Buffer): void {
    this.#decoder.push(chunk, this.#onEvent);
    this.#passOn();
  }

  tick(nowMs: number): void {
    if (this.#parts.gate.isCommitted || this.#preludeSince === 0) return;
    if (nowMs - this.#preludeSince >= PRELUDE_HOLD_MS) this.#flush();
  }

  encodeError(error: GatewayError): Buffer {
    const frames = this.#encoder.encodeError(error);
    this.#noteWarnings();
    return frames;
  }

  end(): void {
    const { host, gate, workerId } = this.#parts;
    this.#decoder.end(this.#onEvent);
    if (host.isOver) return;
    if (!this.#isComplete) {
      if (gate.isCommitted) gate.write(gate.takeHeld());
      const text = `Worker ${workerId} ended its stream before it was complete.`;
      return host.error(new GatewayError('upstream_broken', text));
    }
    this.#encoder.end(this.#hold);
    this.#noteWarnings();
    this.#flush();
    gate.end();
    host.finish({ kind: 'served', status: gate.status });
  }

  /** Bound once: a closure per chunk would be garbage per chunk. */
  readonly #onEvent = (event: GenerationEvent): void => {
    const { host, record } = this.#parts;
    if (host.isOver || this.#isComplete) return;
    if (event.type === 'error') return this.#failed(event.error);
    if (event.type === 'usage') this.usage = recordedUsage(event);
    if (event.type === 'end') this.#isComplete = true;
    this.#watch?.event(event);
    this.#encoder.push(event, this.#hold);
    if (record.firstContentAt === 0 && isContent(event)) host.contentBegins();
  };

  readonly #hold = (frame: Buffer): void => this.#parts.gate.hold(frame);

  #failed(error: GatewayError): void {
    const { host, gate, record } = this.#parts;
    // Nothing of it was shown: another worker may do better.
    if (record.firstContentAt === 0 && !gate.isCommitted) return host.finish(failedByEvent(error));
    this.#flush();
    host.error(error);
  }

  /** All frames that one read brought leave in one write. */
  #passOn(): void {
    const { host, gate, record, clock } = this.#parts;
    if (host.isOver || gate.heldBytes === 0) return;
    const isFit = record.firstContentAt > 0 || this.#isComplete || gate.heldBytes > HOLD_BYTES;
    if (gate.isCommitted || isFit) this.#flush();
    else if (this.#preludeSince === 0) this.#preludeSince = clock.now();
  }

  #flush(): void {
    const { gate } = this.#parts;
    gate.write(gate.isCommitted ? gate.takeHeld() : gate.commit('unknown'));
  }

  #noteWarnings(): void {
    const { record } = this.#parts;
    if (this.#encoder.warnings.length > 0) record.warnings = [...record.warnings, ...this.#encoder.warnings];
  }
}

/** Something that the client waits for, as opposed to an opening, a pause or a count. */
function isContent(event: GenerationEvent): boolean {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text !== '';
    case 'reasoning-end':
      return event.isRedacted;
    case 'tool-call-start':
    case 'tool-call-delta':
    case 'citation':
    case 'native':
      return true;
    default:
      return false;
  }
}

/**
 * A stream of events in another API than the client's: decoded, encoded, and held, passed on and ended by the rules of
 * stream-answer.ts. What breaks it after its content is told in the client's form, and nothing that says success follows.
 */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Usage } from '../../domain/usage.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import { EventReply } from '../event-reply.ts';
import { failedByEvent } from '../failure.ts';
import { translatedHeaders } from './answer-headers.ts';
import type { EventWatch, HubSides } from './hub-sides.ts';
import { recordedUsage } from './hub-sides.ts';

export class TranslatedStreamAnswer implements Answer {
  usage: Usage | undefined = undefined;
  readonly #parts: AnswerParts;
  readonly #decoder: Transform<Buffer, GenerationEvent>;
  readonly #reply: EventReply<GenerationEvent>;
  readonly #watch: EventWatch | undefined;
  /** The worker said that the stream is complete. */
  #isComplete = false;

  constructor(parts: AnswerParts, sides: HubSides) {
    this.#parts = parts;
    this.#decoder = sides.workerCodec.createDecoder(sides.decodeFacts);
    this.#reply = new EventReply(parts, sides.clientCodec.createEncoder(sides.answerFacts));
    this.#watch = sides.watch();
    const { gate } = parts;
    gate.headers = translatedHeaders(gate.headers, sides.clientCodec.streamType(sides.answerFacts));
  }

  data(chunk: Buffer): void {
    this.#decoder.push(chunk, this.#onEvent);
    this.#reply.passOn(this.#isComplete);
  }

  tick(nowMs: number): void {
    this.#reply.tick(nowMs);
  }

  encodeError(error: GatewayError): Buffer {
    return this.#reply.encodeError(error);
  }

  end(): void {
    const { host, gate, workerId } = this.#parts;
    this.#decoder.end(this.#onEvent);
    if (host.isOver) return;
    if (this.#isComplete) return this.#reply.end();
    if (gate.isCommitted) gate.write(gate.takeHeld());
    const text = `Worker ${workerId} ended its stream before it was complete.`;
    host.error(new GatewayError('upstream_broken', text));
  }

  /** Bound once: a closure per chunk would be garbage per chunk. */
  readonly #onEvent = (event: GenerationEvent): void => {
    if (this.#parts.host.isOver || this.#isComplete) return;
    if (event.type === 'error') return this.#failed(event.error);
    if (event.type === 'usage') this.usage = recordedUsage(event);
    if (event.type === 'end') this.#isComplete = true;
    this.#watch?.event(event);
    this.#reply.push(event, isContent(event));
  };

  #failed(error: GatewayError): void {
    const { host } = this.#parts;
    // Nothing of it was shown: another worker may do better.
    if (this.#reply.mayFail) return host.finish(failedByEvent(error));
    this.#reply.flush();
    host.error(error);
  }
}

/** Something that the client waits for, as opposed to an opening, a pause or a count. */
export function isContent(event: GenerationEvent): boolean {
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

/**
 * A whole answer in another API than the client's. Held to its end, because only a whole one can be read; then encoded
 * as the client asked for it, as one body or as a stream. An error of the worker becomes one of the client's dialect.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { headerOf } from '../../domain/headers.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import { invalidAnswer } from '../answer-check.ts';
import { MAX_ERROR_BYTES } from '../body-answer.ts';
import { JSON_TYPE, translatedHeaders } from './answer-headers.ts';
import type { HubSides } from './hub-sides.ts';
import { usageOf } from './hub-sides.ts';
import { refuseWith } from './refuse.ts';

/** An answer may hold pictures. A longer one is not read. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export class TranslatedBodyAnswer implements Answer {
  readonly usage = undefined;
  readonly #parts: AnswerParts;
  readonly #sides: HubSides;
  readonly #isEventStream: boolean;

  /** `isEventStream`: the worker streams to a client that did not ask for it. */
  constructor(parts: AnswerParts, sides: HubSides, isEventStream: boolean) {
    this.#parts = parts;
    this.#sides = sides;
    this.#isEventStream = isEventStream;
  }

  tick(): void {}

  encodeError(): undefined {
    return undefined;
  }

  data(chunk: Buffer): void {
    const { host, gate, workerId } = this.#parts;
    gate.hold(chunk);
    if (gate.heldBytes <= (gate.isGood ? MAX_ANSWER_BYTES : MAX_ERROR_BYTES)) return;
    const text = `Worker ${workerId} answered ${gate.status} with a body that is too long to be translated.`;
    host.fail(new GatewayError('upstream_invalid_answer', text));
  }

  end(): void {
    const { gate } = this.#parts;
    const body = gate.takeHeld();
    if (gate.isGood) this.#answer(body);
    else refuseWith(this.#parts, this.#sides, body);
  }

  #answer(body: Buffer): void {
    const { host, gate, record, workerId, clock } = this.#parts;
    const problem = invalidAnswer(gate.status, headerOf(gate.headers, 'content-type'), body);
    if (problem) return host.fail(new GatewayError('upstream_invalid_answer', `Worker ${workerId} ${problem}`));
    const events = this.#decode(body);
    if (events instanceof GatewayError) return host.fail(events);
    const watch = this.#sides.watch();
    for (const event of events) watch?.event(event);
    record.firstContentAt = clock.now();
    record.usage = usageOf(events);
    const encoded = this.#encode(events);
    gate.headers = translatedHeaders(gate.headers, encoded.contentType);
    gate.writeWhole(encoded.body);
    host.finish({ kind: 'served', status: gate.status });
  }

  /** The error says why it is no answer. */
  #decode(body: Buffer): readonly GenerationEvent[] | GatewayError {
    const { workerCodec, decodeFacts } = this.#sides;
    let events: GenerationEvent[] = [];
    try {
      if (this.#isEventStream) {
        const decoder = workerCodec.createDecoder(decodeFacts);
        decoder.push(body, (event) => events.push(event));
        decoder.end((event) => events.push(event));
      } else {
        events = workerCodec.decodeAnswer(body, decodeFacts);
        // A body that has been read to its last brace is whole.
        if (events.at(-1)?.type !== 'end') events.push({ type: 'end' });
      }
    } catch (thrown) {
      if (thrown instanceof GatewayError) return thrown;
      throw thrown;
    }
    const failed = events.find((event) => event.type === 'error');
    if (failed?.type === 'error') return failed.error;
    if (events.some((event) => event.type === 'end')) return events;
    return new GatewayError('upstream_broken', `Worker ${this.#parts.workerId} did not complete its answer.`);
  }

  #encode(events: readonly GenerationEvent[]): { readonly contentType: string; readonly body: Buffer } {
    const { clientCodec, answerFacts, isStream } = this.#sides;
    const { record } = this.#parts;
    if (!isStream) {
      const { body, warnings } = clientCodec.encodeAnswer(events, answerFacts);
      if (warnings.length > 0) record.warnings = [...record.warnings, ...warnings];
      return { contentType: JSON_TYPE, body };
    }
    const encoder = clientCodec.createEncoder(answerFacts);
    const frames: Buffer[] = [];
    for (const event of events) encoder.push(event, (frame) => frames.push(frame));
    encoder.end((frame) => frames.push(frame));
    if (encoder.warnings.length > 0) record.warnings = [...record.warnings, ...encoder.warnings];
    return { contentType: clientCodec.streamType(answerFacts), body: Buffer.concat(frames) };
  }
}

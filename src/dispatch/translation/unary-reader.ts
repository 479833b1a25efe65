/** Reads answers of APIs that have no hub: a whole body is turned into the client's, an error into its dialect. */
import { GatewayError } from '../../domain/errors.ts';
import { headerOf } from '../../domain/headers.ts';
import type { EncodedAnswer } from '../../protocols/hub/codec.ts';
import type { UnaryTranslation } from '../../protocols/hub/unary-translation.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import { invalidAnswer } from '../answer-check.ts';
import { JSON_TYPE, translatedHeaders } from './answer-headers.ts';
import type { AnswerReader } from './outbound.ts';
import { refuseWith } from './refuse.ts';

/** 2,048 embeddings of 3,072 numbers are less. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

export interface UnarySides {
  readonly translation: UnaryTranslation;
  readonly worker: Protocol;
  readonly client: Protocol;
  /** The model as the client named it. */
  readonly model: string;
  readonly requestBody: Buffer;
}

export class UnaryReader implements AnswerReader {
  readonly #sides: UnarySides;

  constructor(sides: UnarySides) {
    this.#sides = sides;
  }

  read(parts: AnswerParts): Answer {
    return new UnaryAnswer(parts, this.#sides);
  }
}

class UnaryAnswer implements Answer {
  readonly usage = undefined;
  readonly #parts: AnswerParts;
  readonly #sides: UnarySides;

  constructor(parts: AnswerParts, sides: UnarySides) {
    this.#parts = parts;
    this.#sides = sides;
  }

  tick(): void {}

  encodeError(): undefined {
    return undefined;
  }

  data(chunk: Buffer): void {
    const { host, gate, workerId } = this.#parts;
    gate.hold(chunk);
    if (gate.heldBytes <= MAX_ANSWER_BYTES) return;
    host.fail(new GatewayError('upstream_invalid_answer', `Worker ${workerId} answered more than can be translated.`));
  }

  end(): void {
    const { host, gate, record, clock } = this.#parts;
    const body = gate.takeHeld();
    if (!gate.isGood) return refuseWith(this.#parts, this.#sides, body);
    const encoded = this.#encode(body);
    if (encoded instanceof GatewayError) return host.fail(encoded);
    if (encoded.warnings.length > 0) record.warnings = [...record.warnings, ...encoded.warnings];
    record.firstContentAt = clock.now();
    record.usage = this.#sides.client.readUsage(encoded.body);
    gate.headers = translatedHeaders(gate.headers, JSON_TYPE);
    gate.writeWhole(encoded.body);
    host.finish({ kind: 'served', status: gate.status });
  }

  #encode(body: Buffer): EncodedAnswer | GatewayError {
    const { gate, workerId } = this.#parts;
    const problem = invalidAnswer(gate.status, headerOf(gate.headers, 'content-type'), body);
    if (problem) return new GatewayError('upstream_invalid_answer', `Worker ${workerId} ${problem}`);
    const { translation, model, requestBody } = this.#sides;
    try {
      return translation.encodeAnswer(body, { model, requestBody });
    } catch (thrown) {
      if (thrown instanceof GatewayError) return thrown;
      throw thrown;
    }
  }
}

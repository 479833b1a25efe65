/**
 * About how many tokens a prompt has, for calls that ask and workers that cannot count. Never taken for a count: the
 * answer says by a header that it is an estimate.
 */
import type { Call } from '../../domain/call.ts';
import { anthropicCountForm, geminiCountForm } from '../../protocols/count-tokens/count-tokens-between.ts';
import { estimatedAnswer } from '../../protocols/count-tokens/estimate-tokens.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import { BodyAnswer } from '../body-answer.ts';
import { JSON_TYPE } from './answer-headers.ts';
import type { AnswerReader, Outbound } from './outbound.ts';

const MARK = ['x-smg-token-count', 'estimated'] as const;

export type Estimate = Extract<Outbound, { kind: 'answer' }>;

export function estimateFor({ body, protocol }: Call, reader: Protocol, model: string): Estimate {
  const form = protocol === 'gemini-count-tokens' ? geminiCountForm : anthropicCountForm;
  return { kind: 'answer', headers: MARK, body: estimatedAnswer(form, reader, { body, model }) };
}

/** Engines that do not know the path. */
const UNKNOWN = new Set([404, 405, 501]);

/** Passes a worker's count, and gives the estimate when the worker has no such path. */
export class CountReader implements AnswerReader {
  readonly #estimate: () => Estimate;

  constructor(estimate: () => Estimate) {
    this.#estimate = estimate;
  }

  read(parts: AnswerParts): Answer {
    return UNKNOWN.has(parts.gate.status) ? new EstimatedAnswer(parts, this.#estimate()) : new BodyAnswer(parts);
  }
}

class EstimatedAnswer implements Answer {
  readonly usage = undefined;
  readonly #parts: AnswerParts;
  readonly #estimate: Estimate;

  constructor(parts: AnswerParts, estimate: Estimate) {
    this.#parts = parts;
    this.#estimate = estimate;
  }

  tick(): void {}

  encodeError(): undefined {
    return undefined;
  }

  /** What the worker says about the path is of no use to the client. */
  data(): void {}

  end(): void {
    const { host, gate, record, clock } = this.#parts;
    record.firstContentAt = clock.now();
    gate.status = 200;
    gate.headers = ['content-type', JSON_TYPE, ...this.#estimate.headers];
    gate.writeWhole(this.#estimate.body);
    host.finish({ kind: 'served', status: 200 });
  }
}

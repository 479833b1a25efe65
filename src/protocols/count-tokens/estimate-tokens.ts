/**
 * How many tokens a prompt has when nobody can count them: a quarter of the bytes that an engine reads of it, as for
 * routing. Not a count: whoever gives it away has to say so.
 */
import type { Protocol } from '../protocol.ts';
import type { CountForm } from './count-tokens-between.ts';
import { encodeCount } from './count-tokens-between.ts';

/** At least 1. Never throws: of a body that is not as its API says, all bytes count. */
export function estimateTokens(protocol: Protocol, body: Buffer, model: string): number {
  return protocol.readPrompt(body, model).tokens;
}

/** The estimate as an answer of the API that was asked. `protocol` is that of the client's body. */
export function estimatedAnswer(form: CountForm, protocol: Protocol, question: EstimatedQuestion): Buffer {
  return encodeCount(form, estimateTokens(protocol, form.unwrap(question.body), question.model));
}

export interface EstimatedQuestion {
  readonly body: Buffer;
  readonly model: string;
}

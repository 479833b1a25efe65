/**
 * The contract of what reads the answer of a worker that takes tokens: it hears tokens instead of bytes, and tells its
 * attempt the same things as any other answer.
 */
import type { GatewayError } from '../../domain/errors.ts';
import type { EmbedSink, TokenExchange, TokenSink } from '../../domain/token-generation.ts';
import type { Exchange } from '../../domain/ports.ts';
import type { Answer, AnswerParts } from '../answer.ts';

/** The side of an attempt that an answer by tokens needs beyond that of `AnswerHost`. */
export interface TokenHost {
  /** The worker has taken the call. */
  begun(): void;
  /** A sign of life. */
  touch(): void;
  /** This answer is over, though others of the call go on. */
  answerStopped(prompt: number, choice: number): void;
  /** The worker failed. `mayRetry`: it has not begun, and says that it cannot now. */
  failedByWorker(error: GatewayError, mayRetry: boolean): void;
}

/** Begins an exchange by tokens. */
export type BeginTokens = (
  parts: AnswerParts,
  host: TokenHost,
) => { readonly answer: Answer; readonly exchange: TokenExchange | Exchange };

export interface TokenAnswer extends Answer, TokenSink {}
export interface EmbedAnswer extends Answer, EmbedSink {}

/** Of answers that come by tokens: nobody gives them bytes, and they know their end by themselves. */
export function refuseBytes(): void {
  throw new Error('An answer by tokens was given bytes.');
}

/**
 * The contract of the APIs that complete plain prompts (completions, SGLang's `/generate`), for workers that take tokens:
 * a request as neither of them in particular has it, its answer as events, and the ends of both. Like `codec.ts`, but
 * for prompts that are no conversation. Pure and synchronous.
 */
import type { GatewayError } from '../../domain/errors.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import type { TextEvent } from '../../domain/text-event.ts';
import type { Sampling } from '../../domain/token-generation.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import type { Transform } from '../../base/transform.ts';
import type { EncodedAnswer, RequestFacts } from './codec.ts';

export type { ShownToken, TextEvent } from '../../domain/text-event.ts';

export type PlainPrompt =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'ids'; readonly ids: TokenIds };

export interface TextRequest {
  readonly model: string;
  readonly isStream: boolean;
  readonly wantsUsage: boolean;
  /** At least one. */
  readonly prompts: readonly PlainPrompt[];
  /** The client gave a list: `/generate` answers with one. */
  readonly isBatch: boolean;
  readonly echo: boolean;
  readonly suffix: string | undefined;
  /** Whether the tokenizer puts its own tokens (BOS) in front. */
  readonly addSpecialTokens: boolean;
  readonly sampling: Sampling;
  /** The client's id for the engine (`rid`). */
  readonly requestId: string | undefined;
  /** `/generate` with log probabilities: which tokens of the prompt are shown, and whether with their texts. */
  readonly shownLogprobs?: { readonly promptFrom: number; readonly hasText: boolean } | undefined;
}

export interface DecodedTextRequest {
  readonly request: TextRequest;
  readonly warnings: readonly TranslationWarning[];
}

export interface TextAnswerFacts {
  /** The model as the client named it. */
  readonly model: string;
  readonly createdSeconds: number;
  /** Of the engine's request; what the answer is called. */
  readonly requestId: string;
  newId(prefix: string): string;
  readonly request: TextRequest;
  /** Seconds since the call came, for `e2e_latency`. */
  elapsedSeconds(): number;
  readonly weightVersion: string | undefined;
}

export interface TextEventEncoder extends Transform<TextEvent, Buffer> {
  encodeError(error: GatewayError): Buffer;
}

export interface TextCodec {
  /** Throws `invalid_json` or `invalid_request`. */
  decodeRequest(body: Buffer, facts: RequestFacts): DecodedTextRequest;
  createEncoder(facts: TextAnswerFacts): TextEventEncoder;
  encodeAnswer(events: readonly TextEvent[], facts: TextAnswerFacts): EncodedAnswer;
}

/** Embeddings for workers that take tokens. */
export interface EmbedRequest {
  readonly model: string;
  readonly prompts: readonly PlainPrompt[];
  readonly encoding: 'float' | 'base64';
  /** Fewer than the model gives: cut and normalised anew. */
  readonly dimensions: number | undefined;
  /** Gemini answers a batch in another form. */
  readonly isBatch?: boolean;
}

export interface EmbedCodec {
  decodeRequest(
    body: Buffer,
    facts: RequestFacts,
  ): { readonly request: EmbedRequest; readonly warnings: readonly TranslationWarning[] };
  encodeAnswer(
    embeddings: readonly { readonly values: ArrayLike<number>; readonly promptTokens: number }[],
    facts: { readonly model: string; readonly request: EmbedRequest },
  ): Buffer;
}

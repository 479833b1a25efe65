/**
 * What a call is for workers that take tokens: its prompts with their tokens, what is asked of the sampler, and how its
 * answer is to be read. Made once for each model of the call, also across retries.
 */
import type { TranslationWarning } from '../../domain/generation.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { Sampling, TokenPrompt } from '../../domain/token-generation.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import type { TokenModel } from '../../domain/token-model.ts';
import type { PreparedChat } from '../../pipeline/prompt/prepare-chat.ts';
import type { EmbedCodec, EmbedRequest, TextCodec, TextRequest } from '../../protocols/hub/text-codec.ts';
import type { CountForm } from '../../protocols/count-tokens/count-tokens-between.ts';
import type { Codec } from '../../protocols/hub/codec.ts';

interface Common {
  readonly model: TokenModel;
  /** With their tokens. At least one. */
  readonly prompts: readonly TokenPrompt[];
  readonly warnings: readonly TranslationWarning[];
  /** Of the adapter that reads the prompt. */
  readonly adapter: string | undefined;
}

/** A conversation: an answer of the hub. */
export interface ChatTokens extends Common {
  readonly kind: 'chat';
  readonly request: GenerationRequest;
  readonly codec: Codec;
  readonly chat: PreparedChat;
  readonly sampling: Sampling;
}

/** Plain prompts that are completed. */
export interface TextTokens extends Common {
  readonly kind: 'text';
  readonly request: TextRequest;
  readonly codec: TextCodec;
  readonly sampling: Sampling;
}

export interface EmbedTokens extends Common {
  readonly kind: 'embed';
  readonly request: EmbedRequest;
  readonly codec: EmbedCodec;
  /** From the body of an answer of embeddings to what the client asked in. */
  finish(body: Buffer): Buffer;
}

/** Somebody only wants to know how many they are. */
export interface CountedTokens extends Common {
  readonly kind: 'count';
  readonly form: CountForm;
}

export type TokenCall = ChatTokens | TextTokens | EmbedTokens | CountedTokens;

/** One prompt on its way to tokens. */
export interface Encoding {
  /** Of its text; 0 where it came as ids. */
  readonly chars: number;
  /** Its ids, at once or later. */
  encode(): TokenIds | Promise<TokenIds>;
}

/** What is known before the tokens are. */
export interface Reading {
  readonly prompts: readonly Encoding[];
  complete(ids: readonly TokenIds[]): TokenCall;
}

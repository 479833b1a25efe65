/** What goes to a worker for a call, or why nothing can; made before a lease is taken. */
import type { GatewayError } from '../../domain/errors.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import type { Answer, AnswerParts } from '../answer.ts';
import type { BeginTokens } from '../tokens/token-answer.ts';
import type { ClientListener } from '../client-side.ts';

/** Makes what reads the answer, where the worker's bytes do not pass as they are. */
export interface AnswerReader {
  read(parts: AnswerParts, isEventStream: boolean): Answer;
}

/** What is known of an attempt when it begins. */
export interface TokenStart {
  /** The credential to send, or undefined. */
  readonly key: string | undefined;
  readonly rank: number | undefined;
}

export type Outbound =
  | {
      readonly kind: 'request';
      /** Path and query behind the worker's URL. */
      readonly path: string;
      readonly body: Buffer;
      /** Undefined: the answer passes. */
      readonly reader: AnswerReader | undefined;
      /** For the record: empty when bytes pass, else e.g. `anthropic-messages>openai-chat`. */
      readonly translation: string;
      readonly warnings: readonly TranslationWarning[];
    }
  /** The worker takes tokens. */
  | {
      readonly kind: 'tokens';
      /** Sends them; throws nothing. */
      begin(start: TokenStart): BeginTokens;
      readonly translation: string;
      readonly warnings: readonly TranslationWarning[];
    }
  /** The gateway itself knows the answer. */
  | { readonly kind: 'answer'; readonly headers: readonly string[]; readonly body: Buffer }
  /** This worker cannot be asked this; another may. */
  | { readonly kind: 'unfit'; readonly error: GatewayError }
  /** Something has to be fetched first; then the call is to be placed anew. */
  | { readonly kind: 'pending'; readonly wait: Wait };

/** A wait that ends by itself, and early when its call ends. */
export interface Wait extends ClientListener {
  /** Rejects with a GatewayError. */
  readonly done: Promise<void>;
}

/**
 * An answer as no API in particular has it: the events of a stream. A whole answer is the same events at once.
 *
 *   start (reasoning-* | text-* | tool-call-* | refusal-delta | native)* finish usage? end
 *
 * Order within a choice is the order of its content. `*-end` closes a block; the next delta of the same kind opens
 * another. A decoder sends `end` only when the stream said that it is complete.
 */
import type { GatewayError } from './errors.ts';
import type { JsonText, Signature } from './generation.ts';

/** Counts of one call. All prompt tokens are `inputTokens`, cached ones included; all output is `outputTokens`, thoughts included. */
export interface GenerationUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Those of `inputTokens` that came from a cache. */
  readonly cachedInputTokens: number;
  /** Those of `inputTokens` that were written to a cache, for five minutes and for an hour. */
  readonly cacheWriteTokens: number;
  readonly cacheWriteHourTokens: number;
  /** Those of `outputTokens` that were thoughts. */
  readonly reasoningTokens: number;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | undefined;
  readonly top: readonly {
    readonly token: string;
    readonly logprob: number;
    readonly bytes: readonly number[] | undefined;
  }[];
}

export type FinishReason =
  | 'stop'
  | 'stop_sequence'
  | 'length'
  | 'tool_calls'
  | 'refusal'
  | 'content_filter'
  /** Anthropic's `pause_turn`: the client may go on with what it has. */
  | 'pause'
  /** The context was full before `maxTokens` were reached. */
  | 'context_exceeded';

export type GenerationEvent =
  | { readonly type: 'start'; readonly id: string; readonly model: string; readonly createdSeconds: number | undefined }
  | {
      readonly type: 'text-delta';
      readonly choice: number;
      readonly text: string;
      readonly logprobs: readonly TokenLogprob[] | undefined;
    }
  /** The block is whole. `signature`: Gemini signs text. */
  | { readonly type: 'text-end'; readonly choice: number; readonly signature: Signature | undefined }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  /** One thought is whole: its signature, whether it came encrypted whole, its id in Responses. A thought may have no delta. */
  | {
      readonly type: 'reasoning-end';
      readonly choice: number;
      readonly signature: Signature | undefined;
      readonly isRedacted: boolean;
      readonly itemId: string | undefined;
    }
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'tool-call-start';
      readonly choice: number;
      readonly callId: string;
      readonly name: string;
      readonly signature: Signature | undefined;
    }
  /** A piece of the arguments' JSON text. A call without any has `{}` for arguments. */
  | {
      readonly type: 'tool-call-delta';
      readonly choice: number;
      readonly callId: string;
      readonly argumentsDelta: string;
    }
  | { readonly type: 'tool-call-end'; readonly choice: number; readonly callId: string }
  /** A citation or annotation of the text before it. */
  | {
      readonly type: 'citation';
      readonly choice: number;
      readonly url: string | undefined;
      readonly title: string | undefined;
      readonly quote: string | undefined;
      readonly json: JsonText;
      readonly origin: string;
    }
  /** A block or item that only its own API has, whole. */
  | {
      readonly type: 'native';
      readonly choice: number;
      readonly origin: string;
      readonly name: string;
      readonly json: JsonText;
    }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      /** Which sequence stopped it, where the API says. */
      readonly stopSequence: string | undefined;
      /** The provider's own word where it says more, e.g. `SAFETY`. */
      readonly detail: string | undefined;
    }
  /** Cumulative: the last one counts. */
  | { readonly type: 'usage'; readonly usage: GenerationUsage }
  /** The worker is alive. */
  | { readonly type: 'heartbeat' }
  /** The worker reports a failure; nothing follows. */
  | { readonly type: 'error'; readonly error: GatewayError }
  /** The stream has said that it is complete. */
  | { readonly type: 'end' };

export const NO_USAGE: GenerationUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  reasoningTokens: 0,
};

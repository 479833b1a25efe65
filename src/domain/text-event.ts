/** The answer to plain prompts (completions, `/generate`) as events, and the tokens that some ask to be shown. */

/** A token of a prompt or of an output, for those who asked. */
export interface ShownToken {
  readonly id: number;
  /** Its own text; bytes that are no character alone as U+FFFD. */
  readonly text: string;
  readonly logprob: number | undefined;
  readonly top: readonly { readonly id: number; readonly text: string; readonly logprob: number }[];
}

export type TextEvent =
  /** Once for each prompt, before its answers; `tokens` where log probabilities of the prompt were asked for. */
  | {
      readonly type: 'prompt';
      readonly prompt: number;
      readonly text: string;
      readonly tokens: readonly ShownToken[] | undefined;
      /** How many tokens it has, for answers that tell before they end; undefined: not known yet. */
      readonly tokenCount?: number | undefined;
    }
  /** `tokens` with logprobs where asked for, else undefined; `ids` are the tokens that this text came from. */
  | {
      readonly type: 'text';
      readonly prompt: number;
      readonly choice: number;
      readonly text: string;
      readonly ids: readonly number[];
      readonly tokens: readonly ShownToken[] | undefined;
    }
  | {
      readonly type: 'finish';
      readonly prompt: number;
      readonly choice: number;
      readonly reason: 'stop' | 'length' | 'abort';
      readonly matchedStop: string | number | undefined;
      readonly promptTokens: number;
      readonly completionTokens: number;
      readonly cachedTokens: number;
      readonly reasoningTokens: number | undefined;
    }
  /** All answers are complete. */
  | { readonly type: 'end' };

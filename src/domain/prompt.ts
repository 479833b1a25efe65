/** What the engine will read of a call, as far as it matters for choosing who serves it. */

/**
 * The prompt cut into blocks of equal size, each named by a hash of itself and everything before it: two prompts that
 * share their first i blocks have the same words up to there. The hash covers roles, tools and images, and the model
 * and adapter that read them. A rest shorter than a block has no hash.
 */
export interface PromptBlocks {
  /** Two 32-bit words for each block: `words[2 * i]` and `words[2 * i + 1]`. Longer than `2 * count` at times. */
  readonly words: Uint32Array;
  readonly count: number;
  /** Estimated tokens of one block. */
  readonly tokensPerBlock: number;
  /** Estimated tokens of the whole prompt, at least 1. */
  readonly tokens: number;
}

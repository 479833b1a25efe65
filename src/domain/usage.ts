/** Token counts of one call as the worker reported them. */
export interface Usage {
  /** All prompt tokens, cached ones included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Those of `inputTokens` that the worker took from its cache. */
  readonly cachedInputTokens: number;
}

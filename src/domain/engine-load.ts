/** What an engine says of its load: the figures of each data-parallel rank, and which start of the engine it is. */

export interface RankLoad {
  readonly rank: number;
  readonly running: number;
  readonly waiting: number;
  /** Prompt tokens that wait and are not in the cache. */
  readonly waitingTokens: number | undefined;
  readonly usedTokens: number | undefined;
  readonly capacityTokens: number | undefined;
  /** Generated tokens per second. */
  readonly throughput: number | undefined;
  /** 0 to 1. */
  readonly cacheHitRate: number | undefined;
}

export interface EngineLoad {
  /** At least one. */
  readonly ranks: readonly RankLoad[];
  /** In the form of WorkerFacts.instance; undefined when this answer does not tell. */
  readonly instance: string | undefined;
}

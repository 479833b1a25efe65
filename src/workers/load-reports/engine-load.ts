/** What a poll of an engine came to: the figures of each data-parallel rank, and which start of the engine it is. */

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

/** A place where an engine reports its load. */
export interface LoadSource {
  readonly path: string;
  /** Undefined when the answer holds no load. */
  read(text: string): EngineLoad | undefined;
}

/** All ranks taken together, as a worker that is not told apart by rank. */
export function totalOf(ranks: readonly RankLoad[]): RankLoad {
  const sum = (figure: (rank: RankLoad) => number | undefined) =>
    ranks.reduce<number | undefined>((all, rank) => {
      const one = figure(rank);
      return one === undefined ? all : (all ?? 0) + one;
    }, undefined);
  const rates = ranks.flatMap(({ cacheHitRate }) => cacheHitRate ?? []);
  return {
    rank: 0,
    running: sum(({ running }) => running) ?? 0,
    waiting: sum(({ waiting }) => waiting) ?? 0,
    waitingTokens: sum(({ waitingTokens }) => waitingTokens),
    usedTokens: sum(({ usedTokens }) => usedTokens),
    capacityTokens: sum(({ capacityTokens }) => capacityTokens),
    throughput: sum(({ throughput }) => throughput),
    cacheHitRate: rates.length === 0 ? undefined : rates.reduce((all, rate) => all + rate, 0) / rates.length,
  };
}

/** A share as an engine says it. */
export function shareOf(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole <= 0 ? undefined : Math.min(1, part / whole);
}

/** What a poll of an engine came to, and where engines report it over HTTP. */
import type { EngineLoad, RankLoad } from '../../domain/engine-load.ts';

export type { EngineLoad, RankLoad } from '../../domain/engine-load.ts';

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

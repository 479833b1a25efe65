/** The data-parallel ranks as an engine reports them. One scheduler serves all; what a rank has is counted by request. */

import type { EngineParts } from './generation.ts';

export interface RankFigures {
  readonly rank: number;
  readonly running: number;
  readonly waiting: number;
}

/** One entry for each rank. With several, what waits counts as running. */
export function ranksOf({ options, scheduler, runningByRank }: EngineParts): readonly RankFigures[] {
  const { running, waiting } = scheduler.load();
  if (options.dataParallelSize === 1) return [{ rank: 0, running, waiting }];
  return runningByRank.map((count, rank) => ({ rank, running: count, waiting: 0 }));
}

/** What engines with a GetLoads method say of their load. SGLang, TokenSpeed and vLLM have it, in nearly the same words. */
import type { EngineLoad, RankLoad } from '../../../domain/engine-load.ts';

/** What is wanted of it. */
export const LOAD_PARTS = ['core', 'queues', 'memory'];

interface WireLoad {
  readonly dpRank: number;
  readonly numRunningReqs: number;
  readonly numWaitingReqs: number;
  readonly numUsedTokens: number;
  readonly maxTotalNumTokens: number;
  readonly tokenUsage: number;
  readonly genThroughput: number;
  readonly cacheHitRate: number;
  /** vLLM does not have it. */
  readonly numWaitingUncachedTokens?: number;
}

/** Undefined when no rank is among it. */
export function loadOf(loads: readonly WireLoad[]): EngineLoad | undefined {
  const ranks = loads.slice(0, 1_024).map(rankOf);
  return ranks.length === 0 ? undefined : { ranks, instance: undefined };
}

function rankOf(load: WireLoad): RankLoad {
  const waiting = amount(load.numWaitingReqs);
  const capacityTokens = load.maxTotalNumTokens > 0 ? load.maxTotalNumTokens : undefined;
  const share = Math.min(1, amount(load.tokenUsage));
  const used = amount(load.numUsedTokens);
  return {
    rank: amount(load.dpRank),
    running: amount(load.numRunningReqs),
    waiting,
    waitingTokens: waitingTokensOf(load, waiting),
    usedTokens: capacityTokens === undefined ? used || undefined : used || Math.round(share * capacityTokens),
    capacityTokens,
    throughput: load.genThroughput > 0 ? load.genThroughput : undefined,
    cacheHitRate: load.cacheHitRate > 0 ? Math.min(1, load.cacheHitRate) : undefined,
  };
}

/** An older engine leaves it at 0 also when calls wait. */
function waitingTokensOf({ numWaitingUncachedTokens: tokens }: WireLoad, waiting: number): number | undefined {
  if (tokens === undefined) return undefined;
  return tokens > 0 || waiting === 0 ? amount(tokens) : undefined;
}

function amount(figure: number): number {
  return Number.isFinite(figure) && figure > 0 ? figure : 0;
}

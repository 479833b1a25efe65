/** The conditions of a replay: how many engines, what each can do, and what the gateway hears of them. Plain values. */
import { type CostModel, DEFAULT_COST } from '../../sim/core/cost.ts';
import { type Trace, totalsOf } from '../trace/call.ts';
import type { PromptView } from './prompt-view.ts';

/**
 * What an answer tells the gateway of its tokens: the counts with the cached ones, the counts alone (an engine that
 * does not report cached tokens), or nothing (a stream without usage).
 */
export type UsageDetail = 'cached' | 'counts' | 'none';

export interface Setting {
  readonly workers: number;
  readonly prefillTokensPerSecond: number;
  /** KV cache of each engine in tokens; undefined: more than the trace could fill. */
  readonly kvTokens: number | undefined;
  readonly seed: number;
  readonly usage: UsageDetail;
  /** How often the gateway hears of each engine's load; 0: never. */
  readonly reportEveryMs: number;
  /** Sends each conversation's number as the client's routing key. */
  readonly sendsRoutingKey: boolean;
  readonly promptView: PromptView;
}

export const DEFAULT_SETTING: Setting = {
  workers: 8,
  prefillTokensPerSecond: DEFAULT_COST.prefillTokensPerSecond,
  kvTokens: undefined,
  seed: 1,
  usage: 'cached',
  reportEveryMs: 10_000,
  sendsRoutingKey: false,
  promptView: { kind: 'trace' },
};

/** The engines' price list. An unbounded cache is as large as all calls of the trace together. */
export function costOf(setting: Setting, trace: Trace): CostModel {
  const { inputTokens, outputTokens } = totalsOf(trace.calls);
  const all = inputTokens + outputTokens + 2 * trace.blockSize * trace.calls.length;
  const { prefillTokensPerSecond, kvTokens = all } = setting;
  return { ...DEFAULT_COST, prefillTokensPerSecond, kvTokens, blockSize: trace.blockSize };
}

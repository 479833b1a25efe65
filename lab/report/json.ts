/** A comparison for programs. */
import { totalsOf } from '../trace/call.ts';
import type { Comparison } from './compare.ts';

/** Times in ms, sizes in tokens or bytes, shares from 0 to 1; null where there is nothing to tell. */
export function jsonOf({ trace, setting, bound, rows }: Comparison): string {
  const { durationMs, inputTokens, outputTokens } = totalsOf(trace.calls);
  const value = {
    trace: { name: trace.name, calls: trace.calls.length, inputTokens, outputTokens, durationMs },
    setting: { ...setting, kvTokens: setting.kvTokens ?? null },
    bound,
    policies: rows.map(({ name, measures, shareOfBound }) => ({ name, ...measures, shareOfBound })),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

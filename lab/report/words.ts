/** What stands above and below the table of `smg simulate`. */
import { totalsOf } from '../trace/call.ts';
import type { Comparison } from './compare.ts';

/** One line: what was played on what. */
export function conditionsOf({ trace, setting }: Comparison): string {
  const { durationMs, inputTokens } = totalsOf(trace.calls);
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  const load = `${count(trace.calls.length)} calls in ${count(durationMs / 1000)} s, ${count(inputTokens)} prompt tokens`;
  const { workers, kvTokens, prefillTokensPerSecond } = setting;
  const cache = kvTokens === undefined ? 'caches without bound' : `caches of ${count(kvTokens)} tokens`;
  return `${trace.name}: ${load}; ${workers} engines, ${count(prefillTokensPerSecond)} prompt tokens/s, ${cache}`;
}

/** How to read the table. */
export function notesOf({ setting, bound, rows }: Comparison): string[] {
  const best = setting.kvTokens === undefined ? 'One infinite cache' : 'One cache as large as all of them';
  const found = `${best}, shared by all engines, would find ${(bound * 100).toFixed(1)}% of the prompt tokens: the bound.`;
  const refused = Math.max(0, ...rows.map(({ measures }) => measures.refused));
  return [
    bound === 0 ? 'The load does not tell what its prompts share, so caches find nothing.' : found,
    'Times in ms. busiest/mean: by the prompt tokens that a worker had to compute.',
    ...(refused === 0 ? [] : [`${refused} calls do not fit into the cache of an engine and were refused.`]),
  ];
}

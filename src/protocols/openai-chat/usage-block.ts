/** The usage block of chat completions, both ways. Source: OpenAI API reference, the usage object. */
import type { GenerationUsage } from '../../domain/generation-event.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { countOf, membersOf } from './wire-values.ts';

/**
 * Undefined for what is no usage block. Where the total is more than its parts, the thoughts were left out of
 * `completion_tokens` (xAI and Gemini count them apart) and belong to the output. DeepSeek and Moonshot have their own
 * names for cached tokens.
 */
export function readUsage(value: unknown): GenerationUsage | undefined {
  const usage = membersOf(value);
  if (!usage || (usage['prompt_tokens'] === undefined && usage['completion_tokens'] === undefined)) return undefined;
  const prompt = membersOf(usage['prompt_tokens_details']);
  const completion = membersOf(usage['completion_tokens_details']);
  const inputTokens = countOf(usage['prompt_tokens']);
  const told = countOf(usage['completion_tokens']);
  const thoughts = countOf(completion?.['reasoning_tokens'] ?? usage['reasoning_tokens']);
  const apart = Math.max(0, countOf(usage['total_tokens']) - inputTokens - told);
  return {
    inputTokens,
    outputTokens: told + apart,
    cachedInputTokens: countOf(prompt?.['cached_tokens'] ?? usage['prompt_cache_hit_tokens'] ?? usage['cached_tokens']),
    cacheWriteTokens: countOf(prompt?.['cache_write_tokens']),
    cacheWriteHourTokens: 0,
    reasoningTokens: thoughts > 0 ? thoughts : apart,
  };
}

/** Cache writes have OpenAI's own name; both kinds are one count here. */
export function writeUsage(usage: GenerationUsage): JsonOut {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteHourTokens } = usage;
  const written = cacheWriteTokens + cacheWriteHourTokens;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      cached_tokens: cachedInputTokens,
      cache_write_tokens: written > 0 ? written : undefined,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/**
 * `usageMetadata` and the hub's counts. Cached tokens are part of the prompt's, as in the hub; thoughts are not part of
 * the candidates', and the prompts of Google's own tools are counted beside the prompt.
 * Source: Gemini API reference, generating content, `UsageMetadata`.
 */
import type { GenerationUsage } from '../../domain/generation-event.ts';
import type { JsonNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';

/** Counts that are missing or no numbers are nothing. */
export function readUsageMetadata(node: JsonNode): GenerationUsage {
  const count = (name: string): number => {
    const value = node.get(name)?.scalar;
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
  };
  const reasoningTokens = count('thoughtsTokenCount');
  return {
    inputTokens: count('promptTokenCount') + count('toolUsePromptTokenCount'),
    outputTokens: count('candidatesTokenCount') + reasoningTokens,
    cachedInputTokens: count('cachedContentTokenCount'),
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens,
  };
}

/** Members in the API's own order; those that count nothing are left out, as it does. */
export function writeUsageMetadata(usage: GenerationUsage): JsonOut {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    totalTokenCount: inputTokens + outputTokens,
    cachedContentTokenCount: cachedInputTokens || undefined,
    thoughtsTokenCount: reasoningTokens || undefined,
  };
}

/** Counts and log probabilities of an answer. Source: OpenAI API reference, the response object: `usage`, `logprobs`. */
import type { GenerationUsage, TokenLogprob } from '../../domain/generation-event.ts';
import type { JsonNode } from '../hub/json-node.ts';

/** Undefined when there is none. Cached tokens are part of the input, thoughts of the output. */
export function readUsage(node: JsonNode | undefined): GenerationUsage | undefined {
  if (node?.kind !== 'object') return undefined;
  const input = node.get('input_tokens_details');
  return {
    inputTokens: count(node.get('input_tokens')),
    outputTokens: count(node.get('output_tokens')),
    cachedInputTokens: count(input?.get('cached_tokens')),
    cacheWriteTokens: count(input?.get('cache_write_tokens')),
    cacheWriteHourTokens: 0,
    reasoningTokens: count(node.get('output_tokens_details')?.get('reasoning_tokens')),
  };
}

function count(node: JsonNode | undefined): number {
  const value = node?.scalar;
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Undefined for none. */
export function readLogprobs(list: JsonNode | undefined): TokenLogprob[] | undefined {
  if (list === undefined || list.items.length === 0) return undefined;
  return list.items.map((item) => ({ ...tokenOf(item), top: (item.get('top_logprobs')?.items ?? []).map(tokenOf) }));
}

function tokenOf(node: JsonNode): { token: string; logprob: number; bytes: number[] | undefined } {
  const logprob = node.get('logprob')?.scalar;
  const bytes = node.get('bytes');
  return {
    token: node.get('token')?.string ?? '',
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: bytes?.kind === 'array' ? bytes.items.map(count) : undefined,
  };
}

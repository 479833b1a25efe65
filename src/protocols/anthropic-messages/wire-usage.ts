/**
 * Counts, both ways. The API's `input_tokens` leaves out what was read from a cache or written to one; the hub's
 * `inputTokens` are all of them. `output_tokens` holds the thoughts on both sides.
 * Source: Anthropic API reference, Messages, `usage`; prompt caching, tracking cache performance.
 */
import type { GenerationUsage } from '../../domain/generation-event.ts';
import type { JsonOut } from '../hub/json-text.ts';

/** What is counted; all else in the block (tiers, regions, server tools) has no place in the hub. */
const COUNTS: ReadonlySet<string> = new Set([
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation.ephemeral_5m_input_tokens',
  'cache_creation.ephemeral_1h_input_tokens',
  'output_tokens_details.thinking_tokens',
]);

/** The usage blocks of one stream, which are cumulative: each names what it knows, zero and null change nothing. */
export class UsageReader {
  readonly #counts = new Map<string, number>();

  /** False when the block says nothing new. */
  read(usage: unknown): boolean {
    const before = this.#counts.size === 0 ? undefined : JSON.stringify(this.usage);
    if (this.#isAllCached(usage)) this.#counts.set('input_tokens', 0);
    this.#readMembers(usage, '');
    return this.#counts.size > 0 && before !== JSON.stringify(this.usage);
  }

  get usage(): GenerationUsage {
    const count = (name: string): number => this.#counts.get(name) ?? 0;
    const hour = count('cache_creation.ephemeral_1h_input_tokens');
    const written = Math.max(
      count('cache_creation_input_tokens'),
      hour + count('cache_creation.ephemeral_5m_input_tokens'),
    );
    const cached = count('cache_read_input_tokens');
    return {
      inputTokens: count('input_tokens') + cached + written,
      outputTokens: count('output_tokens'),
      cachedInputTokens: cached,
      cacheWriteTokens: written - hour,
      cacheWriteHourTokens: hour,
      reasoningTokens: count('output_tokens_details.thinking_tokens'),
    };
  }

  /** What was counted as read anew turns out to be from the cache: here a zero is a count. */
  #isAllCached(usage: unknown): boolean {
    if (typeof usage !== 'object' || usage === null) return false;
    const { input_tokens: input, cache_read_input_tokens: cached } = usage as Readonly<Record<string, unknown>>;
    return input === 0 && typeof cached === 'number' && cached > (this.#counts.get('cache_read_input_tokens') ?? 0);
  }

  #readMembers(usage: unknown, prefix: string): void {
    if (typeof usage !== 'object' || usage === null) return;
    for (const [name, value] of Object.entries(usage)) {
      const key = prefix + name;
      if (prefix === '' && typeof value === 'object') this.#readMembers(value, `${name}.`);
      else if (COUNTS.has(key) && typeof value === 'number' && value >= 0) this.#set(key, value);
    }
  }

  /** A later zero is a server that does not repeat a count, not a count that went down. */
  #set(key: string, value: number): void {
    if (value > 0 || !this.#counts.has(key)) this.#counts.set(key, value);
  }
}

export function encodeUsage(usage: GenerationUsage): JsonOut {
  const { cachedInputTokens: cached, cacheWriteTokens: short, cacheWriteHourTokens: hour, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, usage.inputTokens - cached - short - hour),
    cache_creation_input_tokens: short + hour,
    cache_read_input_tokens: cached,
    cache_creation:
      short + hour > 0 ? { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: hour } : undefined,
    output_tokens: usage.outputTokens,
    output_tokens_details: reasoningTokens > 0 ? { thinking_tokens: reasoningTokens } : undefined,
  };
}

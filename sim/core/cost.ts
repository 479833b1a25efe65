/**
 * The price list of the simulated accelerator: how long one batch step takes.
 * Pure numbers; the scheduler asks, nobody else decides about time.
 */

/** What an engine's accelerator can do. Times in virtual ms, sizes in tokens. */
export interface CostModel {
  /** Prompt tokens computed per second. */
  readonly prefillTokensPerSecond: number;
  /** Most prompt tokens computed in one step, over all sequences (chunked prefill). */
  readonly prefillChunkTokens: number;
  /** Fixed part of a step that decodes at least one sequence. */
  readonly decodeBaseMs: number;
  /** Added to such a step per decoding sequence. */
  readonly decodePerSequenceMs: number;
  /** Most sequences in the batch; the others wait. */
  readonly maxRunning: number;
  /** KV cache capacity. */
  readonly kvTokens: number;
  /** Tokens per KV block, the grain of prefix sharing. */
  readonly blockSize: number;
}

/** Figures of a mid-size model on one accelerator; those of the original's mock worker. */
export const DEFAULT_COST: CostModel = {
  prefillTokensPerSecond: 8000,
  prefillChunkTokens: 2048,
  decodeBaseMs: 6,
  decodePerSequenceMs: 0.35,
  maxRunning: 256,
  kvTokens: 524_288,
  blockSize: 16,
};

/** Virtual ms of one step that computes `prefillTokens` and decodes one token for each of `decoding` sequences. */
export function stepMs(cost: CostModel, prefillTokens: number, decoding: number): number {
  const prefill = (prefillTokens * 1000) / cost.prefillTokensPerSecond;
  const decode = decoding > 0 ? cost.decodeBaseMs + cost.decodePerSequenceMs * decoding : 0;
  return prefill + decode;
}

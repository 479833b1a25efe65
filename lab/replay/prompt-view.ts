/**
 * How the gateway sees the prompts of a trace:
 *
 *   trace    in the trace's own blocks, tokens counted: what the policies are compared by
 *   tokens   as token ids: blocks of so many tokens, tokens counted
 *   text     as a body: blocks of 512 bytes, tokens estimated as a fourth of the bytes
 *
 * A trace has no texts: how many bytes a token has is drawn from the names of its blocks, another kind of text every 512
 * tokens, so that prompts that begin alike have the same bytes as far as they do.
 */
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import type { Trace, TraceCall } from '../trace/call.ts';

export type PromptView =
  | { readonly kind: 'trace' }
  | { readonly kind: 'tokens'; readonly tokensPerBlock: number }
  | { readonly kind: 'text' };

/** As the gateway cuts bodies (src/protocols/block-hasher.ts). */
const BLOCK_BYTES = 512;
const BYTES_PER_TOKEN = 4;
/** From dense code to plain prose; the mean is for what the trace gives no name. */
const TEXT_KINDS = [3, 3.6, 4.2, 4.8, 5.4];
const MEAN_BYTES = 4.2;
/** A kind of text goes on for so many tokens. */
const KIND_TOKENS = 512;

/** A prompt as it is seen, and the hash of its beginning. */
export interface SeenPrompt {
  readonly blocks: PromptBlocks;
  /** Blocks of the trace that hold the first `tokens` tokens, as the view counts tokens; at least one. */
  prefixBlocks(tokens: number): number;
}

export function seePrompt(call: TraceCall, trace: Trace, view: PromptView): SeenPrompt {
  if (view.kind === 'text') return asText(call, trace.blockSize);
  const size = view.kind === 'tokens' ? view.tokensPerBlock : trace.blockSize * trace.blocksPerHint;
  const blocks = coarser(call, trace.blockSize, size);
  const prefixSize = view.kind === 'tokens' ? trace.blockSize : size;
  return {
    blocks,
    prefixBlocks: (tokens) => Math.max(1, Math.ceil(tokens / prefixSize)) * (prefixSize / trace.blockSize),
  };
}

/** Blocks of the gateway that are larger than the engine's: every n-th word names the same beginning. */
function coarser({ words, promptBlocks, inputTokens }: TraceCall, blockSize: number, tokensPerBlock: number) {
  const ratio = tokensPerBlock / blockSize;
  if (!Number.isInteger(ratio))
    throw new RangeError(`the trace's blocks of ${blockSize} tokens make no ${tokensPerBlock}`);
  const count = Math.floor(promptBlocks / ratio);
  // The answer's blocks, which may follow, are not the policy's to see.
  if (ratio === 1) return { words: words.subarray(0, 2 * count), count, tokensPerBlock, tokens: inputTokens };
  const coarse = new Uint32Array(count * 2);
  for (let index = 0; index < count; index += 1) coarse.set(pairAt(words, (index + 1) * ratio - 1), 2 * index);
  return { words: coarse, count, tokensPerBlock, tokens: inputTokens };
}

/** A block of text is shared when the trace's block is in which its last byte stands. */
function asText({ words, promptBlocks, inputTokens }: TraceCall, blockSize: number): SeenPrompt {
  const ends = new Float64Array(promptBlocks);
  const found: number[] = [];
  let bytes = 0;
  for (let block = 0; block < promptBlocks; block += 1) {
    bytes += blockSize * bytesPerToken(words, block, blockSize);
    ends[block] = bytes;
    while ((found.length + 1) * BLOCK_BYTES <= bytes) found.push(block);
  }
  const coarse = new Uint32Array(2 * found.length);
  for (const [index, block] of found.entries()) {
    const [left, right] = pairAt(words, block);
    // Several blocks of text may end in one block of the trace.
    coarse.set([left, (right ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0], 2 * index);
  }
  bytes += (inputTokens - promptBlocks * blockSize) * MEAN_BYTES;
  const tokens = Math.max(1, Math.ceil(bytes / BYTES_PER_TOKEN));
  const tokensPerBlock = BLOCK_BYTES / BYTES_PER_TOKEN;
  const blocks = { words: coarse, count: found.length, tokensPerBlock, tokens };
  return { blocks, prefixBlocks: (wanted) => 1 + ends.filter((end) => end < wanted * BYTES_PER_TOKEN).length };
}

function bytesPerToken(words: Uint32Array, block: number, blockSize: number): number {
  const group = Math.max(1, Math.round(KIND_TOKENS / blockSize));
  const [left] = pairAt(words, block - (block % group));
  return TEXT_KINDS[left % TEXT_KINDS.length] ?? MEAN_BYTES;
}

function pairAt(words: Uint32Array, block: number): readonly [number, number] {
  return [words[2 * block] as number, words[2 * block + 1] as number];
}

/** A trace whose blocks are as small as the pages of engines, where it was written in larger ones. */
import type { Trace, TraceCall } from './call.ts';
import { chainWords } from './words.ts';

/** Tokens of one page of the KV cache, in SGLang's and vLLM's usual settings. */
export const PAGE_TOKENS = 16;

/**
 * The same calls, each block as the pages that it consists of: what shared a block shares all its pages, what did not
 * shares none. The rest of a prompt behind its last block, of which the trace tells nothing, is left as it is.
 * Throws RangeError when pages do not fit into the trace's blocks. Memory: 8 bytes for each page.
 */
export function inPages(trace: Trace, pageTokens = PAGE_TOKENS): Trace {
  const { blockSize } = trace;
  if (blockSize === pageTokens) return trace;
  if (blockSize % pageTokens !== 0) throw new RangeError(`blocks of ${blockSize} tokens are no pages of ${pageTokens}`);
  const calls = trace.calls.map((call) => inPagesOf(call, blockSize / pageTokens));
  return { ...trace, calls, blockSize: pageTokens, blocksPerHint: 1 };
}

function inPagesOf(call: TraceCall, pages: number): TraceCall {
  const { words, promptBlocks } = call;
  const fine = new Uint32Array(words.length * pages);
  for (let block = 0; block < words.length / 2; block += 1) {
    const name = (words[2 * block] as number) * 0x20_0000 + ((words[2 * block + 1] as number) >>> 11);
    fine.set(chainWords(Array.from({ length: pages }, () => name)), 2 * block * pages);
  }
  return { ...call, words: fine, promptBlocks: promptBlocks * pages };
}

/** The routing inputs of a call, from its trace instead of a body: what the gateway could know, and nothing more. */
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import type { Hints } from '../../src/routing/policy.ts';
import type { Trace, TraceCall } from '../trace/call.ts';

export const ROUTING_KEY_HEADER = 'x-smg-routing-key';

export class LabHints implements Hints {
  readonly model = 'model';
  readonly #call: TraceCall;
  readonly #blocks: PromptBlocks;
  readonly #routingKey: string | undefined;

  constructor(call: TraceCall, trace: Trace, sendsRoutingKey: boolean) {
    this.#call = call;
    this.#blocks = promptBlocksOf(call, trace);
    this.#routingKey = sendsRoutingKey && call.session !== undefined ? `session-${call.session}` : undefined;
  }

  header(name: string): string | undefined {
    return name === ROUTING_KEY_HEADER ? this.#routingKey : undefined;
  }

  blocks(): PromptBlocks {
    return this.#blocks;
  }

  /** As fine as the trace's blocks: the first block that covers `tokens`, or the last one that there is. */
  prefixHash(tokens: number): number {
    const { words, count, tokensPerBlock } = this.#blocks;
    const blocks = Math.min(count, Math.max(1, Math.ceil(tokens / tokensPerBlock)));
    // A prompt without a complete block shares nothing that the trace knows of.
    return (
      (blocks === 0
        ? Math.imul(this.#call.arrivedMs + 1, 0x9e3779b1) ^ this.#call.inputTokens
        : (words[2 * blocks - 2] as number)) >>> 0
    );
  }
}

/** The gateway's blocks may be larger than the engine's: every n-th word names the same beginning. */
function promptBlocksOf({ words, promptBlocks, inputTokens }: TraceCall, trace: Trace): PromptBlocks {
  const { blocksPerHint, blockSize } = trace;
  const tokensPerBlock = blockSize * blocksPerHint;
  if (blocksPerHint === 1) {
    // The answer's blocks, which may follow, are not the policy's to see.
    return { words: words.subarray(0, 2 * promptBlocks), count: promptBlocks, tokensPerBlock, tokens: inputTokens };
  }
  const count = Math.floor(promptBlocks / blocksPerHint);
  const coarse = new Uint32Array(count * 2);
  for (let index = 0; index < count; index++) {
    const last = (index + 1) * blocksPerHint - 1;
    coarse[2 * index] = words[2 * last] as number;
    coarse[2 * index + 1] = words[2 * last + 1] as number;
  }
  return { words: coarse, count, tokensPerBlock, tokens: inputTokens };
}

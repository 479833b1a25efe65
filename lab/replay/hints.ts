/** The routing inputs of a call, from its trace instead of a body: what the gateway could know, and nothing more. */
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import type { Hints } from '../../src/routing/policy.ts';
import type { Trace, TraceCall } from '../trace/call.ts';
import type { SeenPrompt } from './prompt-view.ts';
import { seePrompt } from './prompt-view.ts';
import type { Setting } from './setting.ts';

export const ROUTING_KEY_HEADER = 'x-smg-routing-key';

export class LabHints implements Hints {
  readonly model = 'model';
  readonly #call: TraceCall;
  readonly #seen: SeenPrompt;
  readonly #routingKey: string | undefined;

  constructor(call: TraceCall, trace: Trace, { sendsRoutingKey, promptView }: Setting) {
    this.#call = call;
    this.#seen = seePrompt(call, trace, promptView);
    this.#routingKey = sendsRoutingKey && call.session !== undefined ? `session-${call.session}` : undefined;
  }

  header(name: string): string | undefined {
    return name === ROUTING_KEY_HEADER ? this.#routingKey : undefined;
  }

  blocks(): PromptBlocks {
    return this.#seen.blocks;
  }

  /** As fine as the trace's blocks: the first block that covers `tokens`, or the last one that there is. */
  prefixHash(tokens: number): number {
    const { words, promptBlocks, arrivedMs, inputTokens } = this.#call;
    const blocks = Math.min(promptBlocks, this.#seen.prefixBlocks(tokens));
    // A prompt without a complete block shares nothing that the trace knows of.
    return (
      (blocks === 0 ? Math.imul(arrivedMs + 1, 0x9e3779b1) ^ inputTokens : (words[2 * blocks - 2] as number)) >>> 0
    );
  }
}

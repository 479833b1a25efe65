/** Token counts of all answers to the prompts of one request: a prompt counts once, whatever the number of its answers. */
import type { TextEvent } from './text-codec.ts';

type Finish = Extract<TextEvent, { type: 'finish' }>;

interface PromptCount {
  readonly tokens: number;
  readonly cached: number;
}

export class TextUsage {
  readonly #prompts = new Map<number, PromptCount>();
  completionTokens = 0;
  /** Undefined: the engine does not count them. */
  reasoningTokens: number | undefined = undefined;

  add({ prompt, promptTokens, cachedTokens, completionTokens, reasoningTokens }: Finish): void {
    const known = this.#prompts.get(prompt);
    // The second answer to a prompt finds in the cache what the first has put there: that saved nobody anything.
    const cached = Math.min(known?.cached ?? cachedTokens, cachedTokens);
    this.#prompts.set(prompt, { tokens: Math.max(known?.tokens ?? 0, promptTokens), cached });
    this.completionTokens += completionTokens;
    if (reasoningTokens !== undefined) this.reasoningTokens = (this.reasoningTokens ?? 0) + reasoningTokens;
  }

  get promptTokens(): number {
    return this.#sum(({ tokens }) => tokens);
  }

  get cachedTokens(): number {
    return this.#sum(({ cached }) => cached);
  }

  #sum(of: (count: PromptCount) => number): number {
    return [...this.#prompts.values()].reduce((sum, count) => sum + of(count), 0);
  }
}

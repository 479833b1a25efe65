/** The routing inputs of a call, made when a policy asks for them and kept for its retries. */
import type { Call } from '../domain/call.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Hints } from '../routing/policy.ts';

export class CallHints implements Hints {
  readonly model: string;
  readonly isStream: boolean;
  readonly #call: Call;
  readonly #protocol: Protocol;
  #blocks: PromptBlocks | undefined = undefined;

  constructor(call: Call, model: string, protocol: Protocol) {
    this.#call = call;
    this.model = model;
    this.isStream = call.stream;
    this.#protocol = protocol;
  }

  header(name: string): string | undefined {
    const value = this.#call.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  blocks(): PromptBlocks {
    this.#blocks ??= this.#protocol.readPrompt(this.#call.body, this.model);
    return this.#blocks;
  }

  prefixHash(tokens: number): number {
    return this.#protocol.hashPrefix(this.#call.body, this.model, tokens);
  }
}

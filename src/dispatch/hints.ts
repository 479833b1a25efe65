/** The routing inputs of a call, made when a policy asks for them and kept for its retries. */
import type { Call } from '../domain/call.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import type { TokenIds } from '../domain/tokenizer.ts';
import type { TokenReader } from '../pipeline/token-blocks.ts';
import { blocksOfTokens, hashPrefixOfTokens } from '../pipeline/token-blocks.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { Hints } from '../routing/policy.ts';

/** The tokens of a prompt, and the adapter that reads them. */
export interface PromptTokens {
  readonly ids: TokenIds;
  readonly adapter: string | undefined;
}

export class CallHints implements Hints {
  readonly model: string;
  readonly isStream: boolean;
  readonly #call: Call;
  readonly #protocol: Protocol;
  #blocks: PromptBlocks | undefined = undefined;
  #tokens: PromptTokens | undefined = undefined;

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

  /** From now on the prompt is these tokens, not the bytes that they were made of. */
  useTokens(tokens: PromptTokens): void {
    if (this.#tokens) return;
    this.#tokens = tokens;
    this.#blocks = undefined;
  }

  /** They are counted, not estimated. */
  get isExact(): boolean {
    return this.#tokens !== undefined;
  }

  blocks(): PromptBlocks {
    this.#blocks ??= this.#tokens
      ? blocksOfTokens(this.#tokens.ids, this.#reader)
      : this.#protocol.readPrompt(this.#call.body, this.model);
    return this.#blocks;
  }

  prefixHash(tokens: number): number {
    if (this.#tokens) return hashPrefixOfTokens(this.#tokens.ids, this.#reader, tokens);
    return this.#protocol.hashPrefix(this.#call.body, this.model, tokens);
  }

  /** What makes the same tokens another prompt. */
  get #reader(): TokenReader {
    return { model: this.model, adapter: this.#tokens?.adapter };
  }
}

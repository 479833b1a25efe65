/** What the engine will read of a body, as hashed blocks (see domain/prompt.ts). */
import { fnv1a } from '../domain/ids.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import type { Protocol } from './protocol.ts';

/** Which members of a body the engine reads. */
export interface PromptFields {
  /** In the order in which a chat template puts them before the model. */
  readonly content: readonly string[];
  /** Those that change what is computed for the same words, such as an adapter. */
  readonly salt: readonly string[];
}

export function promptReader(_fields: PromptFields): Pick<Protocol, 'readPrompt' | 'hashPrefix'> {
  return {
    readPrompt: (body, model): PromptBlocks => {
      const hash = fnv1a(model + body.toString('latin1'));
      return {
        words: new Uint32Array([hash, hash]),
        count: 1,
        tokensPerBlock: 128,
        tokens: Math.ceil(body.length / 4),
      };
    },
    hashPrefix: (body, model, tokens) => fnv1a(model + body.toString('latin1', 0, tokens * 4)),
  };
}

/** Prompts for tests of what is hashed in blocks: a text, one block for each of its letters. */
import { fnv1a } from '../../src/domain/ids.ts';
import type { PromptBlocks } from '../../src/domain/prompt.ts';

export const TOKENS_PER_BLOCK = 128;

/**
 * Texts that share their first n letters are prompts that share their first n blocks, if these are of one size. A rest of
 * a block comes behind.
 */
export function blocksOf(text: string, tokensPerBlock = TOKENS_PER_BLOCK): PromptBlocks {
  const salt = tokensPerBlock === TOKENS_PER_BLOCK ? '' : `${tokensPerBlock}`;
  const words = new Uint32Array(2 * text.length);
  for (let end = 1; end <= text.length; end += 1) {
    words[2 * end - 2] = fnv1a(`${salt}${text.slice(0, end)}`);
    words[2 * end - 1] = fnv1a(`${salt}${text.slice(0, end)}.`);
  }
  return { words, count: text.length, tokensPerBlock, tokens: tokensPerBlock * text.length + 1 };
}

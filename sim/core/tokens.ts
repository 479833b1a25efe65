/**
 * Pseudo tokens: four UTF-16 units are one token, and a text's blocks are hashed in a chain.
 * A block's hash covers everything before it, so equal hashes mean equal prefixes.
 * Because an answer's tokens are also four units long, a finished turn is a true prefix of the next turn's prompt.
 */

import type { CostModel } from './cost.ts';

/** UTF-16 units per pseudo token. */
export const UNITS_PER_TOKEN = 4;

/** A prompt (and perhaps its answer) as the scheduler sees it. */
export interface TokenCount {
  /** Tokens of the prompt, at least 1. */
  readonly promptTokens: number;
  /** Chain hashes of the complete blocks of prompt + answer, first to last. */
  readonly blocks: readonly number[];
  /** How many of `blocks` lie wholly in the prompt. */
  readonly promptBlocks: number;
}

/** Tokens of a text. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / UNITS_PER_TOKEN));
}

/** Token ids as text of exactly one token each, so that they share the text's counting and hashing. */
export function textOfTokenIds(ids: readonly number[]): string {
  let text = '';
  for (const id of ids) text += (id >>> 0).toString(36).padStart(UNITS_PER_TOKEN, '0').slice(-UNITS_PER_TOKEN);
  return text;
}

/**
 * Counts and hashes a prompt and the answer it will get.
 * `salt` keeps prefixes of different models (or cache salts) apart. Cost: O(length) once; ~10 ms for 5 MB.
 */
export function readTokens(prompt: string, answer: string, cost: CostModel, salt = ''): TokenCount {
  const unitsPerBlock = cost.blockSize * UNITS_PER_TOKEN;
  return {
    promptTokens: countTokens(prompt),
    blocks: chainBlocks(prompt + answer, unitsPerBlock, salt),
    promptBlocks: Math.floor(prompt.length / unitsPerBlock),
  };
}

/** Two 32-bit lanes make one 53-bit number: collisions stay out of sight and Map keys stay numbers. */
function chainBlocks(text: string, unitsPerBlock: number, salt: string): readonly number[] {
  const blocks: number[] = [];
  let high = 0x811c9dc5;
  let low = 0x9e3779b9;
  for (let index = 0; index < salt.length; index++) {
    high = Math.imul(high ^ salt.charCodeAt(index), 0x01000193);
    low = Math.imul(low ^ salt.charCodeAt(index), 0x85ebca6b);
  }
  for (let index = 0, left = unitsPerBlock; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul((low << 5) ^ (low >>> 27) ^ unit, 0x85ebca6b);
    if (--left > 0) continue;
    left = unitsPerBlock;
    blocks.push((high >>> 0) * 0x20_0000 + (low >>> 11));
  }
  return blocks;
}

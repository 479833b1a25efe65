/**
 * Signatures that Gemini puts on calls and on text. Blocks of this API have no place for them, so that the client gets
 * them in a block of thought beside and sends them back with its history:
 *
 *   on a call   `redacted_thinking` before the `tool_use`
 *   on text     `thinking` without text after the text
 *
 * Both hold the carried form of hub/carried-signature.ts, which no model of Anthropic's ever makes.
 */
import type { Part, ReasoningPart, Signature } from '../../domain/generation.ts';
import { carrySignature, readSignature } from '../hub/carried-signature.ts';

/** What carried signatures begin with; no value that Anthropic makes does. */
const MARK = 'smg.';
/** In place of the signature of a thought that has none: Anthropic would refuse an empty one. */
const UNSIGNED = `${MARK}unsigned`;
/** `encrypted_index` of a citation that another provider made. */
export const FOREIGN_CITATION = `${MARK}citation`;

/** What to write as `signature` or `data`. */
export function writeProof(signature: Signature | undefined): string {
  return signature ? carrySignature(signature, 'anthropic') : UNSIGNED;
}

/** What was written there: undefined when there is no proof. */
export function readProof(text: string | undefined): Signature | undefined {
  return text === undefined || text === '' || text === UNSIGNED ? undefined : readSignature(text, 'anthropic');
}

/** Is it one that travels beside its part? */
export function isMark(signature: Signature): boolean {
  return signature.origin === 'gemini';
}

/** Puts the marks back on the parts that they belong to; the blocks that carried them are gone. */
export function withMarksOnParts(parts: readonly Part[]): Part[] {
  const kept: Part[] = [];
  for (const part of parts) {
    const before = kept.at(-1);
    if (part.type === 'tool_call' && before && isMarkOf(before, true)) {
      kept[kept.length - 1] = { ...part, signature: before.signature };
    } else if (before?.type === 'text' && isMarkOf(part, false)) {
      kept[kept.length - 1] = { ...before, signature: part.signature };
    } else kept.push(part);
  }
  return kept;
}

function isMarkOf(part: Part, isCall: boolean): part is ReasoningPart {
  if (part.type !== 'reasoning' || part.signature === undefined || part.text !== '') return false;
  return isMark(part.signature) && part.isRedacted === isCall;
}

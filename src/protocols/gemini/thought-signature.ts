/**
 * `thoughtSignature` of a part. For Gemini's clients it is free-form text that they send back as it came, so the
 * signatures of other providers travel in it, and with them what their thoughts have beside it: that they came
 * encrypted whole, their id in Responses.
 */
import type { ReasoningPart, Signature } from '../../domain/generation.ts';
import { carrySignature, readSignature } from '../hub/carried-signature.ts';
import { parseNode } from '../hub/json-node.ts';
import { isObjectText, jsonText } from '../hub/json-text.ts';

/**
 * Takes the place of a signature where the model wants one and there is none.
 * Source: Gemini API documentation, thought signatures, questions: for calls that another model made.
 */
export const SKIP_VALIDATION = 'skip_thought_signature_validator';

/** What a thought is beside its text. */
export type ThoughtMarks = Pick<ReasoningPart, 'signature' | 'isRedacted' | 'itemId'>;

/** Before a value that is no signature alone. No provider's signature has a colon. */
const MARKED = 'thought:';

/** Of any provider, for Gemini's clients. */
export function writeSignature(signature: Signature): string {
  return carrySignature(signature, 'gemini');
}

/** Gemini's own, or the one of another provider that was carried in its place. */
export function readPartSignature(text: string | undefined): Signature | undefined {
  return text === undefined ? undefined : readSignature(text, 'gemini');
}

/** Undefined when there is nothing to carry. */
export function writeThoughtMarks({ signature, isRedacted, itemId }: ThoughtMarks): string | undefined {
  if (!signature) return undefined;
  if (signature.origin === 'gemini' || (!isRedacted && itemId === undefined)) return writeSignature(signature);
  const marks = jsonText({ value: signature.value, isRedacted, itemId });
  return carrySignature({ origin: signature.origin, value: `${MARKED}${marks}` }, 'gemini');
}

/** The opposite of `writeThoughtMarks`. */
export function readThoughtMarks(text: string | undefined): ThoughtMarks {
  const signature = readPartSignature(text);
  const plain = { signature, isRedacted: false, itemId: undefined };
  if (!signature || signature.origin === 'gemini' || !signature.value.startsWith(MARKED)) return plain;
  const marks = signature.value.slice(MARKED.length);
  if (!isObjectText(marks)) return plain;
  const node = parseNode(marks);
  const value = node.get('value')?.string;
  if (value === undefined) return plain;
  const isRedacted = node.get('isRedacted')?.text === 'true';
  return { signature: { origin: signature.origin, value }, isRedacted, itemId: node.get('itemId')?.string };
}

/**
 * Gemini's reasons for the end of a candidate and of a prompt, and the hub's.
 * Source: Gemini API reference, generating content, `FinishReason` and `BlockReason`; the official SDK's enums.
 */
import type { FinishReason } from '../../domain/generation-event.ts';
import type { Warnings } from '../hub/object-reader.ts';

/** The content was held back. */
const FILTERS: ReadonlySet<string> = new Set([
  ...['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR', 'JAILBREAK'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'],
]);

/** The model went wrong or stopped without more to say: what there is stands, and the word goes along. */
const OTHERS: ReadonlySet<string> = new Set([
  ...['OTHER', 'MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'],
  ...['MISSING_THOUGHT_SIGNATURE', 'NO_IMAGE', 'IMAGE_OTHER', 'CONTINUATION', 'FINISH_REASON_UNSPECIFIED'],
]);

/** `detail`: the provider's own word where it says more. */
export interface Finish {
  readonly reason: FinishReason;
  readonly detail: string | undefined;
}

/** Gemini says STOP after calls too. A reason that is not known yet is an end with that word. */
export function readFinish(word: string, hasCalls: boolean): Finish {
  if (word === 'STOP') return { reason: hasCalls ? 'tool_calls' : 'stop', detail: undefined };
  if (word === 'MAX_TOKENS') return { reason: 'length', detail: undefined };
  return { reason: FILTERS.has(word) ? 'content_filter' : 'stop', detail: word };
}

/** A word of Gemini's that came along is kept. */
export function writeFinish({ reason, detail }: Finish, warnings: Warnings): string {
  if (detail !== undefined && (OTHERS.has(detail) || FILTERS.has(detail))) return detail;
  switch (reason) {
    case 'length':
      return 'MAX_TOKENS';
    case 'context_exceeded':
      warnings.changed('finishReason', 'becomes MAX_TOKENS: the context was full');
      return 'MAX_TOKENS';
    case 'refusal':
    case 'content_filter':
      return 'SAFETY';
    case 'pause':
      warnings.changed('finishReason', 'becomes STOP: the model paused and would go on');
      return 'STOP';
    default:
      return 'STOP';
  }
}

/** Words of the Messages API that more than one file of this folder needs. Source: Anthropic API reference, Messages. */
import type { FinishReason } from '../../domain/generation-event.ts';
import type { CacheMark, JsonText } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { IdRule } from '../hub/tool-ids.ts';

/** Blocks, tools and fields that only this API has bear this as their origin. */
export const NATIVE_ORIGIN = 'anthropic-messages';

/** The pattern that the API's error names; a length is nowhere given. */
export const TOOL_ID_RULE: IdRule = { maxLength: 256, pattern: /^[a-zA-Z0-9_-]+$/ };

export const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** Breakpoints that one request may have. */
export const MAX_CACHE_MARKS = 4;

export const NO_ARGUMENTS: JsonText = '{}';

export function cacheControl(mark: CacheMark): JsonOut {
  return { type: 'ephemeral', ttl: mark.ttl };
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop_sequence',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'refusal',
  pause_turn: 'pause',
  model_context_window_exceeded: 'context_exceeded',
};

const STOP: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  refusal: 'refusal',
  content_filter: 'refusal',
  pause: 'pause_turn',
  context_exceeded: 'model_context_window_exceeded',
};

/** A reason that is not known is a normal end, with the word as its detail. */
export function finishOf(stopReason: string): FinishReason {
  return Object.hasOwn(FINISH, stopReason) ? (FINISH[stopReason] ?? 'stop') : 'stop';
}

export function isKnownStop(stopReason: string): boolean {
  return Object.hasOwn(FINISH, stopReason);
}

export function stopReasonOf(reason: FinishReason): string {
  return STOP[reason];
}

/**
 * Why an answer ended, both ways. `native_finish_reason` is where OpenRouter keeps the model's own word, `stop_reason`
 * (vLLM) and `matched_stop` (SGLang) the sequence that stopped it; both are written.
 * Source: OpenAI, DeepSeek, Mistral and OpenRouter API references; response models of vLLM and SGLang.
 */
import type { FinishReason } from '../../domain/generation-event.ts';
import type { Members } from './wire-values.ts';
import { textOf } from './wire-values.ts';

export interface Finish {
  readonly reason: FinishReason;
  readonly stopSequence: string | undefined;
  readonly detail: string | undefined;
}

/** What the choice has said, which some reasons depend on. */
export interface Said {
  readonly hasCalls: boolean;
  readonly hasText: boolean;
  readonly hasRefusal: boolean;
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'context_exceeded'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['refusal', 'refusal'],
  ['stop_sequence', 'stop_sequence'],
]);

/** Words of models that say more than the reason beside them. */
const NATIVE_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['pause_turn', 'pause'],
  ['refusal', 'refusal'],
  ['model_context_window_exceeded', 'context_exceeded'],
]);

/** Reasons that are failures of the worker. */
const FAILURES: ReadonlySet<string> = new Set(['error', 'abort', 'insufficient_system_resource']);

export function isFailure(word: string): boolean {
  return FAILURES.has(word);
}

/** The finish of a choice that has given a reason. */
export function readFinish(choice: Members, said: Said): Finish {
  const word = textOf(choice['finish_reason']);
  const native = textOf(choice['native_finish_reason']);
  const stopSequence = stopOf(choice);
  const told = NATIVE_REASONS.get(native) ?? REASONS.get(word);
  const detail = told === 'content_filter' && native !== '' ? native : told === undefined ? word : undefined;
  return { reason: reasonOf(told ?? 'stop', stopSequence, said), stopSequence, detail };
}

/** Several servers say `stop` whatever it was that ended the answer. */
function reasonOf(reason: FinishReason, stopSequence: string | undefined, said: Said): FinishReason {
  if (reason !== 'stop') return reason;
  if (said.hasCalls) return 'tool_calls';
  if (said.hasRefusal && !said.hasText) return 'refusal';
  return stopSequence === undefined ? 'stop' : 'stop_sequence';
}

function stopOf(choice: Members): string | undefined {
  const stop = choice['stop_reason'] ?? choice['matched_stop'];
  return typeof stop === 'string' && stop !== '' ? stop : undefined;
}

const WORDS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
  content_filter: 'content_filter',
  pause: 'stop',
  context_exceeded: 'length',
};

const NATIVE_WORDS: Partial<Readonly<Record<FinishReason, string>>> = {
  refusal: 'refusal',
  pause: 'pause_turn',
  context_exceeded: 'model_context_window_exceeded',
};

export interface FinishMembers {
  readonly finish_reason: string;
  readonly stop_reason: string | undefined;
  readonly matched_stop: string | undefined;
  readonly native_finish_reason: string | undefined;
}

/** With a refusal told in its own field the answer ends as OpenAI's do, with `stop`. */
export function writeFinish({ reason, stopSequence, detail }: Finish, hasRefusal: boolean): FinishMembers {
  const isRefused = reason === 'refusal' && hasRefusal;
  return {
    finish_reason: isRefused ? 'stop' : WORDS[reason],
    stop_reason: stopSequence,
    matched_stop: stopSequence,
    native_finish_reason: detail ?? (isRefused ? undefined : NATIVE_WORDS[reason]),
  };
}

/**
 * Chat completions as OpenAI words them: whole and as chunks.
 *
 *   role, [thought], text pieces or refusal pieces, calls (id and name first, then fragments), finish, [usage], [DONE]
 *
 * Source: OpenAI API reference, "The chat completion object" and "The chat completion chunk object".
 */

import { DONE_FRAME, dataFrame } from '../../api/openai-frames.ts';
import { type JsonRecord, numberOf, recordOf } from '../../json.ts';
import type { ProviderCall, Worded } from '../dialect.ts';
import type { Plan, PlannedUsage } from '../plan.ts';
import { piecesOf } from '../play.ts';
import { openaiErrorBody } from './errors.ts';
import type { ChatProfile } from './profile.ts';

/** What an answer is made of. */
interface ChatAnswer {
  readonly plan: Plan;
  readonly profile: ChatProfile;
  readonly body: JsonRecord;
  readonly head: JsonRecord;
  /** Call ids, one list per choice. */
  readonly callIds: readonly (readonly string[])[];
}

/** Words a plan. */
export function wordChat(call: ProviderCall, plan: Plan, profile: ChatProfile): Worded {
  const choices = numberOf(call.body['n']) ?? 1;
  const head = { created: Math.floor(Date.now() / 1000), model: plan.model, service_tier: 'default' };
  const answer: ChatAnswer = {
    plan,
    profile,
    body: call.body,
    head: { id: call.newId('chatcmpl-'), ...head, system_fingerprint: 'fp_simulated' },
    callIds: Array.from({ length: choices }, () => plan.calls.map(() => call.newId('call_'))),
  };
  return {
    whole: wordWhole(answer),
    frames: wordFrames(answer),
    errorFrames: (message, status) => [dataFrame(openaiErrorBody({ status, message }))],
  };
}

/** Finish reasons of chat completions. */
export function chatFinish(plan: Plan): string {
  if (plan.isBlocked) return 'content_filter';
  const reasons = { stop: 'stop', length: 'length', calls: 'tool_calls', refusal: 'stop', pause: 'stop' } as const;
  return plan.finish === 'stop_sequence' ? 'stop' : reasons[plan.finish];
}

/** The usage object: the prompt includes the cached part, completion includes reasoning. */
export function chatUsage(usage: PlannedUsage, choices: number): JsonRecord {
  const completion = usage.output * choices + usage.reasoning;
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: completion,
    total_tokens: usage.prompt + completion,
    prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The citation that `#cite` gives an answer: it covers the whole text. */
export function urlCitation(text: string): JsonRecord {
  return { start_index: 0, end_index: text.length, url: 'https://example.com/source', title: 'A source' };
}

function textOf(plan: Plan, choice: number): string {
  return choice === 0 ? plan.text : `${plan.text} (${choice})`;
}

function wordWhole(answer: ChatAnswer): unknown {
  const { plan, profile, body, head, callIds } = answer;
  const thought = profile.reasoningField === undefined ? {} : { [profile.reasoningField]: plan.thought ?? null };
  const choices = callIds.map((ids, index) => {
    const text = plan.refusal !== undefined || plan.isBlocked || plan.text === '' ? null : textOf(plan, index);
    const calls = plan.calls.length === 0 ? {} : { tool_calls: plan.calls.map((_call, at) => wordCall(plan, ids, at)) };
    const annotations = plan.hasCitation ? [{ type: 'url_citation', url_citation: urlCitation(text ?? '') }] : [];
    const message = {
      role: 'assistant',
      content: text,
      ...thought,
      refusal: plan.refusal ?? null,
      annotations,
      ...calls,
    };
    return { index, message, logprobs: wordLogprobs(body, text ?? ''), finish_reason: chatFinish(plan) };
  });
  return { ...head, object: 'chat.completion', choices, usage: chatUsage(plan.usage, callIds.length) };
}

function wordCall(plan: Plan, ids: readonly string[], at: number): JsonRecord {
  const { name, argumentsText } = plan.calls[at] ?? { name: '', argumentsText: '' };
  return { id: ids[at], type: 'function', function: { name, arguments: argumentsText } };
}

function wordFrames(answer: ChatAnswer): readonly string[] {
  const { plan, profile, body, callIds } = answer;
  const frames: string[] = [];
  if (profile.hasPromptFilter) {
    frames.push(dataFrame({ ...answer.head, id: '', model: '', object: '', choices: [], prompt_filter_results: [] }));
  }
  if (plan.hasPings) frames.push(': ping\n\n');
  callIds.forEach((ids, index) => frames.push(...choiceFrames(answer, ids, index)));
  if (recordOf(body['stream_options'])['include_usage'] === true) {
    frames.push(dataFrame({ ...chunkHead(answer), choices: [], usage: chatUsage(plan.usage, callIds.length) }));
  }
  if (plan.hasPings) frames.push(': ping\n\n');
  return [...frames, DONE_FRAME];
}

function chunkHead(answer: ChatAnswer): JsonRecord {
  return { ...answer.head, object: 'chat.completion.chunk' };
}

function choiceFrames(answer: ChatAnswer, ids: readonly string[], index: number): readonly string[] {
  const { plan, profile, body } = answer;
  const usage = recordOf(body['stream_options'])['include_usage'] === true ? { usage: null } : {};
  const chunk = (delta: JsonRecord, finish: string | null = null, text?: string) =>
    dataFrame({
      ...chunkHead(answer),
      choices: [
        { index, delta, logprobs: text === undefined ? null : wordLogprobs(body, text), finish_reason: finish },
      ],
      ...usage,
    });
  const frames = [chunk({ role: 'assistant', content: plan.text === '' ? null : '', refusal: null })];
  const { reasoningField: field } = profile;
  if (field !== undefined) frames.push(...piecesOf(plan.thought ?? '').map((text) => chunk({ [field]: text })));
  if (plan.hasPings) frames.push(': ping\n\n');
  if (plan.hasUnknown) frames.push(dataFrame({ ...chunkHead(answer), choices: [], sim_unknown: { any: 'thing' } }));
  if (plan.refusal !== undefined && !plan.isBlocked) {
    frames.push(...piecesOf(plan.refusal).map((refusal) => chunk({ refusal })));
  }
  frames.push(
    ...piecesOf(plan.text === '' ? '' : textOf(plan, index)).map((text) => chunk({ content: text }, null, text)),
  );
  if (plan.hasCitation) {
    frames.push(chunk({ annotations: [{ type: 'url_citation', url_citation: urlCitation(plan.text) }] }));
  }
  plan.calls.forEach((call, at) => {
    const first = { index: at, ...wordCall(plan, ids, at), function: { name: call.name, arguments: '' } };
    frames.push(chunk({ tool_calls: [first] }));
    for (const text of piecesOf(call.argumentsText)) {
      frames.push(chunk({ tool_calls: [{ index: at, function: { arguments: text } }] }));
    }
  });
  return [...frames, chunk({}, chatFinish(plan))];
}

/** Log probabilities of a text, piece by piece; null unless asked for. */
function wordLogprobs(body: JsonRecord, text: string): unknown {
  if (body['logprobs'] !== true) return null;
  const top = numberOf(body['top_logprobs']) ?? 0;
  return { content: piecesOf(text).map((token) => tokenLogprob(token, top)), refusal: null };
}

/** One token with its alternatives, the chosen one first. */
export function tokenLogprob(token: string, top: number): JsonRecord {
  const entry = (text: string, logprob: number) => ({ token: text, logprob, bytes: [...Buffer.from(text)] });
  const others = Array.from({ length: top }, (_unused, rank) => entry(rank === 0 ? token : `alt${rank}`, -0.25 - rank));
  return { ...entry(token, -0.25), top_logprobs: others };
}

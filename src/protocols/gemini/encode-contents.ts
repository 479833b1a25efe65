/**
 * The turns of a conversation as `systemInstruction` and `contents`: system prompts lifted, user and model by turns,
 * results of functions together and first in what follows their calls, thoughts and signatures only where they are
 * Gemini's own.
 * Source: Gemini API documentation, function calling and thought signatures.
 */
import type { GenerationRequest, Part, Turn } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { PartWriting, WirePart } from './encode-parts.ts';
import { encodeAssistantPart, encodeText, encodeUserPart } from './encode-parts.ts';
import type { ModelFamily } from './model-family.ts';
import { SKIP_VALIDATION } from './thought-signature.ts';

interface Content {
  readonly role: 'user' | 'model';
  parts: WirePart[];
}

/** The two places of a conversation. */
export interface Contents {
  readonly systemInstruction: JsonOut | undefined;
  readonly contents: JsonOut;
}

/** Throws `invalid_request` for a result of a function that nobody called. */
export function encodeContents(
  request: GenerationRequest,
  { target, family }: { readonly target: EncodeTarget; readonly family: ModelFamily },
  warnings: Warnings,
): Contents {
  const writing: PartWriting = {
    target,
    family,
    warnings,
    names: namesOf(request.turns),
    thoughts: target.provider?.thoughts ?? 'gemini',
  };
  const system = systemParts(request.turns, writing);
  const contents: Content[] = [];
  for (const [index, turn] of request.turns.entries()) {
    if (turn.name !== undefined) warnings.lost(`turns[${index}].name`, 'has no place in this API');
    if (!isSystem(turn)) append(contents, contentOf(turn, `turns[${index}]`, writing));
  }
  for (const content of contents) if (content.role === 'user') resultsFirst(content, warnings);
  if (family.isSigned) signCurrentTurn(contents, warnings);
  endWithUser(contents, warnings);
  beginWithUser(contents, warnings);
  return {
    systemInstruction: system.length > 0 ? { parts: system } : undefined,
    contents: contents.map(({ role, parts }) => ({ role, parts: parts.map(({ json }) => json) })),
  };
}

function isSystem({ role }: Turn): boolean {
  return role === 'system' || role === 'developer';
}

/** The function that each call named: results need it. */
function namesOf(turns: readonly Turn[]): ReadonlyMap<string, string> {
  const calls = turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_call' ? [part] : [])));
  return new Map(calls.map(({ callId, name }) => [callId, name]));
}

function systemParts(turns: readonly Turn[], writing: PartWriting): JsonOut[] {
  const firstOther = turns.findIndex((turn) => !isSystem(turn));
  return turns.flatMap((turn, index) => {
    if (!isSystem(turn)) return [];
    if (firstOther >= 0 && index > firstOther)
      writing.warnings.changed(`turns[${index}]`, 'moves to the system instruction, before the conversation');
    return turn.parts.flatMap((part, at) => systemPart(part, `turns[${index}].parts[${at}]`, writing));
  });
}

function systemPart(part: Part, path: string, writing: PartWriting): JsonOut[] {
  if (part.type === 'text') return encodeText(part, path, writing).map(({ json }) => json);
  writing.warnings.lost(path, 'is not text, as a system instruction has to be');
  return [];
}

function contentOf(turn: Turn, path: string, writing: PartWriting): Content {
  const role = turn.role === 'assistant' ? 'model' : 'user';
  const encode = role === 'model' ? encodeAssistantPart : encodeUserPart;
  const parts = turn.parts.flatMap((part, at) => {
    const place = { path: `${path}.parts[${at}]`, next: turn.parts[at + 1], before: turn.parts[at - 1] };
    return encode(part, place, writing);
  });
  return { role, parts };
}

/** Turns of one side that follow each other become one. */
function append(contents: Content[], content: Content): void {
  if (content.parts.length === 0) return;
  const last = contents.at(-1);
  if (last?.role !== content.role) contents.push(content);
  else for (const part of content.parts) last.parts.push(part);
}

/** Their number is compared with that of the calls before them. */
function resultsFirst(content: Content, warnings: Warnings): void {
  const { parts } = content;
  const results = parts.filter(({ kind }) => kind === 'result');
  const others = parts.filter(({ kind }) => kind !== 'result');
  const isInOrder = parts.every((part, index) => (part.kind === 'result') === index < results.length);
  if (isInOrder) return;
  if (others.some(({ isHoisted }) => !isHoisted))
    warnings.changed('turns', 'have results of functions after other content of the user: the results go first');
  content.parts = [...results, ...others];
}

/** Gemini does not go on with words that are put in its mouth. */
function endWithUser(contents: Content[], warnings: Warnings): void {
  const last = contents.at(-1);
  if (last && (last.role === 'user' || last.parts.some(({ kind }) => kind === 'call'))) return;
  const what = last ? "end with the model's words" : 'hold nothing to answer';
  warnings.changed('turns', `${what}: a blank of the user follows`);
  contents.push({ role: 'user', parts: [{ kind: 'other', json: { text: ' ' } }] });
}

/** A call must follow what somebody else said, who may have said nothing that can be sent. */
function beginWithUser(contents: Content[], warnings: Warnings): void {
  const [first] = contents;
  if (first?.role !== 'model' || !first.parts.some(({ kind }) => kind === 'call')) return;
  warnings.changed('turns', 'begin with a call of the model: a blank of the user stands before it');
  contents.unshift({ role: 'user', parts: [{ kind: 'other', json: { text: ' ' } }] });
}

/**
 * Of each step since the user last spoke, the first call has to be signed, or the request is refused. A call that
 * another model made has no signature of Gemini's.
 */
function signCurrentTurn(contents: readonly Content[], warnings: Warnings): void {
  const spoken = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && !parts.some(({ kind }) => kind === 'result'),
  );
  for (const { parts } of contents.slice(spoken + 1)) {
    const index = parts.findIndex(({ kind }) => kind === 'call');
    const call = parts[index];
    if (!call || call.isSigned) continue;
    warnings.changed(call.path ?? 'turns', 'has no signature of Gemini: it is sent with the one that skips the check');
    parts[index] = { ...call, json: { ...call.members, thoughtSignature: SKIP_VALIDATION } };
  }
}

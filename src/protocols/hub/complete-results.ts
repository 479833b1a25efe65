/**
 * Calls of tools and their results, as every API but some engines wants them: each call is answered once, before
 * anything else is said. Users who interrupt an agent leave calls open, and histories that were cut leave results whose
 * call is gone: the first are answered with an error, the others become text.
 * Cost  one pass over the parts; the same request when all is well
 */
import type {
  GenerationRequest,
  Part,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  TranslationWarning,
  Turn,
} from '../../domain/generation.ts';
import { Warnings } from './object-reader.ts';

const NO_RESULT = 'No result was given.';

interface OpenCall {
  readonly part: ToolCallPart;
  readonly field: string;
}

/** What follows the assistant, up to its next turn. */
interface Segment {
  readonly turns: readonly Turn[];
  /** Index of the first of them. */
  readonly from: number;
}

export interface CompletedRequest {
  readonly request: GenerationRequest;
  readonly warnings: readonly TranslationWarning[];
}

export function completeResults(request: GenerationRequest): CompletedRequest {
  if (!request.turns.some(isAboutTools)) return { request, warnings: [] };
  const warnings = new Warnings();
  const turns: Turn[] = [];
  let open: OpenCall[] = [];
  for (let at = 0; at < request.turns.length; ) {
    const assistants = runOf(request.turns, at, true);
    open = assistants.flatMap((turn, index) => callsOf(turn, at + index));
    const from = at + assistants.length;
    const others = runOf(request.turns, from, false);
    turns.push(...joined(assistants, at, warnings), ...completeSegment({ turns: others, from }, open, warnings));
    at = from + others.length;
  }
  return warnings.list.length === 0
    ? { request, warnings: [] }
    : { request: { ...request, turns }, warnings: warnings.list };
}

/** Native parts may be calls and results of an API's own. */
function isAboutTools({ parts }: Turn): boolean {
  return parts.some(({ type }) => type === 'tool_call' || type === 'tool_result' || type === 'native');
}

function runOf(turns: readonly Turn[], from: number, isAssistant: boolean): readonly Turn[] {
  const end = turns.findIndex(({ role }, index) => index >= from && (role === 'assistant') !== isAssistant);
  return turns.slice(from, end < 0 ? turns.length : end);
}

/** Calls before the last of the assistant's turns could not be answered where they stand. */
function joined(turns: readonly Turn[], from: number, warnings: Warnings): readonly Turn[] {
  const first = turns.findIndex((turn) => callsOf(turn, 0).length > 0);
  const [opening, ...more] = turns.slice(Math.max(0, first));
  if (first < 0 || !opening || more.length === 0) return turns;
  warnings.changed(`turns[${from + first}]`, 'has calls and is followed by more of the assistant: both are one turn');
  const parts = [opening, ...more].flatMap((turn) => turn.parts);
  return [...turns.slice(0, first), { ...opening, parts, isPlain: false }];
}

function callsOf({ parts }: Turn, index: number): OpenCall[] {
  return parts.flatMap((part, at) =>
    part.type === 'tool_call' ? [{ part, field: `turns[${index}].parts[${at}]` }] : [],
  );
}

function completeSegment(segment: Segment, calls: readonly OpenCall[], warnings: Warnings): readonly Turn[] {
  const results = new Map<string, ToolResultPart>();
  const wanted = new Set(calls.map(({ part }) => part.callId));
  const rest = segment.turns.flatMap((turn, index) => {
    const parts = turn.parts.flatMap((part, at): readonly Part[] => {
      if (part.type !== 'tool_result') return [part];
      if (wanted.has(part.callId) && !results.has(part.callId)) {
        results.set(part.callId, part);
        return [];
      }
      warnings.changed(
        `turns[${segment.from + index}].parts[${at}]`,
        'is a result without its call before it and is sent as text',
      );
      return asText(part);
    });
    return parts.length === 0 ? [] : [withParts(turn, parts)];
  });
  const missing = calls.filter(({ part }) => !results.has(part.callId));
  for (const { field } of missing)
    warnings.changed(field, 'is a call without a result, so that it is answered with an error');
  const isLate = !areFirst(segment.turns);
  if (isLate && results.size > 0)
    warnings.changed(`turns[${segment.from}]`, 'stands between calls and their results: the results go first');
  const isAsItWas = missing.length === 0 && results.size + countOthers(segment) === countParts(segment) && !isLate;
  if (isAsItWas) return segment.turns;
  const answers = [...results.values(), ...missing.map(({ part }) => missingResult(part))];
  return answers.length === 0 ? rest : [{ role: 'tool', parts: answers, isPlain: true, name: undefined }, ...rest];
}

/** Does nothing stand before a result but results? */
function areFirst(turns: readonly Turn[]): boolean {
  const kinds = turns.flatMap(({ role, parts }) =>
    parts.map((part) => part.type === 'tool_result' || (role === 'tool' && part.type === 'native')),
  );
  return !kinds.includes(false) || !kinds.slice(kinds.indexOf(false)).includes(true);
}

function countParts({ turns }: Segment): number {
  return turns.reduce((sum, { parts }) => sum + parts.length, 0);
}

function countOthers({ turns }: Segment): number {
  return turns.reduce((sum, { parts }) => sum + parts.filter(({ type }) => type !== 'tool_result').length, 0);
}

function withParts(turn: Turn, parts: readonly Part[]): Turn {
  if (parts.length === turn.parts.length && parts.every((part, at) => part === turn.parts[at])) return turn;
  const isNative = parts.every(({ type }) => type === 'native');
  return { ...turn, role: turn.role === 'tool' && !isNative ? 'user' : turn.role, parts, isPlain: false };
}

function asText({ name, callId, isError, parts }: ToolResultPart): readonly Part[] {
  return [textPart(`Result of tool call ${name ?? callId}${isError ? ' (failed)' : ''}:`), ...parts];
}

function missingResult({ callId, name }: ToolCallPart): ToolResultPart {
  return {
    type: 'tool_result',
    callId,
    name,
    parts: [textPart(NO_RESULT)],
    isPlain: true,
    isError: true,
    responseText: undefined,
    cache: undefined,
  };
}

function textPart(text: string): TextPart {
  return { type: 'text', text, cache: undefined, signature: undefined };
}

/**
 * Writes turns as `messages`. Tool results come first of their turn, one message each; what such a message cannot hold
 * (images, files) follows in a user message that says to which call it belongs.
 */
import type { ReasoningPart, TextPart, ToolCallPart, ToolResultPart, Turn } from '../../domain/generation.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { isObjectText, jsonText, raw } from '../hub/json-text.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import type { Placed } from './encode-parts.ts';
import { writeCache, writePart } from './encode-parts.ts';
import type { Writing } from './encode-target.ts';
import { titleOf } from './encode-target.ts';
import { ORIGIN } from './field-names.ts';
import { writeCallSignature, writeThought } from './reasoning-details.ts';

/** All messages, in order. Throws `invalid_request` for a call's name that the target refuses. */
export function writeMessages(turns: readonly Turn[], writing: Writing): JsonOut[] {
  const writer = new MessageWriter(writing);
  turns.forEach((turn, index) => writer.turn(turn, index));
  return writer.end();
}

/** Refuses a name that the target refuses. */
export function checkToolName(name: string, field: string, writing: Writing): void {
  const { toolNames } = writing.traits;
  if (toolNames === undefined || toolNames.test(name)) return;
  const text = `\`${field}\` has letters, or a length, that ${titleOf(writing)} does not take in the name of a tool.`;
  throw new GatewayError('invalid_request', text, { param: field });
}

class MessageWriter {
  readonly #writing: Writing;
  readonly #messages: JsonOut[] = [];
  /** Parts of tool results that wait for the next user message. */
  #hoisted: JsonOut[] = [];

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  turn(turn: Turn, index: number): void {
    const placed = turn.parts.map((part, at): Placed => ({ part, field: `turns[${index}].parts[${at}]` }));
    const rest = placed.filter(({ part }) => part.type !== 'tool_result');
    const results = placed.flatMap(({ part, field }) => (part.type === 'tool_result' ? [{ part, field }] : []));
    for (const result of results) this.#result(result);
    if (rest.length === 0 && results.length > 0) return;
    if (turn.role === 'assistant') this.#assistant(turn, rest, index);
    else if (turn.role === 'user' || turn.role === 'tool') this.#user(turn, rest, index);
    else this.#system(turn, rest, index);
  }

  end(): JsonOut[] {
    this.#flush();
    return this.#messages;
  }

  #flush(): void {
    if (this.#hoisted.length > 0) this.#messages.push({ role: 'user', content: this.#hoisted });
    this.#hoisted = [];
  }

  #system(turn: Turn, placed: readonly Placed[], index: number): void {
    this.#flush();
    const role = turn.role === 'developer' && this.#writing.traits.hasDeveloperRole ? 'developer' : 'system';
    this.#messages.push({ role, name: turn.name, content: this.#content(turn, placed, index) ?? '' });
  }

  #user(turn: Turn, placed: readonly Placed[], index: number): void {
    const content = this.#content(turn, placed, index) ?? '';
    if (this.#hoisted.length === 0) {
      this.#messages.push({ role: 'user', name: turn.name, content });
      return;
    }
    const own = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    this.#messages.push({ role: 'user', name: turn.name, content: [...this.#hoisted, ...own] });
    this.#hoisted = [];
  }

  /** A text, a list of parts, or undefined when there is nothing. */
  #content(turn: Turn, placed: readonly Placed[], index: number): string | readonly JsonOut[] | undefined {
    const texts = placed.flatMap(({ part }) => (part.type === 'text' ? [part] : []));
    const isText = texts.length === placed.length && (turn.isPlain || !this.#writing.traits.takesTextLists);
    if (isText && !this.#mustMark(texts)) return this.#joined(texts, placed, `turns[${index}]`);
    const parts = placed.flatMap((each) => {
      const written = writePart(each, this.#writing);
      return written === undefined ? [] : [written];
    });
    return parts.length === 0 ? undefined : parts;
  }

  /** A mark that the target takes needs a part to stand on. */
  #mustMark(texts: readonly TextPart[]): boolean {
    return this.#writing.traits.cacheMarks === 'cache_control' && texts.some(({ cache }) => cache !== undefined);
  }

  #joined(texts: readonly TextPart[], placed: readonly Placed[], field: string): string | undefined {
    // For what they cannot have as one text: the losses are told as those of parts are.
    for (const each of placed) writePart(each, this.#writing);
    if (texts.length === 0) return undefined;
    if (texts.length > 1) this.#writing.warnings.changed(field, 'has its texts joined to one');
    return texts.map(({ text }) => text).join('\n');
  }

  #result({ part, field }: Placed<ToolResultPart>): void {
    const { warnings, traits } = this.#writing;
    const callId = fitToolId(part.callId, traits.toolIds);
    const texts = part.parts.filter((each) => each.type === 'text');
    if (part.isError) warnings.changed(`${field}.isError`, 'is told in the text, which begins with "Error: "');
    const marked = part.isError ? withErrorMark(texts) : texts;
    const placed = marked.map((each, at): Placed => ({ part: withCache(each, part, at === marked.length - 1), field }));
    const turn = { isPlain: part.isPlain, parts: marked };
    this.#messages.push({ role: 'tool', tool_call_id: callId, content: this.#resultContent(turn, placed, field) });
    this.#hoist(part, callId, field);
  }

  #resultContent(turn: Pick<Turn, 'isPlain' | 'parts'>, placed: readonly Placed[], field: string): JsonOut {
    const texts = placed.flatMap(({ part }) => (part.type === 'text' ? [part] : []));
    const isText = turn.isPlain || !this.#writing.traits.takesTextLists || texts.length === 0;
    if (isText && !this.#mustMark(texts)) return this.#joined(texts, placed, field) ?? '';
    return placed.flatMap((each) => writePart(each, this.#writing) ?? []);
  }

  #hoist(part: ToolResultPart, callId: string, field: string): void {
    const media = part.parts.filter((each) => each.type !== 'text');
    const written = media.flatMap((each) => writePart({ part: each, field }, this.#writing) ?? []);
    if (written.length === 0) return;
    this.#writing.warnings.changed(field, 'has what is no text moved to a user message behind it');
    const name = part.name === undefined ? '' : ` ${part.name}`;
    this.#hoisted.push({ type: 'text', text: `Result of the tool call${name} (${callId}):` }, ...written);
  }

  #assistant(turn: Turn, placed: readonly Placed[], index: number): void {
    this.#flush();
    const calls: JsonOut[] = [];
    const thoughts: Placed<ReasoningPart>[] = [];
    const content: Placed[] = [];
    let audio: JsonOut | undefined;
    let isMoved = false;
    for (const { part, field } of placed) {
      if (part.type === 'tool_call') calls.push(this.#call(part, field));
      else if (part.type === 'reasoning') thoughts.push({ part, field });
      else if (part.type === 'native' && part.origin === ORIGIN && part.name === 'audio') audio = raw(part.json);
      else if (part.type === 'native' && part.origin === ORIGIN && part.name.endsWith('_tool_call'))
        calls.push(raw(part.json));
      else if (isSayable({ part, field }, this.#writing)) {
        content.push({ part, field });
        isMoved ||= calls.length > 0;
      }
    }
    if (isMoved)
      this.#writing.warnings.changed(`turns[${index}]`, 'has text behind a tool call, which now comes first');
    this.#messages.push({
      role: 'assistant',
      name: turn.name,
      ...this.#said(turn, content, { index, hasMore: calls.length > 0 || audio !== undefined }),
      ...this.#thoughts(thoughts, placed),
      audio,
      tool_calls: calls.length > 0 ? calls : undefined,
    });
  }

  /** `content` and `refusal`: a refusal is a field of its own unless the content is a list. */
  #said(
    turn: Turn,
    placed: readonly Placed[],
    { index, hasMore }: { readonly index: number; readonly hasMore: boolean },
  ): { [name: string]: JsonOut | undefined } {
    const refusals = placed.flatMap(({ part }) => (part.type === 'refusal' ? [part.text] : []));
    const isList = !turn.isPlain && refusals.length < placed.length && this.#writing.traits.takesTextLists;
    const inContent = isList ? placed : placed.filter(({ part }) => part.type !== 'refusal');
    const content = this.#content(turn, inContent, index);
    const refusal = isList || refusals.length === 0 ? undefined : refusals.join('\n');
    if (content === undefined && refusal !== undefined && !takesRefusals(this.#writing)) {
      this.#writing.warnings.changed(`turns[${index}]`, 'is a refusal, which is sent as text');
      return { content: refusal };
    }
    return { content: content ?? (hasMore || refusal !== undefined ? null : ''), refusal };
  }

  #call(part: ToolCallPart, field: string): JsonOut {
    const { traits, origin, warnings } = this.#writing;
    checkToolName(part.name, `${field}.name`, this.#writing);
    if (part.cache) writeCache(part.cache, field, { ...this.#writing, traits: { ...traits, ...unmarked(traits) } });
    const isOwn = part.signature?.origin === 'gemini' && origin === 'gemini';
    if (part.signature && !isOwn && traits.replaysThoughtsAs !== 'reasoning_details')
      warnings.lost(`${field}.signature`, 'can be replayed by its own API only');
    return {
      id: fitToolId(part.callId, traits.toolIds),
      type: 'function',
      function: { name: part.name, arguments: this.#arguments(part, field) },
      extra_content: isOwn ? { google: { thought_signature: part.signature.value } } : undefined,
    };
  }

  /** OpenAI takes any text; engines parse it for their templates. */
  #arguments({ argumentsText }: ToolCallPart, field: string): string {
    const { traits, warnings } = this.#writing;
    if (traits.takesOpenAiFields || isObjectText(argumentsText)) return argumentsText;
    warnings.changed(`${field}.argumentsText`, 'is no JSON object and was put into one');
    return jsonText({ arguments: argumentsText });
  }

  #thoughts(placed: readonly Placed<ReasoningPart>[], all: readonly Placed[]): { [name: string]: JsonOut | undefined } {
    const { traits, warnings } = this.#writing;
    if (traits.replaysThoughtsAs === 'reasoning_details') return writeDetails(placed, all, this.#writing);
    const kept = placed.filter(({ part, field }) => {
      const isKept = traits.replaysThoughtsAs !== undefined && !part.isRedacted && part.signature === undefined;
      if (!isKept) warnings.lost(field, lossOf(part, this.#writing));
      return isKept;
    });
    const name = traits.replaysThoughtsAs;
    if (kept.length === 0 || name === undefined) return {};
    if (kept.length > 1) warnings.changed(kept[1]?.field ?? '', 'is joined to the thought before it');
    return { [name]: kept.map(({ part }) => part.text).join('\n') };
  }
}

/** Who refuses the field would be left without any content. */
function takesRefusals({ target }: Writing): boolean {
  return !target.provider?.quirks.some(({ name }) => name === 'messages[].refusal');
}

function lossOf(part: ReasoningPart, writing: Writing): string {
  if (part.signature) return `is a thought that only its own API can check, not ${titleOf(writing)}`;
  return `is a thought, which ${titleOf(writing)} does not take back`;
}

/** Thoughts and signatures of calls as the list of OpenRouter, which gives each to whom it belongs. */
function writeDetails(
  thoughts: readonly Placed<ReasoningPart>[],
  all: readonly Placed[],
  { traits }: Writing,
): { [name: string]: JsonOut | undefined } {
  const details: JsonOut[] = [];
  for (const { part } of thoughts) details.push(...writeThought(part, details.length));
  for (const { part } of all)
    if (part.type === 'tool_call' && part.signature)
      details.push(writeCallSignature(fitToolId(part.callId, traits.toolIds), part.signature, details.length));
  return { reasoning_details: details.length > 0 ? details : undefined };
}

/** What an assistant's content may hold. */
function isSayable({ part, field }: Placed, writing: Writing): boolean {
  if (part.type === 'text' || part.type === 'refusal') return true;
  if (part.type === 'native' && part.origin === ORIGIN) return true;
  const what = part.type === 'native' ? `part of type ${part.name}` : part.type;
  writing.warnings.lost(field, `is a ${what}, which an assistant's message cannot hold`);
  return false;
}

function unmarked(traits: Writing['traits']): { cacheMarks: 'automatic' | 'none' } {
  return { cacheMarks: traits.cacheMarks === 'automatic' ? 'automatic' : 'none' };
}

const ERROR_MARK = 'Error: ';

function withErrorMark(texts: readonly TextPart[]): readonly TextPart[] {
  const [first, ...rest] = texts;
  if (!first) return [{ type: 'text', text: ERROR_MARK.trim(), cache: undefined, signature: undefined }];
  return [{ ...first, text: ERROR_MARK + first.text }, ...rest];
}

function withCache(text: TextPart, result: ToolResultPart, isLast: boolean): TextPart {
  return isLast && result.cache ? { ...text, cache: result.cache } : text;
}

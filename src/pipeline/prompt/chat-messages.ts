/**
 * The turns of a conversation as chat templates take them: transformers' messages, which are OpenAI's with two
 * differences: the arguments of a call are an object, and thoughts stand in `reasoning_content`, or in `thinking` where
 * the template writes Harmony.
 * Nothing is left out in silence: what a template has no place for is a warning, what would change the meaning an error.
 */
import { GatewayError } from '../../domain/errors.ts';
import type {
  JsonText,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  TranslationWarning,
  Turn,
} from '../../domain/generation.ts';
import type { ChatTemplate } from '../../domain/token-model.ts';
import { arrangeForHarmony } from './harmony-turns.ts';

type ContentFormat = ChatTemplate['contentFormat'];

export interface Messages {
  readonly text: JsonText;
  readonly warnings: readonly TranslationWarning[];
}

/** Throws `invalid_request` for what engines behind gRPC cannot be given: pictures, files, sound. */
export function writeMessages(turns: readonly Turn[], format: ContentFormat): Messages {
  const writer = new MessageWriter(format);
  const arranged = format === 'harmony' ? arrangeForHarmony(turns) : { turns, warnings: [] };
  arranged.turns.forEach((turn, index) => writer.turn(turn, index));
  return { text: `[${writer.messages.join(',')}]`, warnings: [...arranged.warnings, ...writer.warnings] };
}

const ERROR_MARK = 'Error: ';

interface Said {
  readonly texts: readonly string[];
  readonly thoughts: readonly string[];
  readonly calls: readonly JsonText[];
}

class MessageWriter {
  readonly messages: JsonText[] = [];
  readonly warnings: TranslationWarning[] = [];
  readonly #format: ContentFormat;

  constructor(format: ContentFormat) {
    this.#format = format;
  }

  turn(turn: Turn, index: number): void {
    const field = `turns[${index}]`;
    const rest: Part[] = [];
    turn.parts.forEach((part, at) => {
      if (part.type === 'tool_result') this.#result(part, `${field}.parts[${at}]`);
      else rest.push(part);
    });
    if (rest.length === 0 && turn.parts.length > 0) return;
    if (turn.role === 'assistant') return this.#assistant(turn, rest, field);
    const role = turn.role === 'developer' ? 'system' : turn.role;
    if (turn.role === 'developer') this.#changed(`${field}.role`, 'is system for chat templates');
    this.#push(role, turn.name, [['content', this.#content(this.#texts(rest, field), turn.isPlain)]]);
  }

  #result(part: ToolResultPart, field: string): void {
    const texts = this.#texts(part.parts, field);
    if (part.isError) {
      texts[0] = ERROR_MARK + (texts[0] ?? '');
      this.#changed(`${field}.isError`, 'is told in the text, which begins with "Error: "');
    }
    this.#push('tool', part.name, [
      ['tool_call_id', JSON.stringify(part.callId)],
      ['content', this.#resultContent(texts, part)],
    ]);
  }

  #assistant(turn: Turn, parts: readonly Part[], field: string): void {
    const calls: JsonText[] = [];
    const said: Part[] = [];
    const thoughts: string[] = [];
    parts.forEach((part, at) => {
      if (part.type === 'tool_call') calls.push(this.#call(part, `${field}.parts[${at}]`));
      else if (part.type === 'reasoning') this.#thought(part, `${field}.parts[${at}]`, thoughts);
      else said.push(part);
    });
    const texts = this.#texts(said, field);
    if (this.#format === 'harmony') return this.#harmony(turn, { texts, thoughts, calls }, field);
    const content = texts.length === 0 && calls.length > 0 ? 'null' : this.#content(texts, turn.isPlain);
    const members: [string, JsonText][] = [['content', content]];
    if (thoughts.length > 0) members.push(['reasoning_content', JSON.stringify(thoughts.join('\n'))]);
    if (calls.length > 0) members.push(['tool_calls', `[${calls.join(',')}]`]);
    this.#push('assistant', turn.name, members);
  }

  /** One of thoughts and text stands before a call, not both; and no content that is null. */
  #harmony({ name }: Turn, { texts, thoughts, calls }: Said, field: string): void {
    const [call] = calls;
    if (call === undefined) {
      const thinking: [string, JsonText][] =
        thoughts.length > 0 ? [['thinking', JSON.stringify(thoughts.join('\n'))]] : [];
      return this.#push('assistant', name, [['content', JSON.stringify(texts.join('\n'))], ...thinking]);
    }
    if (texts.length > 0 && thoughts.length > 0) this.#changed(field, 'has its text with its thoughts before the call');
    const before = [...thoughts, ...texts].join('\n');
    const thinking: [string, JsonText][] = before === '' ? [] : [['thinking', JSON.stringify(before)]];
    this.#push('assistant', name, [...thinking, ['tool_calls', `[${call}]`]]);
  }

  /** Harmony's template writes results as JSON: one that is JSON is given as it is, not as the text of it. */
  #resultContent(texts: readonly string[], { isPlain }: ToolResultPart): JsonText {
    const [only] = texts;
    if (this.#format === 'harmony' && texts.length === 1 && only !== undefined && isJsonText(only, ['{', '[']))
      return only;
    return this.#content(texts, isPlain);
  }

  /** Templates walk through the arguments, so that they must be an object. */
  #call({ callId, name, argumentsText }: ToolCallPart, field: string): JsonText {
    const isObject = isJsonText(argumentsText, ['{']);
    if (!isObject) this.#changed(`${field}.argumentsText`, 'is no JSON object and was put into one');
    const given = isObject ? argumentsText : `{"arguments":${JSON.stringify(argumentsText)}}`;
    const called = `{"name":${JSON.stringify(name)},"arguments":${given}}`;
    return `{"id":${JSON.stringify(callId)},"type":"function","function":${called}}`;
  }

  #thought(part: ReasoningPart, field: string, thoughts: string[]): void {
    if (part.isRedacted || part.signature) {
      const reason = 'is a thought that only its own API can check, not an engine';
      this.warnings.push({ kind: 'lost', field, reason });
    } else thoughts.push(part.text);
  }

  #texts(parts: readonly Part[], field: string): string[] {
    return parts.map((part) => {
      if (part.type === 'text' || part.type === 'refusal') return part.text;
      throw unfit(field, part);
    });
  }

  /** As the template wants it: one text, or a list of parts. */
  #content(texts: readonly string[], isPlain: boolean): JsonText {
    if (this.#format !== 'openai' || isPlain) return JSON.stringify(texts.join('\n'));
    return `[${texts.map((text) => `{"type":"text","text":${JSON.stringify(text)}}`).join(',')}]`;
  }

  #push(role: string, name: string | undefined, members: readonly (readonly [string, JsonText])[]): void {
    const named = name === undefined ? [] : [['name', JSON.stringify(name)] as const];
    const all = [['role', JSON.stringify(role)] as const, ...named, ...members];
    this.messages.push(`{${all.map(([key, text]) => `"${key}":${text}`).join(',')}}`);
  }

  #changed(field: string, reason: string): void {
    this.warnings.push({ kind: 'changed', field, reason });
  }
}

function unfit(field: string, part: Exclude<Part, TextPart>): GatewayError {
  const what = part.type === 'native' ? `part of type ${part.name}` : `part of type ${part.type}`;
  const text = `\`${field}\` holds a ${what}, which cannot be sent to an engine behind gRPC.`;
  return new GatewayError('invalid_request', text, { param: field });
}

/** Model output may be anything. */
function isJsonText(text: string, openings: readonly string[]): boolean {
  if (!openings.includes(text.trimStart().charAt(0))) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // That it is none is the answer.
    return false;
  }
}

/**
 * Turns to the items of `input`, in their order, for an API that keeps nothing between calls.
 * Source: OpenAI API reference, create a response: `input`; reasoning guide for encrypted thoughts.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { NativePart, Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import { splitThought } from './carried-thought.ts';
import { ANNOTATIONS, isContentBlock, jsonOf, OWN, PHASE } from './own-forms.ts';
import type { ContentOut, ContentRules } from './write-content.ts';
import { writeContentPart } from './write-content.ts';

/** Source: OpenAI's answers to longer ones: at most 64 characters. */
const CALL_ID = { maxLength: 64, pattern: /^[\x21-\x7e]+$/ };
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export interface InputRules extends ContentRules {
  readonly target: EncodeTarget;
}

/** Throws `invalid_request` for a tool's name that the API refuses. */
export function checkToolName(name: string, field: string): void {
  if (TOOL_NAME.test(name)) return;
  const text = `\`${field}\` must be 1 to 64 letters, digits, _ or -: the model's API takes no other name of a tool.`;
  throw new GatewayError('invalid_request', text, { param: field });
}

/** `from` is the index of the first turn, for the paths of warnings. */
export function writeItems(turns: readonly Turn[], from: number, rules: InputRules): JsonOut[] {
  const items = turns.flatMap((turn, index) => new TurnWriter(turn, `turns[${from + index}]`, rules).write());
  return withoutLooseThoughts(items, rules.warnings).map(({ json }) => json);
}

/** One item, and who it is of. */
interface ItemOut {
  readonly json: JsonOut;
  readonly kind: 'thought' | 'assistant' | 'other';
  /** Of a thought, for a warning. */
  readonly path: string;
}

/** Source: OpenAI refuses a reasoning item that is not followed by what the assistant made of it. */
function withoutLooseThoughts(items: readonly ItemOut[], warnings: Warnings): ItemOut[] {
  let next: ItemOut['kind'] = 'other';
  const loose = new Set<ItemOut>();
  for (const item of [...items].reverse()) {
    if (item.kind !== 'thought') next = item.kind;
    else if (next !== 'assistant') loose.add(item);
  }
  for (const { path } of loose)
    warnings.lost(path, 'is a thought that nothing of the assistant follows, which the API refuses');
  return items.filter((item) => !loose.has(item));
}

class TurnWriter {
  readonly #turn: Turn;
  readonly #path: string;
  readonly #rules: InputRules;
  readonly #warnings: Warnings;
  readonly #items: ItemOut[] = [];
  /** Content of the message that is being written. */
  #content: JsonOut[] = [];
  /** The last of it, when it is one that may get annotations. */
  #last: ContentOut | undefined;
  #phase: JsonOut | undefined;

  constructor(turn: Turn, path: string, rules: InputRules) {
    this.#turn = turn;
    this.#path = path;
    this.#rules = rules;
    this.#warnings = rules.warnings;
  }

  write(): ItemOut[] {
    if (this.#turn.name !== undefined) this.#warnings.lost(`${this.#path}.name`, 'has no place in Responses');
    for (const [index, part] of this.#turn.parts.entries()) this.#part(part, `${this.#path}.parts[${index}]`);
    this.#flush();
    return this.#items;
  }

  #part(part: Part, path: string): void {
    switch (part.type) {
      case 'tool_call':
        return this.#item(this.#call(part, path));
      case 'tool_result':
        return this.#item(this.#result(part, path));
      case 'reasoning': {
        const item = this.#thought(part, path);
        if (item !== undefined) this.#item(item, { kind: 'thought', path });
        return;
      }
      case 'native':
        return this.#native(part, path);
      default: {
        const isAssistant = this.#turn.role === 'assistant';
        const content = writeContentPart(part, { path, isAssistant, rules: this.#rules });
        if (content === undefined) return;
        this.#content.push(content);
        this.#last = content;
      }
    }
  }

  #item(json: JsonOut, { kind, path }: Omit<ItemOut, 'json'> = this.#own): void {
    this.#flush();
    this.#items.push({ json, kind, path });
  }

  get #own(): Omit<ItemOut, 'json'> {
    return { kind: this.#turn.role === 'assistant' ? 'assistant' : 'other', path: this.#path };
  }

  #flush(): void {
    const content = this.#content;
    const phase = this.#phase;
    const plain = this.#turn.isPlain && content.length === 1 ? plainText(this.#last) : undefined;
    this.#content = [];
    this.#last = undefined;
    this.#phase = undefined;
    if (content.length === 0) return;
    const role = this.#turn.role === 'tool' ? 'user' : this.#turn.role;
    this.#items.push({ json: { type: 'message', role, content: plain ?? content, phase }, ...this.#own });
  }

  #call(part: ToolCallPart, path: string): JsonOut {
    checkToolName(part.name, `${path}.name`);
    const callId = fitToolId(part.callId, CALL_ID);
    if (callId !== part.callId)
      this.#warnings.changed(`${path}.callId`, 'is not as the API takes it, so it is shortened');
    if (part.signature) this.#warnings.lost(`${path}.signature`, 'belongs to another provider');
    this.#loseCache(part, path);
    return { type: 'function_call', call_id: callId, name: part.name, arguments: part.argumentsText };
  }

  #result(part: ToolResultPart, path: string): JsonOut {
    if (part.isError)
      this.#warnings.lost(`${path}.isError`, 'has no place in Responses; the text of the error is kept');
    this.#loseCache(part, path);
    const parts = part.parts.flatMap((each, index) => {
      const place = { path: `${path}.parts[${index}]`, isAssistant: false, rules: this.#rules };
      const out = writeContentPart(each, place);
      return out === undefined ? [] : [out];
    });
    const [first] = parts;
    const plain = part.isPlain && parts.length === 1 ? plainText(first) : undefined;
    const output = plain ?? (parts.length === 0 ? '' : parts);
    return { type: 'function_call_output', call_id: fitToolId(part.callId, CALL_ID), output };
  }

  #loseCache({ cache }: ToolCallPart | ToolResultPart, path: string): void {
    if (cache) this.#warnings.changed(`${path}.cache`, 'is not sent: prompts are cached by themselves here');
  }

  /** Undefined when it can be shown to nobody here. */
  #thought(part: ReasoningPart, path: string): JsonOut | undefined {
    const { provider } = this.#rules.target;
    const json = jsonOf(part);
    const isEngines = provider === undefined && part.signature === undefined && part.text !== '';
    const isOwn = part.signature !== undefined && part.signature.origin === provider?.thoughts;
    if (!isOwn && !isEngines) {
      this.#warnings.lost(path, 'is a thought that the model of this call cannot be given back');
      return undefined;
    }
    if (json !== undefined) return raw(json);
    if (!isOwn) {
      const id = part.itemId ?? `rs_${fitToolId(part.text, { ...CALL_ID, maxLength: 14 })}`;
      const content = [{ type: 'reasoning_text', text: part.text }];
      return { type: 'reasoning', id, summary: [], content };
    }
    const { id = part.itemId, encrypted } = splitThought(part.signature?.value ?? '');
    const summary = part.text === '' ? [] : [{ type: 'summary_text', text: part.text }];
    return { type: 'reasoning', id, summary, encrypted_content: encrypted };
  }

  #native(part: NativePart, path: string): void {
    if (part.origin !== OWN) return this.#warnings.lost(path, `is a block (${part.name}) of another API`);
    if (isContentBlock(part)) {
      this.#content.push(raw(part.json));
      this.#last = undefined;
    } else if (part.name === PHASE) {
      this.#flush();
      this.#phase = raw(part.json);
    } else if (part.name !== ANNOTATIONS) this.#item(raw(part.json));
    else if (this.#last !== undefined) this.#last['annotations'] = raw(part.json);
    else this.#warnings.lost(path, 'are annotations of no text');
  }
}

/** The text of a part that is nothing but text. */
function plainText(content: ContentOut | undefined): string | undefined {
  const text = content?.['text'];
  return typeof text === 'string' && Object.keys(content ?? {}).length === 2 ? text : undefined;
}

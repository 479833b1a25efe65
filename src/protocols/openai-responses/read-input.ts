/**
 * `input` of a request: items, one after the other, to turns. Items of the assistant that follow each other (thoughts,
 * calls, a message) become one turn, because other APIs have them in one message.
 * Source: OpenAI API reference, create a response: `input`.
 */
import type { Part, Signature, ThoughtOrigin, ToolCallPart, Turn } from '../../domain/generation.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readThought } from './carried-thought.ts';
import type { PlacedTurn, ReasoningItem } from './own-forms.ts';
import { ANNOTATIONS, isContentBlock, nativePart, PHASE } from './own-forms.ts';
import { loseMembers, readContent, readOutput, textPart } from './read-content.ts';

const ROLES = ['user', 'assistant', 'system', 'developer'] as const;

/** Native items that the client's side has written; every other one is the assistant's. */
const CLIENT_ITEMS = /(_output|_response|^compaction_trigger)$/;
const DEVELOPER_ITEMS: ReadonlySet<string> = new Set(['additional_tools', 'configuration_update']);

/** `instructions` and `input`. `origin` is whose encrypted thoughts and files stand in it. */
export function readTurns(body: ObjectReader, origin: ThoughtOrigin): Turn[] {
  const instructions = body.text('instructions');
  const first = instructions === undefined ? [] : [placed('instructions', instructions)];
  const input = body.value('input');
  if (input === undefined) return first;
  if (input.string !== undefined) return [...first, placed('input', input.string)];
  return [...first, ...new InputReader(origin).read(body.objects('input'))];
}

function placed(place: PlacedTurn['place'], text: string): PlacedTurn {
  const role = place === 'instructions' ? 'system' : 'user';
  return { role, parts: [textPart(text)], isPlain: true, name: undefined, place };
}

interface OpenTurn {
  readonly parts: Part[];
  /** Undefined until a message came: only that says whether its content was plain. */
  isPlain: boolean | undefined;
}

class InputReader {
  readonly #origin: ThoughtOrigin;
  readonly #turns: Turn[] = [];
  /** Names of the tools by the ids of their calls. */
  readonly #names = new Map<string, string>();
  /** The assistant's turn that the next of its items joins. */
  #open: OpenTurn | undefined;
  /** Signs the call that comes next. */
  #callSignature: { readonly signature: Signature; readonly item: ObjectReader } | undefined;

  constructor(origin: ThoughtOrigin) {
    this.#origin = origin;
  }

  read(items: readonly ObjectReader[]): Turn[] {
    for (const item of items) this.#item(item);
    this.#close();
    return this.#turns;
  }

  #item(item: ObjectReader): void {
    const type = item.text('type') ?? (item.node.get('role') === undefined ? 'item_reference' : 'message');
    switch (type) {
      case 'message':
        return this.#message(item);
      case 'function_call':
        return this.#call(item);
      case 'function_call_output':
        return this.#output(item);
      case 'reasoning':
        return this.#reasoning(item);
      case 'item_reference':
        throw item.refuse('id', 'names an item that an API of Responses keeps, and the model of this call has none');
      default:
        this.#native(type, item);
    }
  }

  #message(item: ObjectReader): void {
    const given = item.textOf('role');
    const role = ROLES.find((each) => each === given);
    if (role === undefined) throw item.refuse('role', `must be one of ${ROLES.join(', ')}`);
    item.ignore('id', 'status');
    const { parts, isPlain } = readContent(item, this.#origin);
    const phase = item.raw('phase');
    item.finish();
    if (phase !== undefined) parts.unshift(nativePart(PHASE, phase));
    if (role === 'assistant') return this.#assistantMessage(parts, isPlain);
    this.#turn(role, parts, isPlain);
  }

  /** Two messages one after the other stay two turns, or nobody could tell them apart again. */
  #assistantMessage(parts: readonly Part[], isPlain: boolean): void {
    const last = this.#open?.parts.at(-1);
    const followsText = last !== undefined && isContent(last);
    const isOther = this.#open?.isPlain !== undefined && this.#open.isPlain !== isPlain;
    if (followsText || isOther) this.#close();
    const open = this.#assistant();
    open.isPlain = isPlain;
    open.parts.push(...parts);
  }

  #call(item: ObjectReader): void {
    const callId = item.textOf('call_id');
    const name = item.textOf('name');
    const given = item.text('arguments') ?? '';
    item.ignore('id', 'status');
    loseMembers(item, ['namespace', 'async', 'caller', 'created_by']);
    item.finish();
    this.#names.set(callId, name);
    const signature = this.#callSignature?.signature;
    this.#callSignature = undefined;
    const argumentsText = given.trim() === '' ? '{}' : given;
    const part: ToolCallPart = { type: 'tool_call', callId, name, argumentsText, signature, cache: undefined };
    this.#assistant().parts.push(part);
  }

  #output(item: ObjectReader): void {
    const callId = item.textOf('call_id');
    const { parts, isPlain } = readOutput(item, this.#origin);
    const name = item.text('name') ?? this.#names.get(callId);
    item.ignore('id', 'status');
    loseMembers(item, ['namespace', 'caller', 'created_by']);
    item.finish();
    const facts = { isError: false, responseText: undefined, cache: undefined };
    this.#turn('tool', [{ type: 'tool_result', callId, name, parts, isPlain, ...facts }], isPlain);
  }

  #reasoning(item: ObjectReader): void {
    const summary = textsOf(item, 'summary');
    const content = textsOf(item, 'content');
    const encrypted = item.text('encrypted_content');
    const itemId = item.text('id');
    item.ignore('status');
    item.finish();
    const carried = encrypted === undefined ? undefined : readThought(encrypted, this.#origin, itemId);
    if (carried?.thing === 'call') return this.#signCall({ signature: carried.signature, item });
    if (carried?.thing === 'text' && this.#signText(carried.signature)) return;
    const signature = carried?.signature;
    const part = {
      type: 'reasoning',
      text: (summary.length > 0 ? summary : content).join('\n\n'),
      signature,
      isRedacted: carried?.thing === 'redacted',
      itemId,
    } as const;
    const own: ReasoningItem = { ...part, json: item.node.text };
    this.#assistant().parts.push(carried?.isRaw === false ? part : own);
  }

  #signCall(pending: { readonly signature: Signature; readonly item: ObjectReader }): void {
    this.#loseCallSignature();
    this.#callSignature = pending;
  }

  #signText(signature: Signature): boolean {
    const parts = this.#open?.parts ?? [];
    const at = parts.findLastIndex(({ type }) => type === 'text');
    const text = parts[at];
    if (text?.type !== 'text') return false;
    parts[at] = { ...text, signature };
    return true;
  }

  #native(type: string, item: ObjectReader): void {
    const part = nativePart(type, item.node.text);
    if (DEVELOPER_ITEMS.has(type)) return this.#turn('developer', [part], false);
    if (CLIENT_ITEMS.test(type)) return this.#turn('tool', [part], false);
    this.#assistant().parts.push(part);
  }

  #assistant(): OpenTurn {
    this.#open ??= { parts: [], isPlain: undefined };
    return this.#open;
  }

  #turn(role: Turn['role'], parts: readonly Part[], isPlain: boolean): void {
    this.#close();
    this.#turns.push({ role, parts, isPlain, name: undefined });
  }

  #close(): void {
    this.#loseCallSignature();
    if (this.#open === undefined) return;
    const { parts, isPlain = false } = this.#open;
    this.#turns.push({ role: 'assistant', parts, isPlain, name: undefined });
    this.#open = undefined;
  }

  #loseCallSignature(): void {
    const lost = this.#callSignature?.item;
    if (lost !== undefined) lost.warnings.lost(lost.path, 'signs a function call that does not follow it');
    this.#callSignature = undefined;
  }
}

function isContent(part: Part): boolean {
  if (part.type === 'native') return isContentBlock(part) || part.name === ANNOTATIONS || part.name === PHASE;
  return part.type === 'text' || part.type === 'refusal' || part.type === 'image';
}

function textsOf(item: ObjectReader, name: string): string[] {
  return item.objects(name).map((part) => {
    part.ignore('type');
    const text = part.textOf('text');
    part.finish();
    return text;
  });
}

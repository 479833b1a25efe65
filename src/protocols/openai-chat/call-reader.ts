/**
 * Reads the pieces of tool calls of one choice. OpenAI sends an id and a name once and counts calls by `index`; other
 * servers repeat ids, leave out the index or give all calls the same one, send calls whole, or without ids.
 *
 * A call ends when its arguments are whole JSON and something else begins, at the latest with the choice.
 * Bound  arguments are held only to see whether they are whole, up to MAX_HELD_CHARACTERS
 */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Signature } from '../../domain/generation.ts';
import { ORIGIN } from './field-names.ts';
import { WholeObject } from './whole-object.ts';
import type { Members } from './wire-values.ts';
import { membersOf, textOf } from './wire-values.ts';

export type Emit = (event: GenerationEvent) => void;

const MAX_HELD_CHARACTERS = 1024 * 1024;
/** Each piece is compared with the calls before it. No model makes so many at once. */
const MAX_CALLS = 4_096;

interface OpenCall {
  /** As events name it. */
  readonly callId: string;
  /** As the server named it; empty when it did not. */
  readonly wireId: string;
  readonly index: number | undefined;
  /** OpenAI's custom tools have a text for input and are kept as they are. */
  readonly isCustom: boolean;
  signature: Signature | undefined;
  name: string;
  text: string;
  readonly whole: WholeObject;
  isStarted: boolean;
  isOpen: boolean;
  isTooLong: boolean;
}

interface Piece {
  readonly id: string;
  readonly index: number | undefined;
  readonly name: string;
  readonly text: string;
  readonly isCustom: boolean;
  readonly signature: Signature | undefined;
}

function readPiece(value: unknown, position: number | undefined): Piece {
  const piece = membersOf(value) ?? {};
  const custom = membersOf(piece['custom']);
  const made = custom ?? membersOf(piece['function']) ?? {};
  const index = piece['index'];
  return {
    id: textOf(piece['id']),
    index: typeof index === 'number' ? index : position,
    name: textOf(made['name']),
    text: argumentsText(custom ? made['input'] : made['arguments']),
    isCustom: custom !== undefined || piece['type'] === 'custom',
    signature: signatureOf(piece),
  };
}

/** Some servers send the object itself. */
function argumentsText(value: unknown): string {
  return membersOf(value) ? JSON.stringify(value) : textOf(value);
}

/** Where Gemini's own chat completions have it. */
function signatureOf(piece: Members): Signature | undefined {
  const value = textOf(membersOf(membersOf(piece['extra_content'])?.['google'])?.['thought_signature']);
  return value === '' ? undefined : { origin: 'gemini', value };
}

export class CallReader {
  readonly #choice: number;
  readonly #newId: (prefix: string) => string;
  readonly #calls: OpenCall[] = [];
  /** Signatures by the ids of calls that have not begun. */
  readonly #signatures = new Map<string, Signature>();

  constructor(choice: number, newId: (prefix: string) => string) {
    this.#choice = choice;
    this.#newId = newId;
  }

  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /** A signature that came apart from its call, and before it. */
  sign(callId: string, signature: Signature): void {
    this.#signatures.set(callId, signature);
  }

  /** Signatures of which no call was seen. */
  takeUnused(): [string, Signature][] {
    const unused = [...this.#signatures];
    this.#signatures.clear();
    return unused;
  }

  /** `position` counts the calls of a whole message, in which they have no index. */
  read(value: unknown, position: number | undefined, emit: Emit): void {
    const piece = readPiece(value, position);
    const call = this.#find(piece) ?? this.#open(piece, emit);
    if (!call) return emit(tooMuch('An answer has too many tool calls.'));
    call.signature ??= piece.signature;
    if (call.name === '') call.name = piece.name;
    if (!call.isOpen) return this.#late(call, piece, emit);
    const isNew = !call.isStarted && call.name !== '' && !call.isCustom;
    if (isNew) this.#start(call, emit);
    this.#add(call, piece.text, emit);
  }

  /** What is whole ends; the rest may still go on. */
  closeWhole(emit: Emit): void {
    for (const call of this.#calls)
      if (call.isOpen && !call.isCustom && call.whole.is(call.text)) this.#close(call, emit);
  }

  /** The choice is over. */
  closeAll(emit: Emit): void {
    for (const call of this.#calls) if (call.isOpen) this.#close(call, emit);
  }

  #find({ id, index, name, text }: Piece): OpenCall | undefined {
    const atIndex = index === undefined ? undefined : this.#calls.findLast((call) => call.index === index);
    if (id !== '') {
      const same = this.#calls.findLast((call) => call.wireId === id && (index === undefined || call.index === index));
      if (same) return same;
      return atIndex && atIndex.wireId === '' && name === '' ? atIndex : undefined;
    }
    if (index === undefined) return name === '' ? this.#calls.at(-1) : undefined;
    // A second whole call under the same index.
    const isNext = atIndex && name !== '' && text !== '' && atIndex.whole.is(atIndex.text);
    return isNext ? undefined : atIndex;
  }

  #open({ id, index, name, isCustom, signature }: Piece, emit: Emit): OpenCall | undefined {
    if (this.#calls.length >= MAX_CALLS) return undefined;
    this.closeWhole(emit);
    const isTaken = id === '' || this.#calls.some(({ callId }) => callId === id);
    const call: OpenCall = {
      callId: isTaken ? this.#newId('call_') : id,
      wireId: id,
      index,
      isCustom,
      signature: signature ?? this.#signatures.get(id),
      name,
      text: '',
      whole: new WholeObject(),
      isStarted: false,
      isOpen: true,
      isTooLong: false,
    };
    this.#signatures.delete(id);
    this.#calls.push(call);
    return call;
  }

  #start(call: OpenCall, emit: Emit): void {
    const { callId, name, signature } = call;
    call.isStarted = true;
    emit({ type: 'tool-call-start', choice: this.#choice, callId, name, signature });
    if (call.text !== '') emit({ type: 'tool-call-delta', choice: this.#choice, callId, argumentsDelta: call.text });
  }

  #add(call: OpenCall, text: string, emit: Emit): void {
    if (text === '') return;
    call.isTooLong ||= call.text.length + text.length > MAX_HELD_CHARACTERS;
    if (call.isTooLong && !call.isStarted) return emit(tooMuch('A tool call is too long.'));
    // A text that is no longer held is never taken for whole.
    call.text = call.isTooLong ? '…' : call.text + text;
    call.whole.push(call.isTooLong ? call.text : text);
    if (call.isStarted)
      emit({ type: 'tool-call-delta', choice: this.#choice, callId: call.callId, argumentsDelta: text });
  }

  /** Blank text and the same call once more change nothing; anything else would be lost. */
  #late(call: OpenCall, { text }: Piece, emit: Emit): void {
    if (text.trim() === '' || text === call.text) return;
    const error = new GatewayError('upstream_invalid_answer', 'A tool call goes on after its arguments were whole.');
    emit({ type: 'error', error });
  }

  #close(call: OpenCall, emit: Emit): void {
    call.isOpen = false;
    const { callId, name, text } = call;
    if (call.isCustom) {
      const json = JSON.stringify({ id: callId, type: 'custom', custom: { name, input: text } });
      return emit({ type: 'native', choice: this.#choice, origin: ORIGIN, name: 'custom_tool_call', json });
    }
    if (!call.isStarted) this.#start(call, emit);
    if (text.trim() === '') emit({ type: 'tool-call-delta', choice: this.#choice, callId, argumentsDelta: '{}' });
    emit({ type: 'tool-call-end', choice: this.#choice, callId });
  }
}

function tooMuch(text: string): GenerationEvent {
  return { type: 'error', error: new GatewayError('upstream_invalid_answer', text) };
}

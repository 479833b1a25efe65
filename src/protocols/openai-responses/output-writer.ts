/**
 * The items of an answer, one after the other: an item is open until the next one begins, and its last event repeats
 * all of it. Knows nothing of the order in which a worker tells things.
 * Source: OpenAI API reference, responses streaming events.
 */
import type { TokenLogprob } from '../../domain/generation-event.ts';
import type { JsonText, Signature } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { SignedThing } from './carried-thought.ts';
import { carryThought } from './carried-thought.ts';

export interface OutputFacts {
  newId(prefix: string): string;
  /** One event; its name without `response.`. */
  write(type: string, members: Readonly<Record<string, JsonOut>>): void;
  /** The event `output_text.delta` without log probabilities. */
  writeText(place: TextPlace, text: string): void;
}

/** Where a part stands that is being written. */
export interface TextPlace {
  readonly item_id: string;
  readonly output_index: number;
  readonly content_index: number;
}

type Status = 'completed' | 'incomplete';

interface TextOut {
  readonly type: 'output_text' | 'refusal';
  text: string;
  readonly annotations: JsonOut[];
  readonly logprobs: JsonOut[];
  /** The worker has ended it, but what is said of it may still come. */
  isEnded: boolean;
}

interface OpenMessage {
  readonly type: 'message';
  readonly id: string;
  readonly parts: JsonOut[];
  part: TextOut | undefined;
}

interface OpenThought {
  readonly type: 'reasoning';
  readonly id: string;
  text: string;
}

interface OpenCall {
  readonly type: 'function_call';
  readonly id: string;
  readonly callId: string;
  readonly name: string;
  text: string;
}

export class OutputWriter {
  /** Items that are whole. */
  readonly items: JsonOut[] = [];
  readonly #facts: OutputFacts;
  #open: OpenMessage | OpenThought | OpenCall | undefined;

  constructor(facts: OutputFacts) {
    this.#facts = facts;
  }

  /** Id of the call whose arguments are being written. */
  get openCallId(): string | undefined {
    return this.#open?.type === 'function_call' ? this.#open.callId : undefined;
  }

  text(text: string, logprobs: readonly TokenLogprob[] | undefined): void {
    const { message, part } = this.#part('output_text');
    part.text += text;
    if (!logprobs || logprobs.length === 0) return this.#facts.writeText(this.#at(message), text);
    const told = logprobs.map(logprobOut);
    part.logprobs.push(...told);
    this.#write('output_text.delta', { ...this.#at(message), delta: text, logprobs: told });
  }

  endText(): void {
    if (this.#open?.type === 'message' && this.#open.part) this.#open.part.isEnded = true;
  }

  refusal(text: string): void {
    const { message, part } = this.#part('refusal');
    part.text += text;
    this.#write('refusal.delta', { ...this.#at(message), delta: text });
  }

  /** Length of the text that a citation stands behind; undefined when there is none. */
  get textLength(): number | undefined {
    const part = this.#open?.type === 'message' ? this.#open.part : undefined;
    return part?.type === 'output_text' ? part.text.length : undefined;
  }

  /** Of the text before it. */
  annotation(annotation: JsonOut): void {
    const message = this.#open;
    if (message?.type !== 'message' || message.part === undefined) return;
    const index = message.part.annotations.push(annotation) - 1;
    this.#write('output_text.annotation.added', { ...this.#at(message), annotation_index: index, annotation });
  }

  thought(text: string): void {
    const thought = this.#thought();
    const place = { item_id: thought.id, output_index: this.items.length, summary_index: 0 };
    if (thought.text === '') this.#write('reasoning_summary_part.added', { ...place, part: summaryOut('') });
    thought.text += text;
    this.#write('reasoning_summary_text.delta', { ...place, delta: text });
  }

  endThought(thing: SignedThing, signature: Signature | undefined): void {
    this.#closeThought(this.#thought(), 'completed', signature && carryThought(thing, signature));
  }

  /** A signature of what has no place for one: an item of its own, without text. */
  sign(thing: SignedThing, signature: Signature): void {
    this.close('completed');
    this.endThought(thing, signature);
  }

  call(callId: string, name: string): void {
    this.close('completed');
    const call: OpenCall = { type: 'function_call', id: this.#facts.newId('fc_'), callId, name, text: '' };
    this.#open = call;
    this.#write('output_item.added', { output_index: this.items.length, item: callOut(call, 'in_progress') });
  }

  /** Of the call that is open. */
  callArguments(delta: string): void {
    const call = this.#open;
    if (call?.type !== 'function_call' || delta === '') return;
    call.text += delta;
    this.#write('function_call_arguments.delta', { item_id: call.id, output_index: this.items.length, delta });
  }

  /** An item as the API itself has it. */
  native(json: JsonText): void {
    this.close('completed');
    this.#write('output_item.added', { output_index: this.items.length, item: raw(json) });
    this.#done(raw(json));
  }

  close(status: Status): void {
    const open = this.#open;
    if (open?.type === 'message') this.#closeMessage(open, status);
    else if (open?.type === 'reasoning') this.#closeThought(open, status, undefined);
    else if (open) this.#closeCall(open, status);
  }

  #part(type: TextOut['type']): { message: OpenMessage; part: TextOut } {
    if (this.#open?.type !== 'message') {
      this.close('completed');
      const id = this.#facts.newId('msg_');
      this.#open = { type: 'message', id, parts: [], part: undefined };
      const item = messageOut(id, [], 'in_progress');
      this.#write('output_item.added', { output_index: this.items.length, item });
    }
    const message = this.#open;
    if (message.part?.type !== type || message.part.isEnded) {
      this.#closePart(message);
      message.part = { type, text: '', annotations: [], logprobs: [], isEnded: false };
      this.#write('content_part.added', { ...this.#at(message), part: partOut(message.part) });
    }
    return { message, part: message.part };
  }

  #closePart(message: OpenMessage): void {
    const { part } = message;
    if (part === undefined) return;
    const at = this.#at(message);
    if (part.type === 'refusal') this.#write('refusal.done', { ...at, refusal: part.text });
    else this.#write('output_text.done', { ...at, text: part.text, logprobs: part.logprobs });
    this.#write('content_part.done', { ...at, part: partOut(part) });
    message.parts.push(partOut(part));
    message.part = undefined;
  }

  #closeMessage(message: OpenMessage, status: Status): void {
    this.#closePart(message);
    this.#done(messageOut(message.id, message.parts, status));
  }

  #thought(): OpenThought {
    if (this.#open?.type === 'reasoning') return this.#open;
    this.close('completed');
    const thought: OpenThought = { type: 'reasoning', id: this.#facts.newId('rs_'), text: '' };
    this.#open = thought;
    const item = { id: thought.id, type: 'reasoning', summary: [] };
    this.#write('output_item.added', { output_index: this.items.length, item });
    return thought;
  }

  #closeThought({ id, text }: OpenThought, status: Status, encrypted: string | undefined): void {
    const place = { item_id: id, output_index: this.items.length, summary_index: 0 };
    if (text !== '') {
      this.#write('reasoning_summary_text.done', { ...place, text });
      this.#write('reasoning_summary_part.done', { ...place, part: summaryOut(text) });
    }
    const summary = text === '' ? [] : [summaryOut(text)];
    const cut = status === 'incomplete' ? status : undefined;
    this.#done({ id, type: 'reasoning', summary, encrypted_content: encrypted, status: cut });
  }

  #closeCall(call: OpenCall, status: Status): void {
    if (call.text === '') this.callArguments('{}');
    const at = { item_id: call.id, output_index: this.items.length };
    this.#write('function_call_arguments.done', { ...at, name: call.name, arguments: call.text });
    this.#done(callOut(call, status));
  }

  #done(item: JsonOut): void {
    this.#write('output_item.done', { output_index: this.items.length, item });
    this.items.push(item);
    this.#open = undefined;
  }

  #at({ id, parts }: OpenMessage): TextPlace & Readonly<Record<string, JsonOut>> {
    return { item_id: id, output_index: this.items.length, content_index: parts.length };
  }

  #write(type: string, members: Readonly<Record<string, JsonOut>>): void {
    this.#facts.write(type, members);
  }
}

function messageOut(id: string, content: readonly JsonOut[], status: Status | 'in_progress'): JsonOut {
  return { id, type: 'message', status, role: 'assistant', content: [...content] };
}

function partOut({ type, text, annotations, logprobs }: TextOut): JsonOut {
  if (type === 'refusal') return { type, refusal: text };
  return { type, annotations: [...annotations], logprobs: [...logprobs], text };
}

function callOut({ id, callId, name, text }: OpenCall, status: Status | 'in_progress'): JsonOut {
  return { id, type: 'function_call', status, arguments: text, call_id: callId, name };
}

function summaryOut(text: string): JsonOut {
  return { type: 'summary_text', text };
}

function logprobOut({ token, logprob, bytes, top }: TokenLogprob): JsonOut {
  const top_logprobs = top.map((each) => ({ token: each.token, logprob: each.logprob, bytes: each.bytes ?? null }));
  return { token, logprob, bytes: bytes ?? null, top_logprobs };
}

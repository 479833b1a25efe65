/**
 * One item of an answer's output, from its deltas and from its final form, to events. The final form is right where
 * deltas were missing; what deltas have told is not told again.
 * Source: OpenAI API reference, responses streaming events.
 */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { ThoughtOrigin } from '../../domain/generation.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { readThought } from './carried-thought.ts';
import { OWN } from './own-forms.ts';
import { readLogprobs } from './read-usage.ts';

export type Emit = (event: GenerationEvent) => void;

export interface ItemFacts extends DecodeFacts {
  readonly origin: ThoughtOrigin;
  readonly emit: Emit;
}

/** How much of a part of an item has been told. */
interface ToldPart {
  length: number;
  annotations: number;
  isRefusal: boolean;
  isEnded: boolean;
}

const CHOICE = 0;

export class OutputItem {
  /** Undefined until the item itself has been seen. */
  type: string | undefined;
  /** Has refused, has called: what the end of the answer is named after. */
  hasRefusal = false;
  readonly #facts: ItemFacts;
  readonly #parts = new Map<number, ToldPart>();
  /** Of a call: told with its start; deltas before it are left to the final form. */
  #callId: string | undefined;
  #argumentsLength = 0;
  /** Thoughts are told from their summary or from their text, from whichever comes first. */
  #thoughtKind: 'summary' | 'content' | undefined;
  #thoughtLength = 0;
  #thoughtPart = 0;

  constructor(facts: ItemFacts) {
    this.#facts = facts;
  }

  get isCall(): boolean {
    return this.#callId !== undefined;
  }

  /** `response.output_item.added`. */
  add(item: JsonNode): void {
    this.type = item.get('type')?.string ?? '';
    if (this.type === 'function_call') this.#startCall(item);
  }

  text(index: number, delta: string, logprobs: JsonNode | undefined): void {
    const part = this.#part(index);
    if (delta === '') return;
    part.length += delta.length;
    this.#facts.emit({ type: 'text-delta', choice: CHOICE, text: delta, logprobs: readLogprobs(logprobs) });
  }

  refusal(index: number, delta: string): void {
    const part = this.#part(index);
    part.length += delta.length;
    part.isRefusal = true;
    this.hasRefusal = true;
    if (delta !== '') this.#facts.emit({ type: 'refusal-delta', choice: CHOICE, text: delta });
  }

  annotation(index: number, annotation: JsonNode): void {
    this.#part(index).annotations += 1;
    this.#cite(annotation);
  }

  /** `response.content_part.done`. */
  partDone(index: number, part: JsonNode): void {
    const told = this.#part(index);
    if (told.isEnded) return;
    if (part.get('type')?.string === 'refusal') {
      this.refusal(index, (part.get('refusal')?.string ?? '').slice(told.length));
      return this.#endText(told);
    }
    const rest = (part.get('text')?.string ?? '').slice(told.length);
    this.text(index, rest, told.length === 0 ? part.get('logprobs') : undefined);
    for (const each of part.get('annotations')?.items.slice(told.annotations) ?? []) this.annotation(index, each);
    this.#endText(told);
  }

  callArguments(delta: string): void {
    if (this.#callId === undefined || delta === '') return;
    this.#argumentsLength += delta.length;
    this.#facts.emit({ type: 'tool-call-delta', choice: CHOICE, callId: this.#callId, argumentsDelta: delta });
  }

  thought(kind: 'summary' | 'content', index: number, delta: string): void {
    this.#thoughtKind ??= kind;
    if (this.#thoughtKind !== kind || delta === '') return;
    const isNext = index > this.#thoughtPart && this.#thoughtLength > 0;
    this.#thoughtPart = Math.max(this.#thoughtPart, index);
    const text = isNext ? `\n\n${delta}` : delta;
    this.#thoughtLength += text.length;
    this.#facts.emit({ type: 'reasoning-delta', choice: CHOICE, text });
  }

  /** `response.output_item.done`, or the item in a whole answer. */
  done(item: JsonNode): void {
    this.type = item.get('type')?.string ?? this.type ?? '';
    switch (this.type) {
      case 'message':
        for (const [index, part] of (item.get('content')?.items ?? []).entries()) this.partDone(index, part);
        return this.close();
      case 'function_call':
        this.#startCall(item);
        this.callArguments((item.get('arguments')?.string ?? '').slice(this.#argumentsLength));
        return this.close();
      case 'reasoning':
        return this.#endThought(item);
      default:
        this.#facts.emit({ type: 'native', choice: CHOICE, origin: OWN, name: this.type, json: item.text });
    }
  }

  /** What is open ends without a final form. */
  close(): void {
    for (const part of this.#parts.values()) this.#endText(part);
    if (this.#callId === undefined) return;
    if (this.#argumentsLength === 0) this.callArguments('{}');
    this.#facts.emit({ type: 'tool-call-end', choice: CHOICE, callId: this.#callId });
  }

  /** A call is told once it has a name; its id may be missing. */
  #startCall(item: JsonNode): void {
    const name = item.get('name')?.string ?? '';
    if (this.#callId !== undefined || name === '') return;
    const given = item.get('call_id')?.string ?? item.get('id')?.string ?? '';
    const callId = given === '' ? this.#facts.newId('call_') : given;
    this.#callId = callId;
    this.#facts.emit({ type: 'tool-call-start', choice: CHOICE, callId, name, signature: undefined });
  }

  #endThought(item: JsonNode): void {
    const summary = textsOf(item.get('summary'));
    const isSummary = this.#thoughtKind === 'summary' || (this.#thoughtKind === undefined && summary.length > 0);
    const text = (isSummary ? summary : textsOf(item.get('content'))).join('\n\n');
    const rest = text.slice(this.#thoughtLength);
    if (rest !== '') this.#facts.emit({ type: 'reasoning-delta', choice: CHOICE, text: rest });
    const encrypted = item.get('encrypted_content')?.string;
    const itemId = item.get('id')?.string;
    const carried = encrypted === undefined ? undefined : readThought(encrypted, this.#facts.origin, itemId);
    this.#facts.emit({
      type: 'reasoning-end',
      choice: CHOICE,
      signature: carried?.signature,
      isRedacted: carried?.thing === 'redacted',
      itemId,
    });
  }

  #cite(annotation: JsonNode): void {
    this.#facts.emit({
      type: 'citation',
      choice: CHOICE,
      url: annotation.get('url')?.string,
      title: annotation.get('title')?.string ?? annotation.get('filename')?.string,
      quote: undefined,
      json: annotation.text,
      origin: OWN,
    });
  }

  #endText(part: ToldPart): void {
    if (part.isEnded) return;
    part.isEnded = true;
    if (!part.isRefusal) this.#facts.emit({ type: 'text-end', choice: CHOICE, signature: undefined });
  }

  #part(index: number): ToldPart {
    let part = this.#parts.get(index);
    if (part === undefined) {
      part = { length: 0, annotations: 0, isRefusal: false, isEnded: false };
      this.#parts.set(index, part);
    }
    return part;
  }
}

function textsOf(list: JsonNode | undefined): string[] {
  return (list?.items ?? []).map((part) => part.get('text')?.string ?? '');
}

/**
 * One content block of an answer on its way in, from its start to its stop: what each kind emits. A block of a kind
 * that only this API has is gathered and given out whole. Source: Anthropic API reference, streaming messages.
 */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { JsonText } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { isObjectText, jsonText, raw } from '../hub/json-text.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { readProof } from './carried-marks.ts';
import { NATIVE_ORIGIN, NO_ARGUMENTS } from './wire.ts';

export type Emit = (event: GenerationEvent) => void;

/** `delta` of an event: its own type and members. */
export type Delta = Readonly<Record<string, unknown>>;

export interface OpenBlock {
  /** `json` is the delta's text, for what must keep its bytes. */
  delta(delta: Delta, json: () => JsonNode | undefined, emit: Emit): void;
  stop(emit: Emit): void;
}

/** Emits what the start holds already. `newId` is for a call without an id. */
export function openBlock(node: JsonNode, newId: (prefix: string) => string, emit: Emit): OpenBlock {
  switch (textOf(node, 'type')) {
    case 'text':
      return openText(node, emit);
    case 'thinking':
      return openThinking(node, emit);
    case 'redacted_thinking':
      return redacted(textOf(node, 'data'));
    case 'tool_use':
      return new ToolBlock(node, textOf(node, 'id') || newId('toolu_'), emit);
    default:
      return new NativeBlock(node);
  }
}

/** A block that a server forgot to start; undefined when its delta does not tell what it is. */
export function unstartedBlock(delta: Delta): OpenBlock | undefined {
  if (delta['type'] === 'text_delta') return new TextBlock();
  return delta['type'] === 'thinking_delta' ? new ThinkingBlock() : undefined;
}

function textOf(node: JsonNode, name: string): string {
  return node.get(name)?.string ?? '';
}

function openText(node: JsonNode, emit: Emit): TextBlock {
  const text = textOf(node, 'text');
  if (text !== '') emit({ type: 'text-delta', choice: 0, text, logprobs: undefined });
  for (const citation of node.get('citations')?.items ?? []) emit(citationOf(citation));
  return new TextBlock();
}

class TextBlock implements OpenBlock {
  delta(delta: Delta, json: () => JsonNode | undefined, emit: Emit): void {
    if (delta['type'] === 'text_delta') emitText(delta['text'], emit);
    const citation = delta['type'] === 'citations_delta' ? json()?.get('citation') : undefined;
    if (citation) emit(citationOf(citation));
  }

  stop(emit: Emit): void {
    emit({ type: 'text-end', choice: 0, signature: undefined });
  }
}

function emitText(text: unknown, emit: Emit): void {
  if (typeof text === 'string' && text !== '') emit({ type: 'text-delta', choice: 0, text, logprobs: undefined });
}

function citationOf(node: JsonNode): GenerationEvent {
  return {
    type: 'citation',
    choice: 0,
    url: node.get('url')?.string ?? undefined,
    title: node.get('title')?.string ?? node.get('document_title')?.string,
    quote: node.get('cited_text')?.string,
    json: node.text,
    origin: NATIVE_ORIGIN,
  };
}

function openThinking(node: JsonNode, emit: Emit): ThinkingBlock {
  emitThought(textOf(node, 'thinking'), emit);
  return new ThinkingBlock(textOf(node, 'signature'));
}

function emitThought(text: unknown, emit: Emit): void {
  if (typeof text === 'string' && text !== '') emit({ type: 'reasoning-delta', choice: 0, text });
}

class ThinkingBlock implements OpenBlock {
  #signature: string;

  constructor(signature = '') {
    this.#signature = signature;
  }

  delta(delta: Delta, _json: unknown, emit: Emit): void {
    if (delta['type'] === 'thinking_delta') emitThought(delta['thinking'], emit);
    const signature = delta['type'] === 'signature_delta' ? delta['signature'] : undefined;
    if (typeof signature === 'string') this.#signature += signature;
  }

  stop(emit: Emit): void {
    const signature = readProof(this.#signature);
    emit({ type: 'reasoning-end', choice: 0, signature, isRedacted: false, itemId: undefined });
  }
}

function redacted(data: string): OpenBlock {
  const signature = readProof(data);
  return {
    delta: () => undefined,
    stop: (emit) => emit({ type: 'reasoning-end', choice: 0, signature, isRedacted: true, itemId: undefined }),
  };
}

class ToolBlock implements OpenBlock {
  readonly #callId: string;
  /** Of the start: some servers give all arguments there. */
  readonly #input: JsonText;
  #hasDelta = false;

  constructor(node: JsonNode, callId: string, emit: Emit) {
    this.#callId = callId;
    this.#input = node.get('input')?.text ?? NO_ARGUMENTS;
    emit({ type: 'tool-call-start', choice: 0, callId, name: textOf(node, 'name'), signature: undefined });
  }

  delta(delta: Delta, _json: unknown, emit: Emit): void {
    const piece = delta['type'] === 'input_json_delta' ? delta['partial_json'] : undefined;
    if (typeof piece !== 'string' || piece === '') return;
    this.#hasDelta = true;
    emit({ type: 'tool-call-delta', choice: 0, callId: this.#callId, argumentsDelta: piece });
  }

  stop(emit: Emit): void {
    const callId = this.#callId;
    const argumentsDelta = isObjectText(this.#input) ? this.#input : NO_ARGUMENTS;
    if (!this.#hasDelta) emit({ type: 'tool-call-delta', choice: 0, callId, argumentsDelta });
    emit({ type: 'tool-call-end', choice: 0, callId });
  }
}

/** Deltas are told by their members: text is appended to the member of the same name, all else replaces it. */
class NativeBlock implements OpenBlock {
  readonly #members: Map<string, JsonOut>;
  readonly #name: string;
  #inputText = '';

  constructor(node: JsonNode) {
    this.#members = new Map([...node.members].map(([name, value]) => [name, value.string ?? raw(value.text)]));
    this.#name = textOf(node, 'type');
  }

  delta(delta: Delta, json: () => JsonNode | undefined): void {
    if (delta['type'] === 'input_json_delta') {
      this.#inputText += typeof delta['partial_json'] === 'string' ? delta['partial_json'] : '';
      return;
    }
    for (const [name, value] of json()?.members ?? []) {
      const before = this.#members.get(name);
      if (name === 'type') continue;
      const text = value.string;
      if (text === undefined) this.#members.set(name, raw(value.text));
      else this.#members.set(name, typeof before === 'string' ? before + text : text);
    }
  }

  stop(emit: Emit): void {
    if (isObjectText(this.#inputText)) this.#members.set('input', raw(this.#inputText));
    const json = jsonText(Object.fromEntries(this.#members));
    emit({ type: 'native', choice: 0, origin: NATIVE_ORIGIN, name: this.#name, json });
  }
}

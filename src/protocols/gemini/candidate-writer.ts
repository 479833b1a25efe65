/**
 * One candidate of an answer for a client: the hub's blocks as parts, in their order. Calls are collected, because
 * Gemini gives them whole.
 */
import type { GenerationEvent, TokenLogprob } from '../../domain/generation-event.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { isObjectText, raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { writeCitations } from './citations.ts';
import type { Finish } from './finish-reasons.ts';
import { writeFinish } from './finish-reasons.ts';
import { writeSignature, writeThoughtMarks } from './thought-signature.ts';

type Citation = GenerationEvent & { readonly type: 'citation' };

/** Text and thoughts can grow while nothing has signed them; all else is whole. */
export type OutPart =
  | { readonly kind: 'text' | 'thought'; readonly text: string; readonly thoughtSignature: string | undefined }
  | { readonly kind: 'whole'; readonly json: JsonOut };

/** What one event adds. */
export interface Piece {
  readonly parts: readonly OutPart[];
  readonly logprobs: readonly TokenLogprob[] | undefined;
  /** Closes the block: text that follows is another part. */
  readonly endsBlock: boolean;
}

interface OpenCall {
  readonly callId: string;
  readonly name: string;
  readonly thoughtSignature: string | undefined;
  readonly pieces: string[];
}

/** Beyond this a citation more says nothing more. */
const MAX_CITATIONS = 1_000;

/** Lives as long as the answer. Takes events in any order and throws nothing. */
export class CandidateWriter {
  readonly #warnings: Warnings;
  readonly #calls = new Map<string, OpenCall>();
  readonly #citations: Citation[] = [];
  #finish: Finish | undefined;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  /** What the event adds to the candidate now; undefined: nothing yet. */
  write(event: GenerationEvent): Piece | undefined {
    switch (event.type) {
      case 'text-delta':
        return piece(event.text === '' ? [] : [textPart('text', event.text)], false, event.logprobs);
      case 'text-end':
        return this.#end('text', event.signature && writeSignature(event.signature));
      case 'reasoning-delta':
        return event.text === '' ? undefined : piece([textPart('thought', event.text)], false);
      case 'reasoning-end':
        return this.#end('thought', writeThoughtMarks(event));
      case 'refusal-delta':
        this.#warnOnce('changed', 'refusal', 'is sent as text: this API has no place for it');
        return event.text === '' ? undefined : piece([textPart('text', event.text)], false);
      case 'native':
        return this.#native(event);
      case 'finish':
        this.#finish = event;
        return undefined;
      case 'citation':
        return this.#cite(event);
      default:
        return this.#call(event);
    }
  }

  /** What has come of calls that were not ended. */
  rest(): readonly OutPart[] {
    const parts = [...this.#calls.values()].map((call) => this.#callPart(call));
    this.#calls.clear();
    return parts;
  }

  /** Members that stand beside the content once the candidate is whole. */
  ending(): { readonly finishReason: string; readonly groundingMetadata: JsonOut | undefined } {
    const finish = this.#finish ?? { reason: 'stop', detail: undefined };
    return {
      finishReason: writeFinish(finish, this.#warnings),
      groundingMetadata: this.#citations.length > 0 ? writeCitations(this.#citations) : undefined,
    };
  }

  #end(kind: 'text' | 'thought', thoughtSignature: string | undefined): Piece {
    return piece(thoughtSignature === undefined ? [] : [{ kind, text: '', thoughtSignature }], true);
  }

  #call(event: GenerationEvent): Piece | undefined {
    if (event.type === 'tool-call-start') {
      const { callId, name, signature } = event;
      const known = this.#calls.get(callId);
      const thoughtSignature = signature && writeSignature(signature);
      this.#calls.set(callId, { callId, name, thoughtSignature, pieces: [] });
      return known && piece([this.#callPart(known)], true);
    }
    if (event.type === 'tool-call-delta') this.#calls.get(event.callId)?.pieces.push(event.argumentsDelta);
    if (event.type !== 'tool-call-end') return undefined;
    const call = this.#calls.get(event.callId);
    this.#calls.delete(event.callId);
    return call && piece([this.#callPart(call)], true);
  }

  #callPart({ callId, name, thoughtSignature, pieces }: OpenCall): OutPart {
    const text = pieces.join('').trim();
    const isObject = isObjectText(text);
    if (!isObject && text !== '')
      this.#warnOnce('changed', `arguments of ${name}`, 'are no JSON object: they are sent as the text of one member');
    const args = isObject ? raw(text) : text === '' ? {} : { arguments: text };
    return { kind: 'whole', json: { functionCall: { id: callId, name, args }, thoughtSignature } };
  }

  #native({ origin, name, json }: GenerationEvent & { readonly type: 'native' }): Piece | undefined {
    if (origin === 'gemini' && isObjectText(json)) return piece([{ kind: 'whole', json: raw(json) }], true);
    this.#warnOnce('lost', name, `is a block that only ${origin} has`);
    return undefined;
  }

  #cite(citation: Citation): undefined {
    if (this.#citations.length < MAX_CITATIONS) this.#citations.push(citation);
    else this.#warnOnce('lost', 'citations', `beyond ${MAX_CITATIONS} are not told`);
  }

  #warnOnce(kind: 'lost' | 'changed', field: string, reason: string): void {
    if (!this.#warnings.list.some((each) => each.field === field)) this.#warnings[kind](field, reason);
  }
}

function textPart(kind: 'text' | 'thought', text: string): OutPart {
  return { kind, text, thoughtSignature: undefined };
}

function piece(parts: readonly OutPart[], endsBlock: boolean, logprobs?: readonly TokenLogprob[]): Piece {
  return { parts, logprobs, endsBlock };
}

/** As it stands in `parts`. */
export function jsonOfPart(part: OutPart): JsonOut {
  if (part.kind === 'whole') return part.json;
  const { kind, text, thoughtSignature } = part;
  return { text, thought: kind === 'thought' || undefined, thoughtSignature };
}

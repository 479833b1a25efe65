/**
 * Writes the deltas of one choice of a stream. Takes events in any order: what has no beginning is told as lost, what
 * comes behind the finish too.
 * Bound  the text of a thought is held for the case that it is signed, up to MAX_HELD_CHARACTERS
 */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { EventOf } from './answer-parts.ts';
import { placeOf, writeAnnotation, writeExtraContent } from './answer-parts.ts';
import { writeFinish } from './finish-reasons.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeCallSignature, writeThought } from './reasoning-details.ts';

type Members = { [name: string]: JsonOut | undefined };
export type EmitChoice = (choice: JsonOut) => void;
export type ChoiceEvent = Extract<GenerationEvent, { choice: number }>;

const MAX_HELD_CHARACTERS = 8 * 1024 * 1024;

interface WrittenCall {
  readonly index: number;
  hasArguments: boolean;
  isOpen: boolean;
}

export class ChoiceWriter {
  readonly #index: number;
  readonly #warnings: Warnings;
  readonly #hidesThoughts: boolean;
  readonly #calls = new Map<string, WrittenCall>();
  #callCount = 0;
  #detailCount = 0;
  #thought = '';
  #hasRole = false;
  #hasRefusal = false;
  #isFinished = false;
  #textEnd = 0;
  #textStart = 0;

  constructor(index: number, request: GenerationRequest, warnings: Warnings) {
    this.#index = index;
    this.#warnings = warnings;
    this.#hidesThoughts = request.reasoning.summary === 'none';
  }

  write(event: ChoiceEvent, emit: EmitChoice): void {
    if (this.#isFinished) {
      this.#warnings.lost(event.type, 'came behind the end of its choice');
      return;
    }
    this.#beginRole(emit);
    switch (event.type) {
      case 'text-delta':
        return this.#text(event, emit);
      case 'text-end':
        return this.#textDone(event, emit);
      case 'reasoning-delta':
        return this.#think(event, emit);
      case 'reasoning-end':
        return this.#thoughtDone(event, emit);
      case 'refusal-delta':
        this.#hasRefusal = true;
        return this.#delta({ refusal: event.text }, emit);
      case 'tool-call-start':
        return this.#callStart(event, emit);
      case 'tool-call-delta':
        return this.#callDelta(event, emit);
      case 'tool-call-end':
        return this.#callEnd(event.callId, emit);
      case 'citation':
        return this.#cite(event, emit);
      case 'native':
        return this.#native(event, emit);
      case 'finish':
        return this.#finish(event, emit);
    }
  }

  /** A text needs no more than its own delta; then it counts as written. */
  takesPlain(text: string): boolean {
    if (!this.#hasRole || this.#isFinished) return false;
    this.#textEnd += text.length;
    return true;
  }

  /** Every choice has a reason. */
  end(emit: EmitChoice): void {
    if (this.#isFinished) return;
    this.#beginRole(emit);
    const reason = this.#callCount > 0 ? 'tool_calls' : 'stop';
    this.#finish({ type: 'finish', choice: this.#index, reason, stopSequence: undefined, detail: undefined }, emit);
  }

  #delta(delta: Members, emit: EmitChoice, logprobs: JsonOut = null): void {
    emit({ index: this.#index, delta, logprobs, finish_reason: null });
  }

  #beginRole(emit: EmitChoice): void {
    if (this.#hasRole) return;
    this.#hasRole = true;
    this.#delta({ role: 'assistant', content: '' }, emit);
  }

  #text({ text, logprobs }: EventOf<'text-delta'>, emit: EmitChoice): void {
    this.#textEnd += text.length;
    this.#delta({ content: text }, emit, logprobs ? writeLogprobs(logprobs) : null);
  }

  #textDone({ signature }: EventOf<'text-end'>, emit: EmitChoice): void {
    this.#textStart = this.#textEnd;
    if (signature && !this.#hidesThoughts)
      this.#details({ text: '', signature, isRedacted: false, itemId: undefined }, emit);
  }

  #think({ text }: EventOf<'reasoning-delta'>, emit: EmitChoice): void {
    if (this.#hidesThoughts) return;
    if (this.#thought.length <= MAX_HELD_CHARACTERS) this.#thought += text;
    this.#delta({ reasoning_content: text }, emit);
  }

  #thoughtDone(event: EventOf<'reasoning-end'>, emit: EmitChoice): void {
    const text = this.#thought;
    this.#thought = '';
    if (!event.signature || this.#hidesThoughts) return;
    if (text.length > MAX_HELD_CHARACTERS)
      return this.#warnings.lost('reasoning.signature', 'is of a thought too long to be held');
    const { signature, isRedacted, itemId } = event;
    this.#details({ text, signature, isRedacted, itemId }, emit);
  }

  #details(part: Parameters<typeof writeThought>[0], emit: EmitChoice): void {
    const details = writeThought(part, this.#detailCount);
    this.#detailCount += details.length;
    this.#delta({ reasoning_details: details }, emit);
  }

  #callStart({ callId, name, signature }: EventOf<'tool-call-start'>, emit: EmitChoice): void {
    if (this.#calls.has(callId)) return this.#warnings.lost('tool-call-start', 'came twice for one call');
    const index = this.#callCount;
    this.#callCount += 1;
    this.#calls.set(callId, { index, hasArguments: false, isOpen: true });
    const call = {
      index,
      id: callId,
      type: 'function',
      function: { name, arguments: '' },
      extra_content: writeExtraContent(signature),
    };
    const details = signature ? [writeCallSignature(callId, signature, this.#detailCount)] : undefined;
    this.#detailCount += details?.length ?? 0;
    this.#delta({ reasoning_details: details, tool_calls: [call] }, emit);
  }

  #callDelta({ callId, argumentsDelta }: EventOf<'tool-call-delta'>, emit: EmitChoice): void {
    const call = this.#calls.get(callId);
    if (!call?.isOpen) return this.#warnings.lost('tool-call-delta', 'belongs to no open call');
    call.hasArguments ||= argumentsDelta.trim() !== '';
    this.#arguments(call, argumentsDelta, emit);
  }

  #arguments({ index }: WrittenCall, text: string, emit: EmitChoice): void {
    this.#delta({ tool_calls: [{ index, function: { arguments: text } }] }, emit);
  }

  #callEnd(callId: string, emit: EmitChoice): void {
    const call = this.#calls.get(callId);
    if (!call?.isOpen) return;
    call.isOpen = false;
    if (!call.hasArguments) this.#arguments(call, '{}', emit);
  }

  #cite(event: EventOf<'citation'>, emit: EmitChoice): void {
    const annotation = writeAnnotation(event, { start: this.#textStart, end: this.#textEnd }, this.#warnings);
    if (annotation !== undefined) this.#delta({ annotations: [annotation] }, emit);
  }

  #native(event: EventOf<'native'>, emit: EmitChoice): void {
    const place = placeOf(event, this.#warnings);
    if (place === 'images') return this.#delta({ images: [raw(event.json)] }, emit);
    if (place === 'audio') return this.#delta({ audio: raw(event.json) }, emit);
    if (place === undefined) return;
    const index = this.#callCount;
    this.#callCount += 1;
    // The index goes into the text of the object, which stays as it is.
    this.#delta({ tool_calls: [raw(event.json.replace('{', `{"index":${index},`))] }, emit);
  }

  #finish(event: EventOf<'finish'>, emit: EmitChoice): void {
    for (const callId of this.#calls.keys()) this.#callEnd(callId, emit);
    this.#isFinished = true;
    emit({ index: this.#index, delta: {}, logprobs: null, ...writeFinish(event, this.#hasRefusal) });
  }
}

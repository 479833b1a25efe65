/**
 * The event stream of chat completions to events. The stream is complete with `[DONE]`, or when every choice has given
 * a reason and the bytes end. Source: OpenAI API reference, "The chat completion chunk object".
 */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent, GenerationUsage } from '../../domain/generation-event.ts';
import { inBandFailure, isClientFault, isRateLimit } from '../choices-tap.ts';
import type { DecodeFacts } from '../hub/codec.ts';
import { parseNode } from '../hub/json-node.ts';
import { errorOf, failureOf } from '../hub/openai-failure.ts';
import type { FrameReader } from '../hub/sse-decoder.ts';
import { SseDecoder } from '../hub/sse-decoder.ts';
import type { FrameView } from '../sse.ts';
import type { Emit } from './call-reader.ts';
import { ChoiceReader } from './choice-reader.ts';
import { readUsage } from './usage-block.ts';
import type { Members } from './wire-values.ts';
import { listOf, membersOf, textOf } from './wire-values.ts';

/** As many as OpenAI gives; more is nonsense. */
const MAX_CHOICES = 128;

export function createDecoder(facts: DecodeFacts): Transform<Buffer, GenerationEvent> {
  return new SseDecoder(new ChunkReader(facts));
}

/** The error in an answer or a chunk, in whatever form it comes; undefined when there is none. */
export function failureIn(json: Members, event: string): GatewayError | undefined {
  const groq = membersOf(json['x_groq'])?.['error'];
  const body = groq === undefined ? json : { ...json, error: groq };
  const message = inBandFailure(body, event);
  if (message === undefined) return undefined;
  const failure = failureOf(0, parseNode(JSON.stringify(body)));
  if (failure && failure.kind !== 'other') return errorOf(failure);
  if (isRateLimit(body)) return new GatewayError('rate_limited', message);
  return new GatewayError(isClientFault(body) ? 'invalid_request' : 'upstream_error', message);
}

/** Usage where servers have it: at the top, in Groq's own place, or in a choice (Moonshot). */
export function usageIn(json: Members): GenerationUsage | undefined {
  const inChoice = listOf(json['choices']).map((choice) => membersOf(choice)?.['usage']);
  const places = [json['usage'], membersOf(json['x_groq'])?.['usage'], ...inChoice];
  return places.map(readUsage).find((usage) => usage !== undefined);
}

/** The event that opens an answer. */
export function startOf(json: Members): GenerationEvent {
  const created = json['created'];
  return {
    type: 'start',
    id: textOf(json['id']),
    model: textOf(json['model']),
    createdSeconds: typeof created === 'number' && created > 0 ? created : undefined,
  };
}

class ChunkReader implements FrameReader {
  readonly #facts: DecodeFacts;
  readonly #choices = new Map<number, ChoiceReader>();
  #usage: GenerationUsage | undefined;
  #isStarted = false;
  /** It has ended or failed. */
  #isOver = false;

  constructor(facts: DecodeFacts) {
    this.#facts = facts;
  }

  frame({ event, data }: FrameView & { readonly data: string }, emit: Emit): void {
    if (this.#isOver) return;
    if (data.trim() === '[DONE]') return this.#complete(emit);
    const json = parseChunk(data);
    if (!json) return this.#fail(new GatewayError('upstream_invalid_answer', 'An event is not a JSON object.'), emit);
    const failure = failureIn(json, event);
    if (failure) return this.#fail(failure, emit);
    this.#chunk(json, (out) => {
      if (this.#isOver) return;
      this.#isOver = out.type === 'error';
      emit(out);
    });
  }

  end(emit: Emit): void {
    const choices = [...this.#choices.values()];
    const isComplete = choices.length > 0 && choices.every(({ isFinished }) => isFinished);
    if (!this.#isOver && isComplete) this.#complete(emit);
  }

  #chunk(json: Members, emit: Emit): void {
    const choices = listOf(json['choices']).map((choice) => membersOf(choice) ?? {});
    if (!this.#isStarted && (choices.length > 0 || textOf(json['id']) !== '')) {
      this.#isStarted = true;
      emit(startOf(json));
    }
    for (const choice of choices) this.#choice(choice, emit);
    const usage = usageIn(json);
    if (usage) this.#count(usage, emit);
  }

  #choice(choice: Members, emit: Emit): void {
    const given = choice['index'];
    const index = typeof given === 'number' ? given : 0;
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CHOICES)
      return emit({ type: 'error', error: new GatewayError('upstream_invalid_answer', 'A choice has a wild index.') });
    let reader = this.#choices.get(index);
    if (!reader) {
      reader = new ChoiceReader(index, (prefix) => this.#facts.newId(prefix));
      this.#choices.set(index, reader);
    }
    if (reader.readChunk(choice, emit)) emit({ type: 'error', error: brokenOff() });
  }

  /** While content comes, counts are told at once; behind a finish they wait until it is told. */
  #count(usage: GenerationUsage, emit: Emit): void {
    this.#usage = usage;
    const isFinishing = [...this.#choices.values()].some(({ isFinished }) => isFinished);
    if (!isFinishing && this.#choices.size > 0) emit({ type: 'usage', usage });
  }

  #complete(emit: Emit): void {
    if (!this.#isStarted) emit(startOf({}));
    for (const choice of this.#choices.values()) choice.end(emit);
    if (this.#usage) emit({ type: 'usage', usage: this.#usage });
    emit({ type: 'end' });
    this.#isOver = true;
  }

  #fail(error: GatewayError, emit: Emit): void {
    this.#isOver = true;
    emit({ type: 'error', error });
  }
}

export function brokenOff(): GatewayError {
  return new GatewayError('upstream_error', 'The worker broke its answer off.');
}

function parseChunk(data: string): Members | undefined {
  try {
    return membersOf(JSON.parse(data));
  } catch {
    // Not JSON: told to the caller by the missing value.
    return undefined;
  }
}

/**
 * Events to what a client of `streamGenerateContent` reads: an event stream (`alt=sse`) or one JSON array that grows.
 * Each piece is a whole `GenerateContentResponse`. Finishes wait for the end of the stream, when the counts are known,
 * because clients take the counts of the last response.
 * Source: Gemini API reference, `streamGenerateContent`; the official SDK's reading of event streams.
 */
import type { GatewayError } from '../../domain/errors.ts';
import type { TranslationWarning } from '../../domain/generation.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { geminiErrorObject } from '../dialect.ts';
import type { AnswerFacts, EventEncoder } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonText } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import type { Piece } from './candidate-writer.ts';
import { jsonOfPart } from './candidate-writer.ts';
import { writeLogprobs } from './logprobs.ts';
import { ResponseWriter } from './response-writer.ts';

/** How responses stand in the bytes. */
interface Framing {
  response(text: string): string;
  /** Says that the worker is alive; no response. */
  readonly heartbeat: string;
  /** After the last response. */
  close(): string;
}

/** Lives as long as the stream. */
export function createEncoder(facts: AnswerFacts): EventEncoder {
  return new StreamEncoder(facts, facts.isEventStream ? EVENT_STREAM : new ArrayFraming());
}

const EVENT_STREAM: Framing = {
  response: (text) => `data: ${text}\r\n\r\n`,
  heartbeat: ': ping\r\n\r\n',
  close: () => '',
};

/** White space between the items of an array is no matter. */
class ArrayFraming implements Framing {
  readonly heartbeat = '\r\n';
  #hasBegun = false;

  response(text: string): string {
    const before = this.#hasBegun ? ',\r\n' : '[';
    this.#hasBegun = true;
    return before + text;
  }

  close(): string {
    return this.#hasBegun ? '\r\n]' : '[]';
  }
}

class StreamEncoder implements EventEncoder {
  readonly #framing: Framing;
  readonly #warnings = new Warnings();
  readonly #writer: ResponseWriter;
  /** Nothing may follow. */
  #isOver = false;

  constructor(facts: AnswerFacts, framing: Framing) {
    this.#framing = framing;
    this.#writer = new ResponseWriter(facts, this.#warnings);
  }

  get warnings(): readonly TranslationWarning[] {
    return this.#warnings.list;
  }

  push(event: GenerationEvent, emit: (frame: Buffer) => void): void {
    if (this.#isOver) return;
    if (event.type === 'end') return this.#end(emit);
    if (event.type === 'heartbeat') return emit(Buffer.from(this.#framing.heartbeat));
    if (event.type === 'error') return emit(this.encodeError(event.error));
    if (this.#writer.take(event) || !('choice' in event)) return;
    const piece = this.#writer.candidate(event.choice).write(event);
    if (piece) this.#write(event.choice, piece, emit);
  }

  /** The stream said that it is complete, or else `encodeError` ends it. */
  end(): void {
    this.#isOver = true;
  }

  encodeError(error: GatewayError): Buffer {
    this.#isOver = true;
    const text = JSON.stringify({ error: geminiErrorObject(error) });
    return Buffer.from(this.#framing.response(text) + this.#framing.close());
  }

  #write(choice: number, { parts, logprobs }: Piece, emit: (frame: Buffer) => void): void {
    if (parts.length === 0 && !logprobs) return;
    const candidate = {
      content: { parts: parts.length > 0 ? parts.map(jsonOfPart) : [{ text: '' }], role: 'model' },
      index: choice,
      logprobsResult: logprobs && writeLogprobs(logprobs),
    };
    emit(this.#frame([candidate], false));
  }

  #end(emit: (frame: Buffer) => void): void {
    const candidates = this.#writer.candidates().map(([index, candidate]) => {
      const rest = candidate.rest().map(jsonOfPart);
      const { finishReason, groundingMetadata } = candidate.ending();
      const parts = rest.length > 0 ? rest : [{ text: '' }];
      return { content: { parts, role: 'model' }, finishReason, index, groundingMetadata };
    });
    emit(this.#frame(candidates, true));
    const rest = this.#framing.close();
    if (rest !== '') emit(Buffer.from(rest));
    this.#isOver = true;
  }

  #frame(candidates: readonly JsonOut[], isLast: boolean): Buffer {
    return Buffer.from(this.#framing.response(jsonText(this.#writer.response(candidates, isLast))));
  }
}

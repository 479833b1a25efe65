/** The answer to a conversation by tokens: as a stream, told as it comes; or whole, told at its end. */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { TokenChunk, TokenFinish } from '../../domain/token-generation.ts';
import type { Usage } from '../../domain/usage.ts';
import { AnswerEvents } from '../../pipeline/output/answer-events.ts';
import type { AnswerOptions } from '../../pipeline/output/answer-options.ts';
import type { AnswerFacts, Codec } from '../../protocols/hub/codec.ts';
import type { AnswerParts } from '../answer.ts';
import { EventReply } from '../event-reply.ts';
import { JSON_TYPE } from '../translation/answer-headers.ts';
import { recordedUsage, usageOf } from '../translation/hub-sides.ts';
import { isContent } from '../translation/translated-stream-answer.ts';
import type { TokenAnswer, TokenHost } from './token-answer.ts';
import { refuseBytes } from './token-answer.ts';

export interface ChatSides {
  readonly host: TokenHost;
  readonly codec: Codec;
  readonly facts: AnswerFacts;
  readonly options: AnswerOptions;
}

export class ChatTokenAnswer implements TokenAnswer {
  usage: Usage | undefined = undefined;
  readonly data = refuseBytes;
  readonly #parts: AnswerParts;
  readonly #host: TokenHost;
  readonly #events: AnswerEvents;
  readonly #reply: EventReply<GenerationEvent>;
  #isComplete = false;

  constructor(parts: AnswerParts, { host, codec, facts, options }: ChatSides) {
    this.#parts = parts;
    this.#host = host;
    this.#events = new AnswerEvents(options);
    this.#reply = new EventReply(parts, codec.createEncoder(facts));
    parts.gate.headers = ['content-type', codec.streamType(facts)];
  }

  begun(): void {
    this.#host.begun();
    this.#events.begin(this.#onEvent);
    this.#reply.passOn(false);
  }

  chunk(chunk: TokenChunk): void {
    this.#host.touch();
    const before = this.#events.stoppedChoices.length;
    this.#events.chunk(chunk, this.#onEvent);
    this.#told();
    if (this.#events.stoppedChoices.length > before) this.#host.answerStopped(chunk.prompt, chunk.choice);
  }

  finished(finish: TokenFinish): void {
    this.#host.touch();
    this.#events.finished(finish, this.#onEvent);
    this.#told();
  }

  error(error: GatewayError, mayRetry: boolean): void {
    if (this.#parts.gate.isCommitted) this.#reply.flush();
    this.#host.failedByWorker(error, mayRetry);
  }

  end(): void {
    if (this.#parts.host.isOver) return;
    this.#events.end(this.#onEvent);
    if (!this.#parts.host.isOver && this.#isComplete) this.#reply.end();
  }

  tick(nowMs: number): void {
    this.#reply.tick(nowMs);
  }

  encodeError(error: GatewayError): Buffer {
    return this.#reply.encodeError(error);
  }

  /** A stop string found here ends the answer; the engine is told when the attempt is over. */
  #told(): void {
    if (this.#parts.host.isOver) return;
    if (this.#events.isDone) this.end();
    else this.#reply.passOn(false);
  }

  /** Bound once: a closure per token would be garbage per token. */
  readonly #onEvent = (event: GenerationEvent): void => {
    if (this.#parts.host.isOver || this.#isComplete) return;
    if (event.type === 'error') return this.error(event.error, false);
    if (event.type === 'usage') this.usage = recordedUsage(event);
    if (event.type === 'end') this.#isComplete = true;
    this.#reply.push(event, isContent(event));
  };
}

export class WholeChatAnswer implements TokenAnswer {
  readonly usage = undefined;
  readonly data = refuseBytes;
  readonly #parts: AnswerParts;
  readonly #sides: ChatSides;
  readonly #events: AnswerEvents;
  readonly #told: GenerationEvent[] = [];

  constructor(parts: AnswerParts, sides: ChatSides) {
    this.#parts = parts;
    this.#sides = sides;
    this.#events = new AnswerEvents(sides.options);
  }

  begun(): void {
    this.#sides.host.begun();
  }

  chunk(chunk: TokenChunk): void {
    const { host } = this.#sides;
    host.touch();
    const before = this.#events.stoppedChoices.length;
    this.#events.chunk(chunk, this.#onEvent);
    if (this.#events.isDone) this.end();
    if (this.#events.stoppedChoices.length > before) host.answerStopped(chunk.prompt, chunk.choice);
  }

  finished(finish: TokenFinish): void {
    this.#sides.host.touch();
    this.#events.finished(finish, this.#onEvent);
    if (this.#events.isDone) this.end();
  }

  error(error: GatewayError, mayRetry: boolean): void {
    this.#sides.host.failedByWorker(error, mayRetry);
  }

  end(): void {
    const { host, gate, record, clock } = this.#parts;
    if (host.isOver) return;
    this.#events.end(this.#onEvent);
    if (host.isOver || this.#told.at(-1)?.type !== 'end') return;
    const { codec, facts } = this.#sides;
    const { body, warnings } = codec.encodeAnswer(this.#told, facts);
    if (warnings.length > 0) record.warnings = [...record.warnings, ...warnings];
    record.firstContentAt = clock.now();
    record.usage = usageOf(this.#told);
    gate.headers = ['content-type', JSON_TYPE];
    gate.writeWhole(body);
    host.finish({ kind: 'served', status: gate.status });
  }

  tick(): void {}

  encodeError(): undefined {
    return undefined;
  }

  readonly #onEvent = (event: GenerationEvent): void => {
    if (event.type === 'error') this.error(event.error, false);
    else this.#told.push(event);
  };
}

/** The answer to plain prompts by tokens, as a stream or whole. */
import { GatewayError } from '../../domain/errors.ts';
import type { TextEvent } from '../../domain/text-event.ts';
import type { TokenChunk, TokenFinish } from '../../domain/token-generation.ts';
import type { Usage } from '../../domain/usage.ts';
import type { PlainOptions } from '../../pipeline/output/plain-output.ts';
import { PlainOutput } from '../../pipeline/output/plain-output.ts';
import type { TextAnswerFacts, TextCodec } from '../../protocols/hub/text-codec.ts';
import type { AnswerParts } from '../answer.ts';
import { EventReply } from '../event-reply.ts';
import { JSON_TYPE } from '../translation/answer-headers.ts';
import type { TokenAnswer, TokenHost } from './token-answer.ts';
import { refuseBytes } from './token-answer.ts';

export interface TextSides {
  readonly host: TokenHost;
  readonly codec: TextCodec;
  readonly facts: TextAnswerFacts;
  readonly options: PlainOptions;
  /** The client wants no answer (`max_tokens` 0, with `echo`); engines give one token at least. */
  readonly isPromptOnly: boolean;
}

const STREAM_TYPE = 'text/event-stream';

export class TextTokenAnswer implements TokenAnswer {
  readonly data = refuseBytes;
  readonly #parts: AnswerParts;
  readonly #sides: TextSides;
  readonly #output: PlainOutput;
  /** Undefined: the answer is told whole. */
  readonly #reply: EventReply<TextEvent> | undefined;
  readonly #told: TextEvent[] = [];
  readonly #counts = new PromptCounts();

  constructor(parts: AnswerParts, sides: TextSides) {
    const { codec, facts, options } = sides;
    this.#parts = parts;
    this.#sides = sides;
    this.#output = new PlainOutput(options);
    if (!parts.record.streaming) return;
    this.#reply = new EventReply(parts, codec.createEncoder(facts));
    parts.gate.headers = ['content-type', STREAM_TYPE];
  }

  get usage(): Usage {
    return this.#counts.usage;
  }

  begun(): void {
    this.#sides.host.begun();
  }

  chunk(chunk: TokenChunk): void {
    const { host } = this.#sides;
    host.touch();
    const before = this.#output.stoppedChoices.length;
    this.#output.chunk(chunk, this.#onEvent);
    this.#tell();
    if (this.#output.stoppedChoices.length > before) host.answerStopped(chunk.prompt, chunk.choice);
  }

  finished(finish: TokenFinish): void {
    this.#sides.host.touch();
    if (finish.reason === 'abort')
      return this.error(new GatewayError('upstream_broken', 'The worker broke the answer off.'), false);
    this.#output.finished(finish, this.#onEvent);
    this.#tell();
  }

  error(error: GatewayError, mayRetry: boolean): void {
    if (this.#reply && this.#parts.gate.isCommitted) this.#reply.flush();
    this.#sides.host.failedByWorker(error, mayRetry);
  }

  end(): void {
    const { host } = this.#parts;
    if (host.isOver) return;
    try {
      this.#output.end(this.#onEvent);
    } catch (thrown) {
      return this.error(GatewayError.from(thrown), false);
    }
    if (host.isOver) return;
    if (this.#reply) this.#reply.end();
    else this.#whole();
  }

  tick(nowMs: number): void {
    this.#reply?.tick(nowMs);
  }

  encodeError(error: GatewayError): Buffer | undefined {
    return this.#reply?.encodeError(error);
  }

  #tell(): void {
    if (this.#parts.host.isOver) return;
    if (this.#output.isDone) this.end();
    else this.#reply?.passOn(false);
  }

  #whole(): void {
    const { gate, host, record, clock } = this.#parts;
    const { codec, facts } = this.#sides;
    const { body, warnings } = codec.encodeAnswer(this.#told, facts);
    if (warnings.length > 0) record.warnings = [...record.warnings, ...warnings];
    record.firstContentAt = clock.now();
    gate.headers = ['content-type', JSON_TYPE];
    gate.writeWhole(body);
    host.finish({ kind: 'served', status: gate.status });
  }

  readonly #onEvent = (told: TextEvent): void => {
    if (this.#parts.host.isOver) return;
    const event = this.#sides.isPromptOnly ? withoutOutput(told) : told;
    if (!event) return;
    if (event.type === 'finish') this.#counts.add(event);
    if (this.#reply) this.#reply.push(event, event.type === 'text' || event.type === 'finish');
    else this.#told.push(event);
  };
}

function withoutOutput(event: TextEvent): TextEvent | undefined {
  if (event.type === 'text') return undefined;
  return event.type === 'finish'
    ? { ...event, reason: 'length', matchedStop: undefined, completionTokens: 0, reasoningTokens: undefined }
    : event;
}

/** Prompt tokens count once for each prompt, however many answers it gets. */
class PromptCounts {
  readonly #prompts = new Map<number, { readonly tokens: number; readonly cached: number }>();
  #outputTokens = 0;

  add({ prompt, promptTokens, cachedTokens, completionTokens }: Extract<TextEvent, { type: 'finish' }>): void {
    const cached = Math.max(cachedTokens, this.#prompts.get(prompt)?.cached ?? 0);
    this.#prompts.set(prompt, { tokens: promptTokens, cached });
    this.#outputTokens += completionTokens;
  }

  get usage(): Usage {
    let inputTokens = 0;
    let cachedInputTokens = 0;
    for (const { tokens, cached } of this.#prompts.values()) {
      inputTokens += tokens;
      cachedInputTokens += cached;
    }
    return { inputTokens, outputTokens: this.#outputTokens, cachedInputTokens };
  }
}

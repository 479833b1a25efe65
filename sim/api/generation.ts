/**
 * The life of one generating request, the same for every API: plan → sequences → events or one answer.
 *
 *   endpoint: body -> Generation + Encoder;  here: one sequence per choice, its tokens to the encoder, aborts
 *
 * Owns the sequences of a request until they end or the client leaves.
 */

import type { Scheduler } from '../core/scheduler.ts';
import type { Sequence, SequenceListener } from '../core/sequence.ts';
import { readTokens } from '../core/tokens.ts';
import type { Driver } from '../driver.ts';
import { openEvents, sendError, sendJson } from '../http/answers.ts';
import { engineError } from '../http/errors.ts';
import type { EventSink } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import type { EngineOptions } from '../options.ts';
import { type Piece, textOfPieces } from '../text/pieces.ts';
import type { ToolCall } from '../text/tool-call.ts';

/** The parts of an engine that endpoints work with. */
export interface EngineParts {
  readonly options: EngineOptions;
  readonly scheduler: Scheduler;
  readonly driver: Driver;
  readonly startedAtMs: number;
  /** Requests in flight on each data-parallel rank. */
  readonly runningByRank: readonly number[];
  /** A fresh number for ids. */
  nextId(): number;
}

/** One answer of a request (`n` of them per prompt). */
export interface Choice {
  readonly index: number;
  readonly prompt: string;
  readonly pieces: readonly Piece[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly toolCall: ToolCall | undefined;
  /** Filled in when the sequence is admitted and as it goes on. */
  promptTokens: number;
  cachedTokens: number;
}

/** A generating request, read and planned. */
export interface Generation {
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly choices: readonly Choice[];
  /** Choices per prompt. */
  readonly perPrompt: number;
  readonly isStream: boolean;
  readonly includeUsage: boolean;
  /** Keeps the prefix cache of different models or tenants apart. */
  readonly cacheSalt: string;
}

/** Token counts of a finished request. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
}

/** How one API words answers and events. Created per request; may keep state between calls. */
export interface Encoder {
  /** Content type of the stream when it is not SSE. */
  readonly contentType?: string;
  /** The whole answer. */
  whole(usage: Usage): unknown;
  /** Events before the first token of the request. */
  begin(out: EventSink): void;
  /** Event of one token of a choice. */
  token(out: EventSink, choice: Choice, index: number): void;
  /** Events at the end of a choice. */
  finish(out: EventSink, choice: Choice): void;
  /** Events at the end of the request. */
  end(out: EventSink, usage: Usage): void;
  /** Events that say the request failed. */
  errorFrames(message: string, code: number): readonly string[];
}

/** Runs a planned request to its end. */
export function runGeneration(parts: EngineParts, exchange: Exchange, generation: Generation, encoder: Encoder): void {
  if (!checkLength(parts, exchange, generation)) return;
  const run = generation.isStream
    ? new StreamRun(parts, exchange, generation, encoder)
    : new UnaryRun(parts, exchange, generation, encoder);
  run.start();
}

/** Usage over all choices; a prompt counts once however many choices it has. */
export function usageOf(generation: Generation): Usage {
  let promptTokens = 0;
  let completionTokens = 0;
  let cachedTokens = 0;
  for (const choice of generation.choices) {
    completionTokens += choice.pieces.length;
    if (choice.index % generation.perPrompt !== 0) continue;
    promptTokens += choice.promptTokens;
    cachedTokens += choice.cachedTokens;
  }
  return { promptTokens, completionTokens, cachedTokens };
}

function checkLength(parts: EngineParts, exchange: Exchange, generation: Generation): boolean {
  const limit = parts.options.maxModelTokens;
  for (const { promptTokens: input, pieces } of generation.choices) {
    const output = pieces.length;
    if (input + output <= limit && parts.scheduler.fits(input, output)) continue;
    const message =
      `Requested token count exceeds the model's maximum context length of ${limit} tokens. You requested a total of ` +
      `${input + output} tokens: ${input} tokens from the input messages and ${output} tokens for the completion.`;
    sendError(exchange, engineError(400, message));
    return false;
  }
  return true;
}

/** What both ways of answering share: submitting, counting down, aborting. */
abstract class Run {
  protected readonly exchange: Exchange;
  protected readonly generation: Generation;
  protected readonly encoder: Encoder;
  readonly #parts: EngineParts;
  #left: number;

  constructor(parts: EngineParts, exchange: Exchange, generation: Generation, encoder: Encoder) {
    this.#parts = parts;
    this.exchange = exchange;
    this.generation = generation;
    this.encoder = encoder;
    this.#left = generation.choices.length;
  }

  start(): void {
    const { driver } = this.#parts;
    const sequences = this.generation.choices.map((choice) => this.#submit(choice));
    this.exchange.onEnd(() => {
      for (const sequence of sequences) driver.abort(sequence);
    });
  }

  protected abstract onToken(choice: Choice, index: number): void;
  protected abstract onChoiceEnd(choice: Choice): void;
  protected abstract onEnd(): void;

  #submit(choice: Choice): Sequence {
    const { driver, scheduler } = this.#parts;
    const answer = textOfPieces(choice.pieces);
    const listener: SequenceListener = {
      onToken: (sequence) => {
        choice.cachedTokens = sequence.cachedTokens;
        this.onToken(choice, sequence.generated - 1);
      },
      onFinish: () => {
        this.onChoiceEnd(choice);
        this.#left--;
        if (this.#left === 0) this.onEnd();
      },
    };
    const tokens = readTokens(choice.prompt, answer, scheduler.cost, this.generation.cacheSalt);
    return driver.submit({ ...tokens, outputTokens: choice.pieces.length, listener });
  }
}

class UnaryRun extends Run {
  protected override onToken(): void {}

  protected override onChoiceEnd(): void {}

  protected override onEnd(): void {
    if (this.exchange.isOpen) sendJson(this.exchange, this.encoder.whole(usageOf(this.generation)));
  }
}

class StreamRun extends Run {
  readonly #sink: EventSink;
  #hasBegun = false;

  constructor(parts: EngineParts, exchange: Exchange, generation: Generation, encoder: Encoder) {
    super(parts, exchange, generation, encoder);
    this.#sink = openEvents(exchange, (message, code) => encoder.errorFrames(message, code), encoder.contentType);
    // vLLM answers 200 before the first token; SGLang starts its answer with it.
    if (parts.options.kind === 'vllm') this.#sink.flushHeaders();
  }

  protected override onToken(choice: Choice, index: number): void {
    if (!this.exchange.isOpen) return;
    if (!this.#hasBegun) this.encoder.begin(this.#sink);
    this.#hasBegun = true;
    this.encoder.token(this.#sink, choice, index);
  }

  protected override onChoiceEnd(choice: Choice): void {
    if (this.exchange.isOpen) this.encoder.finish(this.#sink, choice);
  }

  protected override onEnd(): void {
    if (!this.exchange.isOpen) return;
    this.encoder.end(this.#sink, usageOf(this.generation));
    this.#sink.end();
  }
}

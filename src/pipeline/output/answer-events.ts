/**
 * The answer to one conversation, from an engine's tokens to events: every choice by itself, the counts of all at the
 * end. Makes `start`, what the choices say, `usage` and `end`.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationUsage } from '../../domain/generation-event.ts';
import type { TokenChunk, TokenFinish } from '../../domain/token-generation.ts';
import type { AnswerOptions, EmitEvent } from './answer-options.ts';
import { ChatOutput } from './chat-output.ts';
import { compileStops } from './stop-matcher.ts';

export class AnswerEvents {
  readonly #options: AnswerOptions;
  readonly #choices: readonly ChatOutput[];
  readonly #stopped: number[] = [];
  #hasStarted = false;
  #hasFailed = false;
  #promptTokens: number;
  #cachedTokens = 0;

  /** Throws `invalid_request` for stop strings that cannot be looked for. */
  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#promptTokens = options.promptTokens;
    const stops = compileStops(options.sampling.stop);
    const { choices } = options.sampling;
    this.#choices = Array.from({ length: choices }, (_, choice) => new ChatOutput({ ...options, choice, stops }));
  }

  /** All choices are over, by a stop string found here or by the engine: it has nothing more to say. */
  get isDone(): boolean {
    for (const choice of this.#choices) if (!choice.isOver) return false;
    return true;
  }

  /** Choices that a stop string found here has ended, and the engine does not know. */
  get stoppedChoices(): readonly number[] {
    return this.#stopped;
  }

  /** The engine has taken the call; other events begin the answer too. */
  begin(emit: EmitEvent): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    const { id, model, createdSeconds } = this.#options;
    emit({ type: 'start', id, model, createdSeconds });
  }

  chunk({ choice, ids, logprobs, cachedTokens = 0 }: TokenChunk, emit: EmitEvent): void {
    this.begin(emit);
    if (cachedTokens > this.#cachedTokens) this.#cachedTokens = cachedTokens;
    const output = this.#choices[choice];
    if (!output || output.isOver || this.#hasFailed) return;
    output.push(ids, logprobs, emit);
    if (output.isOver) this.#stopped.push(choice);
  }

  finished(finish: TokenFinish, emit: EmitEvent): void {
    this.begin(emit);
    this.#promptTokens = finish.promptTokens || this.#promptTokens;
    this.#cachedTokens = Math.max(this.#cachedTokens, finish.cachedTokens);
    if (this.#hasFailed) return;
    if (finish.reason === 'abort') return this.#fail('The worker broke the answer off.', emit);
    this.#choices[finish.choice]?.finished(finish, emit);
  }

  /** Every stream of the engine has ended, or was dropped because `isDone`. */
  end(emit: EmitEvent): void {
    this.begin(emit);
    if (this.#hasFailed) return;
    for (const choice of this.#choices) choice.end(emit);
    if (!this.isDone) return this.#fail('The worker ended its answer before it was complete.', emit);
    emit({ type: 'usage', usage: this.#usage() });
    emit({ type: 'end' });
  }

  #fail(message: string, emit: EmitEvent): void {
    this.#hasFailed = true;
    emit({ type: 'error', error: new GatewayError('upstream_broken', message) });
  }

  #usage(): GenerationUsage {
    const sum = (count: (choice: ChatOutput) => number) =>
      this.#choices.reduce((total, choice) => total + count(choice), 0);
    return {
      inputTokens: this.#promptTokens,
      outputTokens: sum((choice) => choice.completionTokens),
      cachedInputTokens: Math.min(this.#cachedTokens, this.#promptTokens),
      cacheWriteTokens: 0,
      cacheWriteHourTokens: 0,
      reasoningTokens: sum((choice) => choice.reasoningTokens),
    };
  }
}

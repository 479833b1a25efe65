/**
 * POST /generate: SGLang's native API (cumulative texts with meta_info) and the plain one of vLLM's demo server.
 * Sources: SGLang http_server.py and tokenizer_manager.py; vLLM entrypoints/api_server.py (JSON lines, prompt + text).
 */

import { sendError } from '../http/answers.ts';
import { engineError } from '../http/errors.ts';
import type { EventSink } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, recordOf } from '../json.ts';
import { textOfPieces } from '../text/pieces.ts';
import { readPrompts } from './completions.ts';
import { type Choice, type Encoder, type EngineParts, type Generation, runGeneration } from './generation.ts';
import { DONE_FRAME, dataFrame } from './openai-frames.ts';
import { exactLength, planGeneration, requireModel } from './request.ts';

/** Answers a native generate request. */
export function answerGenerate(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const isVllm = parts.options.kind === 'vllm';
  const sampling = isVllm ? body : recordOf(body['sampling_params']);
  const prompts = readPrompts(isVllm ? body['prompt'] : (body['text'] ?? body['input_ids']));
  if (prompts.length === 0) {
    return sendError(exchange, engineError(400, 'Either text or input_ids should be provided.'));
  }
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const limit = countOf(sampling[isVllm ? 'max_tokens' : 'max_new_tokens'], 1);
  const request = { idPrefix: '', prompts, length: exactLength(parts, body, limit), sampling };
  const generation = planGeneration(parts, body, model, request);
  const isBatch = Array.isArray(body['text']) || Array.isArray((body['input_ids'] as unknown[] | undefined)?.[0]);
  const encoder = isVllm ? new VllmEncoder(generation) : new SglangEncoder(generation, isBatch);
  runGeneration(parts, exchange, generation, encoder);
}

class SglangEncoder implements Encoder {
  readonly #generation: Generation;
  readonly #isList: boolean;
  readonly #startedMs = performance.now();

  constructor(generation: Generation, isBatch: boolean) {
    this.#generation = generation;
    this.#isList = isBatch || generation.perPrompt > 1;
  }

  whole(): unknown {
    const answers = this.#generation.choices.map((choice) => this.#state(choice, choice.pieces.length));
    return this.#isList ? answers : answers[0];
  }

  begin(): void {}

  /** The text so far, every time: the engine's default unless it is told to stream increments. */
  token(out: EventSink, choice: Choice, index: number): void {
    const state = this.#state(choice, index + 1);
    out.event(dataFrame(this.#isList ? { ...state, index: choice.index } : state));
  }

  finish(): void {}

  end(out: EventSink): void {
    out.event(DONE_FRAME);
  }

  errorFrames(message: string): readonly string[] {
    return [dataFrame({ error: { message } }), DONE_FRAME];
  }

  #state(choice: Choice, count: number) {
    const pieces = choice.pieces.slice(0, count);
    const isDone = count === choice.pieces.length;
    return {
      text: textOfPieces(pieces),
      output_ids: pieces.map((piece) => piece.id),
      meta_info: {
        id: this.#isList ? `${this.#generation.id}_${choice.index}` : this.#generation.id,
        finish_reason: isDone ? finishReason(choice) : null,
        prompt_tokens: choice.promptTokens,
        weight_version: 'default',
        total_retractions: 0,
        completion_tokens: count,
        cached_tokens: choice.cachedTokens,
        ...(isDone ? { e2e_latency: (performance.now() - this.#startedMs) / 1000 } : {}),
      },
    };
  }
}

function finishReason(choice: Choice): unknown {
  if (choice.finish === 'length') return { type: 'length', length: choice.pieces.length };
  return { type: 'stop', matched: 151_645 };
}

class VllmEncoder implements Encoder {
  readonly contentType = 'text/plain; charset=utf-8';
  readonly #generation: Generation;
  readonly #counts: number[];

  constructor(generation: Generation) {
    this.#generation = generation;
    this.#counts = generation.choices.map(() => 0);
  }

  whole(): unknown {
    return { text: this.#generation.choices.map((choice) => choice.prompt + textOfPieces(choice.pieces)) };
  }

  begin(): void {}

  token(out: EventSink, choice: Choice, index: number): void {
    this.#counts[choice.index] = index + 1;
    const texts = this.#generation.choices.map(
      ({ index: at, prompt, pieces }) => prompt + textOfPieces(pieces.slice(0, this.#counts[at])),
    );
    out.event(`${JSON.stringify({ text: texts })}\n`);
  }

  finish(): void {}

  end(): void {}

  errorFrames(message: string): readonly string[] {
    return [`${JSON.stringify({ error: { message } })}\n`];
  }
}

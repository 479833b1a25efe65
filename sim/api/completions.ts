/**
 * POST /v1/completions: text in, text out, several prompts at once.
 * Source: SGLang serving_completions.py, vLLM completion/serving.py (the last token's chunk carries the reason).
 */

import { textOfTokenIds } from '../core/tokens.ts';
import { sendError } from '../http/answers.ts';
import { engineError, fieldRequired } from '../http/errors.ts';
import type { EventSink } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, listOf, stringsOf } from '../json.ts';
import type { EngineKind } from '../options.ts';
import { type Piece, textOfPieces } from '../text/pieces.ts';
import {
  type Choice,
  type Encoder,
  type EngineParts,
  type Generation,
  runGeneration,
  type Usage,
} from './generation.ts';
import { DONE_FRAME, dataFrame, openaiErrorFrames, openaiUsage, pieceTemplate, SLOT } from './openai-frames.ts';
import { exactLength, planGeneration, requireModel } from './request.ts';

/** Answers a text completion request. */
export function answerCompletions(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  if (body['prompt'] === undefined || body['prompt'] === null) return sendError(exchange, fieldRequired('prompt'));
  const prompts = readPrompts(body['prompt']);
  if (prompts.length === 0) return sendError(exchange, engineError(400, 'Prompt cannot be empty'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const generation = planGeneration(parts, body, model, {
    idPrefix: parts.options.kind === 'vllm' ? 'cmpl-' : '',
    prompts,
    length: exactLength(parts, body, countOf(body['max_tokens'], 1)),
  });
  runGeneration(parts, exchange, generation, new CompletionsEncoder(parts.options.kind, generation));
}

/** A prompt field as texts: one text, several, token ids, or several lists of token ids. */
export function readPrompts(prompt: unknown): readonly string[] {
  const texts = stringsOf(prompt);
  if (texts !== undefined) return texts.filter((text) => text !== '');
  const list = listOf(prompt);
  if (list.length === 0) return [];
  const batches = Array.isArray(list[0]) ? list : [list];
  return batches.map((ids) => textOfTokenIds(listOf(ids).filter((id) => typeof id === 'number')));
}

class CompletionsEncoder implements Encoder {
  readonly #kind: EngineKind;
  readonly #generation: Generation;
  readonly #templates: ((piece: Piece) => string)[];

  constructor(kind: EngineKind, generation: Generation) {
    this.#kind = kind;
    this.#generation = generation;
    this.#templates = generation.choices.map((choice) => pieceTemplate(this.#chunk(choice.index, SLOT, null)));
  }

  whole(usage: Usage): unknown {
    const { id, created, model, choices } = this.#generation;
    return {
      id,
      object: 'text_completion',
      created,
      model,
      choices: choices.map(({ index, pieces, finish }) => this.#entry(index, textOfPieces(pieces), finish)),
      usage: openaiUsage(usage),
    };
  }

  begin(): void {}

  token(out: EventSink, choice: Choice, index: number): void {
    const piece = choice.pieces[index];
    const template = this.#templates[choice.index];
    if (piece === undefined || template === undefined) return;
    const isLast = index === choice.pieces.length - 1;
    out.event(isLast ? this.#chunk(choice.index, piece.text, choice.finish) : template(piece));
  }

  finish(): void {}

  end(out: EventSink, usage: Usage): void {
    if (this.#generation.includeUsage) out.event(this.#frame([], openaiUsage(usage)));
    out.event(DONE_FRAME);
  }

  errorFrames(message: string, code: number): readonly string[] {
    return openaiErrorFrames(this.#kind, message, code);
  }

  #entry(index: number, text: string, finish: string | null): unknown {
    const reason = this.#kind === 'vllm' ? { stop_reason: null } : { matched_stop: null };
    return { index, text, logprobs: null, finish_reason: finish, ...reason };
  }

  #chunk(index: number, text: string, finish: string | null): string {
    return this.#frame([this.#entry(index, text, finish)], null);
  }

  #frame(choices: readonly unknown[], usage: unknown): string {
    const { id, created, model } = this.#generation;
    return dataFrame({ id, object: 'text_completion', created, model, choices, usage });
  }
}

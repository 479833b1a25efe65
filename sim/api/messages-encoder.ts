/**
 * Anthropic messages as the engines word them: named events, one content block, usage at start and end.
 * SGLang counts cached tokens apart from `input_tokens`, vLLM counts them in; both as their sources do.
 */

import { anthropicType } from '../http/errors.ts';
import type { EventSink } from '../http/event-stream.ts';
import type { EngineKind } from '../options.ts';
import { hashText, hexId } from '../random.ts';
import { type Piece, textOfPieces } from '../text/pieces.ts';
import { type Choice, type Encoder, type Generation, type Usage, usageOf } from './generation.ts';
import { namedFrame, pieceTemplate, SLOT } from './openai-frames.ts';

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;

/** The encoder of one messages request. */
export class MessagesEncoder implements Encoder {
  readonly #kind: EngineKind;
  readonly #generation: Generation;
  readonly #choice: Choice;
  readonly #template: (piece: Piece) => string;

  constructor(kind: EngineKind, generation: Generation) {
    this.#kind = kind;
    this.#generation = generation;
    this.#choice = generation.choices[0] as Choice;
    const delta =
      this.#choice.toolCall === undefined
        ? { type: 'text_delta', text: SLOT }
        : { type: 'input_json_delta', partial_json: SLOT };
    this.#template = pieceTemplate(frame('content_block_delta', { index: 0, delta }));
  }

  whole(usage: Usage): unknown {
    const { pieces, toolCall, finish } = this.#choice;
    const block =
      toolCall === undefined
        ? { type: 'text', text: textOfPieces(pieces) }
        : { ...this.#toolUse(), input: JSON.parse(toolCall.argumentsText) as unknown };
    return this.#message([block], STOP_REASONS[finish], this.#usage(usage, usage.completionTokens));
  }

  begin(out: EventSink): void {
    const usage = this.#usage(usageOf(this.#generation), 0);
    const block = this.#choice.toolCall === undefined ? { type: 'text', text: '' } : { ...this.#toolUse(), input: {} };
    out.event(frame('message_start', { message: this.#message([], null, usage) }));
    out.event(frame('content_block_start', { index: 0, content_block: block }));
    out.event(frame('ping', {}));
  }

  token(out: EventSink, choice: Choice, index: number): void {
    const piece = choice.pieces[index];
    if (piece !== undefined) out.event(this.#template(piece));
  }

  finish(out: EventSink): void {
    out.event(frame('content_block_stop', { index: 0 }));
  }

  end(out: EventSink, usage: Usage): void {
    const delta = { stop_reason: STOP_REASONS[this.#choice.finish], stop_sequence: null };
    out.event(frame('message_delta', { delta, usage: this.#usage(usage, usage.completionTokens) }));
    out.event(frame('message_stop', {}));
  }

  errorFrames(message: string, code: number): readonly string[] {
    return [frame('error', { error: { type: anthropicType(code), message } })];
  }

  #message(content: readonly unknown[], stopReason: string | null, usage: unknown): unknown {
    const { id, model } = this.#generation;
    const head = { id, type: 'message', role: 'assistant', content, model };
    return { ...head, stop_reason: stopReason, stop_sequence: null, usage };
  }

  #toolUse(): { readonly type: 'tool_use'; readonly id: string; readonly name: string } {
    const id = `toolu_${hexId(hashText(this.#generation.id), 24)}`;
    return { type: 'tool_use', id, name: this.#choice.toolCall?.name ?? '' };
  }

  #usage({ promptTokens, cachedTokens }: Usage, outputTokens: number): unknown {
    if (this.#kind === 'vllm') return { input_tokens: promptTokens, output_tokens: outputTokens };
    const cached = cachedTokens > 0 ? { cache_read_input_tokens: cachedTokens } : {};
    return { input_tokens: promptTokens - cachedTokens, output_tokens: outputTokens, ...cached };
  }
}

function frame(type: string, fields: Readonly<Record<string, unknown>>): string {
  return namedFrame(type, { type, ...fields });
}

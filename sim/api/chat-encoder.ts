/**
 * Chat completions as the engines word them.
 * SGLang fills every field of a chunk (nulls included) and ends a choice with an empty delta;
 * vLLM leaves unset fields out and ends a choice with an empty text.
 * Sources: SGLang serving_chat.py and protocol.py, vLLM chat_completion/serving.py.
 */

import type { EventSink } from '../http/event-stream.ts';
import type { EngineKind } from '../options.ts';
import { hashText, hexId } from '../random.ts';
import { type Piece, textOfPieces } from '../text/pieces.ts';
import type { Choice, Encoder, EngineParts, Generation, Usage } from './generation.ts';
import { DONE_FRAME, dataFrame, openaiErrorFrames, openaiUsage, pieceTemplate, SLOT } from './openai-frames.ts';

/** The encoder of one chat request. */
export function createChatEncoder(parts: EngineParts, generation: Generation): Encoder {
  return new ChatEncoder(parts.options.kind, generation);
}

type Delta = Readonly<Record<string, unknown>>;

class ChatEncoder implements Encoder {
  readonly #kind: EngineKind;
  readonly #generation: Generation;
  readonly #templates: ((piece: Piece) => string)[] = [];

  constructor(kind: EngineKind, generation: Generation) {
    this.#kind = kind;
    this.#generation = generation;
  }

  whole(usage: Usage): unknown {
    const { id, created, model, choices } = this.#generation;
    return {
      id,
      object: 'chat.completion',
      created,
      model,
      choices: choices.map((choice) => this.#wholeChoice(choice)),
      ...(this.#kind === 'vllm' ? { service_tier: null, system_fingerprint: null } : {}),
      usage: openaiUsage(usage),
      ...(this.#kind === 'vllm'
        ? { prompt_logprobs: null, prompt_token_ids: null, kv_transfer_params: null }
        : { metadata: { weight_version: 'default' } }),
    };
  }

  begin(out: EventSink): void {
    for (const choice of this.#generation.choices) {
      out.event(this.#chunk(choice, { role: 'assistant', content: '' }, null));
      this.#templates[choice.index] = pieceTemplate(this.#chunk(choice, this.#pieceDelta(choice), null));
    }
  }

  token(out: EventSink, choice: Choice, index: number): void {
    if (index === 0 && choice.toolCall !== undefined) {
      const first = { id: toolCallId(this.#generation, choice), type: 'function', index: 0 };
      const call = { ...first, function: { name: choice.toolCall.name, arguments: '' } };
      out.event(this.#chunk(choice, { tool_calls: [call] }, null));
    }
    const template = this.#templates[choice.index];
    const piece = choice.pieces[index];
    if (template !== undefined && piece !== undefined) out.event(template(piece));
  }

  finish(out: EventSink, choice: Choice): void {
    out.event(this.#chunk(choice, this.#kind === 'vllm' ? { content: '' } : {}, choice.finish));
  }

  end(out: EventSink, usage: Usage): void {
    if (this.#generation.includeUsage) out.event(this.#frame([], openaiUsage(usage)));
    out.event(DONE_FRAME);
  }

  errorFrames(message: string, code: number): readonly string[] {
    return openaiErrorFrames(this.#kind, message, code);
  }

  #pieceDelta(choice: Choice): Delta {
    if (choice.toolCall === undefined) return { content: SLOT };
    const call = { index: 0, function: { arguments: SLOT } };
    const nulls = { id: null, type: 'function', function: { name: null, arguments: SLOT } };
    return { tool_calls: [this.#kind === 'vllm' ? call : { ...call, ...nulls }] };
  }

  #chunk(choice: Choice, delta: Delta, finish: string | null): string {
    const isVllm = this.#kind === 'vllm';
    const nulls = { role: null, content: null, reasoning_content: null, tool_calls: null };
    const reason = isVllm ? (finish === null ? {} : { stop_reason: null }) : { matched_stop: matchedStop(finish) };
    const entry = {
      index: choice.index,
      delta: isVllm ? delta : { ...nulls, ...delta },
      logprobs: null,
      finish_reason: finish,
      ...reason,
    };
    return this.#frame([entry], isVllm ? undefined : null);
  }

  #frame(choices: readonly unknown[], usage: unknown): string {
    const { id, created, model } = this.#generation;
    return dataFrame({ id, object: 'chat.completion.chunk', created, model, choices, usage });
  }

  #wholeChoice(choice: Choice): unknown {
    const { index, finish, toolCall } = choice;
    const text = toolCall === undefined ? textOfPieces(choice.pieces) : null;
    const calls = toolCall === undefined ? null : [this.#wholeCall(choice)];
    if (this.#kind === 'vllm') {
      const message = { role: 'assistant', content: text, refusal: null, annotations: null, audio: null };
      const tools = { function_call: null, tool_calls: calls ?? [], reasoning: null };
      const rest = { logprobs: null, finish_reason: finish, stop_reason: null, token_ids: null };
      return { index, message: { ...message, ...tools }, ...rest };
    }
    const message = { role: 'assistant', content: text, reasoning_content: null, tool_calls: calls };
    return { index, message, logprobs: null, finish_reason: finish, matched_stop: matchedStop(finish) };
  }

  #wholeCall(choice: Choice): unknown {
    const { name = '', argumentsText = '' } = choice.toolCall ?? {};
    const call = { id: toolCallId(this.#generation, choice), type: 'function' };
    const body = { function: { name, arguments: argumentsText } };
    return this.#kind === 'vllm' ? { ...call, ...body } : { ...call, index: 0, ...body };
  }
}

/** A call id that is the same in stream and whole answer of one request. */
function toolCallId(generation: Generation, choice: Choice): string {
  return `call_${hexId(hashText(generation.id, choice.index), 24)}`;
}

/** SGLang names the end-of-sequence token that stopped it. */
function matchedStop(finish: string | null): number | null {
  return finish === 'stop' ? 151_645 : null;
}

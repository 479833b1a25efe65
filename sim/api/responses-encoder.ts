/**
 * OpenAI responses as the engines word them: named, numbered events around one output item.
 *
 *   created, in_progress, output_item.added [, content_part.added], deltas, …done, completed | failed
 *
 * A response cut by its limit also ends with `response.completed`, its status saying `incomplete`, as in vLLM.
 */

import type { EventSink } from '../http/event-stream.ts';
import type { JsonRecord } from '../json.ts';
import { hashText, hexId } from '../random.ts';
import { textOfPieces } from '../text/pieces.ts';
import { type Choice, type Encoder, type Generation, type Usage, usageOf } from './generation.ts';
import { namedFrame } from './openai-frames.ts';

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** The encoder of one responses request. */
export class ResponsesEncoder implements Encoder {
  readonly #generation: Generation;
  readonly #body: JsonRecord;
  readonly #choice: Choice;
  readonly #itemId: string;
  #sequence = 0;

  constructor(generation: Generation, body: JsonRecord) {
    this.#generation = generation;
    this.#body = body;
    this.#choice = generation.choices[0] as Choice;
    const prefix = this.#choice.toolCall === undefined ? 'msg_' : 'fc_';
    this.#itemId = prefix + hexId(hashText(generation.id), 32);
  }

  whole(usage: Usage): unknown {
    return this.#response(this.#finalStatus(), [this.#item('completed')], usage);
  }

  begin(out: EventSink): void {
    const response = this.#response('in_progress', [], undefined);
    out.event(this.#frame('response.created', { response }));
    out.event(this.#frame('response.in_progress', { response }));
    out.event(this.#frame('response.output_item.added', { output_index: 0, item: this.#item('in_progress') }));
    if (this.#choice.toolCall === undefined) {
      out.event(this.#frame('response.content_part.added', { ...this.#place(), content_index: 0, part: textPart('') }));
    }
  }

  token(out: EventSink, choice: Choice, index: number): void {
    const delta = choice.pieces[index]?.text ?? '';
    out.event(
      choice.toolCall === undefined
        ? this.#frame('response.output_text.delta', { ...this.#place(), content_index: 0, delta, logprobs: [] })
        : this.#frame('response.function_call_arguments.delta', { ...this.#place(), delta }),
    );
  }

  finish(out: EventSink, choice: Choice): void {
    const { toolCall } = choice;
    if (toolCall === undefined) {
      const text = textOfPieces(choice.pieces);
      const place = { ...this.#place(), content_index: 0 };
      out.event(this.#frame('response.output_text.done', { ...place, text, logprobs: [] }));
      out.event(this.#frame('response.content_part.done', { ...place, part: textPart(text) }));
    } else {
      const call = { name: toolCall.name, arguments: toolCall.argumentsText };
      out.event(this.#frame('response.function_call_arguments.done', { ...this.#place(), ...call }));
    }
    out.event(this.#frame('response.output_item.done', { output_index: 0, item: this.#item('completed') }));
  }

  end(out: EventSink, usage: Usage): void {
    const response = this.#response(this.#finalStatus(), [this.#item('completed')], usage);
    out.event(this.#frame('response.completed', { response }));
  }

  errorFrames(message: string): readonly string[] {
    const failed = this.#response('failed', [], usageOf(this.#generation));
    return [this.#frame('response.failed', { response: { ...failed, error: { code: 'server_error', message } } })];
  }

  #finalStatus(): Status {
    return this.#choice.finish === 'length' ? 'incomplete' : 'completed';
  }

  #frame(type: string, fields: Readonly<Record<string, unknown>>): string {
    return namedFrame(type, { type, sequence_number: this.#sequence++, ...fields });
  }

  #place(): { readonly item_id: string; readonly output_index: number } {
    return { item_id: this.#itemId, output_index: 0 };
  }

  #item(status: 'in_progress' | 'completed'): unknown {
    const { toolCall, pieces } = this.#choice;
    const isDone = status === 'completed';
    if (toolCall === undefined) {
      const content = isDone ? [textPart(textOfPieces(pieces))] : [];
      return { id: this.#itemId, type: 'message', role: 'assistant', status, content };
    }
    const call_id = `call_${hexId(hashText(this.#generation.id, 1), 24)}`;
    const call = { call_id, name: toolCall.name, arguments: isDone ? toolCall.argumentsText : '' };
    return { id: this.#itemId, type: 'function_call', status, ...call };
  }

  #response(status: Status, output: readonly unknown[], usage: Usage | undefined) {
    const body = this.#body;
    return {
      id: this.#generation.id,
      object: 'response',
      created_at: this.#generation.created,
      model: this.#generation.model,
      status,
      output,
      error: null,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      instructions: body['instructions'] ?? null,
      max_output_tokens: body['max_output_tokens'] ?? null,
      metadata: body['metadata'] ?? null,
      parallel_tool_calls: body['parallel_tool_calls'] ?? true,
      previous_response_id: null,
      store: body['store'] ?? true,
      temperature: body['temperature'] ?? 0.7,
      tool_choice: body['tool_choice'] ?? 'auto',
      tools: body['tools'] ?? [],
      top_p: body['top_p'] ?? 1,
      truncation: 'disabled',
      usage: usage === undefined ? null : responsesUsage(usage),
    };
  }
}

function textPart(text: string): unknown {
  return { type: 'output_text', text, annotations: [], logprobs: null };
}

function responsesUsage(usage: Usage): unknown {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

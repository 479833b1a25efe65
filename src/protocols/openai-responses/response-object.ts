/**
 * The response object around an answer: it repeats the request, as OpenAI's does.
 * Source: OpenAI API reference, the response object.
 */
import type { GenerationUsage } from '../../domain/generation-event.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { AnswerFacts } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw, rawOr } from '../hub/json-text.ts';
import { placeOf } from './own-forms.ts';
import { formatOut, ownField, toolChoiceOut, toolOut } from './write-tools.ts';

export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Of an incomplete one. */
  readonly reason: 'max_output_tokens' | 'content_filter' | undefined;
  readonly output: readonly JsonOut[];
  readonly usage: GenerationUsage | undefined;
}

type Members = Readonly<Record<string, JsonOut>>;

/** Made once for an answer: what does not change while it is given. */
export class ResponseObject {
  readonly id: string;
  readonly #createdSeconds: number;
  readonly #facts: AnswerFacts;
  readonly #echo: Members;

  constructor(id: string, createdSeconds: number, facts: AnswerFacts) {
    this.id = id;
    this.#createdSeconds = createdSeconds;
    this.#facts = facts;
    this.#echo = echoOf(facts.request);
  }

  json({ status, error, reason, output, usage }: ResponseState): JsonOut {
    return {
      id: this.id,
      object: 'response',
      created_at: this.#createdSeconds,
      status,
      background: false,
      error: error ?? null,
      incomplete_details: reason === undefined ? null : { reason },
      model: this.#facts.model,
      output,
      ...this.#echo,
      usage: usage === undefined ? null : usageOut(usage),
    };
  }
}

function echoOf(request: GenerationRequest): Members {
  const { tools, toolChoice, responseFormat, reasoning } = request;
  const own = (name: string): JsonOut => rawOr(ownField(request, name)) ?? null;
  return {
    instructions: instructionsOf(request),
    max_output_tokens: request.maxTokens ?? null,
    max_tool_calls: own('max_tool_calls'),
    parallel_tool_calls: request.mayCallInParallel ?? true,
    previous_response_id: null,
    prompt_cache_key: request.promptCacheKey ?? null,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    safety_identifier: request.user ?? null,
    service_tier: request.serviceTier ?? 'default',
    store: false,
    temperature: request.temperature ?? 1,
    text: {
      format: formatOut(
        responseFormat ?? { type: 'text' },
        responseFormat?.type === 'json_schema' ? responseFormat.name : '',
      ),
      verbosity: request.verbosity ?? 'medium',
    },
    tool_choice: toolChoice ? toolChoiceOut(toolChoice) : (rawOr(ownField(request, 'tool_choice')) ?? 'auto'),
    tools: tools.flatMap((tool) => toolOut(tool) ?? []),
    top_logprobs: request.topLogprobs ?? 0,
    top_p: request.topP ?? 1,
    truncation: rawOr(ownField(request, 'truncation')) ?? 'disabled',
    user: own('user'),
    metadata: raw(request.metadataText ?? '{}'),
  };
}

function instructionsOf({ turns }: GenerationRequest): string | null {
  const text = placeOf(turns[0]) === 'instructions' ? turns[0]?.parts[0] : undefined;
  return text?.type === 'text' ? text.text : null;
}

function usageOut(usage: GenerationUsage): JsonOut {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteHourTokens } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: {
      cached_tokens: cachedInputTokens,
      cache_write_tokens: cacheWriteTokens + cacheWriteHourTokens,
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

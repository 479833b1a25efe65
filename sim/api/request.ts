/**
 * Reading what the generating APIs have in common: the model, how long the answer is, how many answers.
 * Lengths: `ignore_eos`, or any explicit limit, gives exactly that many tokens; otherwise the engine's default.
 */

import { countTokens } from '../core/tokens.ts';
import { sendError } from '../http/answers.ts';
import { type EngineError, modelNotFound } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, type JsonRecord, numberOf, recordOf, stringOf } from '../json.ts';
import { hexId } from '../random.ts';
import { answerPieces } from '../text/pieces.ts';
import { structuredAnswer } from '../text/structured.ts';
import type { ToolCall } from '../text/tool-call.ts';
import type { Choice, EngineParts, Generation } from './generation.ts';

/** How long an answer is. */
export interface AnswerLength {
  readonly tokens: number;
  readonly finish: 'stop' | 'length';
}

/** What an endpoint found in its body. */
export interface GenerationRequest {
  readonly idPrefix: string;
  readonly prompts: readonly string[];
  readonly length: AnswerLength;
  readonly toolCall?: ToolCall | undefined;
  /** The parameters shared by all APIs are read from here (for native /generate: its sampling parameters). */
  readonly sampling?: JsonRecord;
}

/** The served model a body asks for (the base model when it names none), or the engine's error. */
export function servedModel(parts: EngineParts, body: JsonRecord): string | EngineError {
  const { models } = parts.options;
  const model = stringOf(body['model']);
  if (model === undefined || model === '') return models[0] as string;
  return models.includes(model) ? model : modelNotFound(model);
}

/** The served model, or undefined after the error was answered. */
export function requireModel(parts: EngineParts, exchange: Exchange): string | undefined {
  const model = servedModel(parts, exchange.json);
  if (typeof model === 'string') return model;
  sendError(exchange, model);
  return undefined;
}

/** Length of an answer whose limit the client may give: exactly the limit, or the default. */
export function exactLength(parts: EngineParts, body: JsonRecord, limit: number | undefined): AnswerLength {
  const wanted = countOf(body['sim_output_tokens'], 1);
  if (wanted !== undefined && wanted < (limit ?? Number.POSITIVE_INFINITY)) return { tokens: wanted, finish: 'stop' };
  if (limit !== undefined) return { tokens: limit, finish: 'length' };
  return { tokens: parts.options.outputTokens, finish: 'stop' };
}

/** Length of an answer where the limit is obligatory and mostly generous: the default, or the limit if smaller. */
export function naturalLength(parts: EngineParts, body: JsonRecord, limit: number | undefined): AnswerLength {
  if (body['ignore_eos'] === true) return exactLength(parts, body, limit);
  const natural = countOf(body['sim_output_tokens'], 1) ?? parts.options.outputTokens;
  if (limit !== undefined && limit < natural) return { tokens: limit, finish: 'length' };
  return { tokens: natural, finish: 'stop' };
}

/** Plans a request: every choice's text is decided here, before the first token. */
export function planGeneration(
  parts: EngineParts,
  body: JsonRecord,
  model: string,
  asked: GenerationRequest,
): Generation {
  const sampling = asked.sampling ?? body;
  const perPrompt = countOf(sampling['n'], 1) ?? 1;
  const seed = numberOf(sampling['seed']) ?? numberOf(sampling['sampling_seed']) ?? parts.options.seed;
  const pieces = asked.toolCall ? undefined : structuredAnswer(body);
  const structured = pieces ? { pieces, finish: 'stop' as const } : {};
  const prompts = asked.prompts.flatMap((prompt) => Array.from({ length: perPrompt }, () => prompt));
  return {
    id: createId(parts, asked.idPrefix),
    model,
    created: Math.floor(Date.now() / 1000),
    choices: prompts.map((prompt, index) => ({
      ...planChoice(asked, model, prompt, index, seed + (index % perPrompt)),
      ...structured,
    })),
    perPrompt,
    isStream: body['stream'] === true,
    includeUsage: recordOf(body['stream_options'])['include_usage'] === true,
    cacheSalt: model + (stringOf(body['cache_salt']) ?? ''),
  };
}

/** An id like the engine's: a prefix and 32 hexadecimal characters. */
export function createId(parts: EngineParts, prefix: string): string {
  return prefix + hexId(parts.nextId(), 32);
}

function planChoice(asked: GenerationRequest, model: string, prompt: string, index: number, seed: number): Choice {
  const { toolCall, length } = asked;
  return {
    index,
    prompt,
    pieces: toolCall?.pieces ?? answerPieces(model, prompt, seed, length.tokens),
    finish: toolCall === undefined ? length.finish : 'tool_calls',
    toolCall,
    promptTokens: countTokens(prompt),
    cachedTokens: 0,
  };
}

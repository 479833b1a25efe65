/**
 * `generationConfig` of a request for Gemini, and the warnings about what it has no field for.
 * Source: Gemini API reference, generating content, `GenerationConfig`.
 */
import type { GenerationRequest } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { thinkingConfig } from './encode-thinking.ts';
import type { ExtraMembers } from './extra-members.ts';
import type { ModelFamily } from './model-family.ts';
import { geminiSchema } from './schema.ts';

const MAX_STOP_SEQUENCES = 5;

/** For which model, with which members of Gemini's own. */
export interface ConfigTarget {
  readonly target: EncodeTarget;
  readonly family: ModelFamily;
  readonly extras: ExtraMembers;
}

/** Undefined when nothing is set. What this API has no field for is reported here. */
export function encodeConfig(
  request: GenerationRequest,
  { target, family, extras }: ConfigTarget,
  warnings: Warnings,
): JsonOut | undefined {
  const config: { readonly [name: string]: JsonOut | undefined } = {
    maxOutputTokens: maxTokens(request, target, warnings),
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    candidateCount: request.choices === 1 ? undefined : request.choices,
    stopSequences: stopSequences(request.stop, warnings),
    seed: request.seed,
    presencePenalty: penalty('presence_penalty', request.presencePenalty, family, warnings),
    frequencyPenalty: penalty('frequency_penalty', request.frequencyPenalty, family, warnings),
    ...format(request, family, warnings),
    responseLogprobs: request.wantsLogprobs || undefined,
    logprobs: request.topLogprobs,
    thinkingConfig: thinkingConfig(request, family.thinking, warnings),
    ...extras,
  };
  warnUnknown(request, warnings);
  return Object.values(config).some((value) => value !== undefined) ? config : undefined;
}

function maxTokens(
  { maxTokens: asked }: GenerationRequest,
  { maxOutputTokens: limit }: EncodeTarget,
  warnings: Warnings,
): number | undefined {
  if (asked === undefined || limit === undefined || asked <= limit) return asked;
  warnings.changed('max_tokens', `becomes ${limit}, the longest answer of this model`);
  return limit;
}

function stopSequences(stop: readonly string[], warnings: Warnings): readonly string[] | undefined {
  if (stop.length > MAX_STOP_SEQUENCES)
    warnings.lost(`stop[${MAX_STOP_SEQUENCES}]`, `and those after it: Gemini takes ${MAX_STOP_SEQUENCES}`);
  return stop.length > 0 ? stop.slice(0, MAX_STOP_SEQUENCES) : undefined;
}

/** None is what all models do. */
function penalty(name: string, value: number | undefined, family: ModelFamily, warnings: Warnings): number | undefined {
  if (value === undefined || family.takesPenalties) return value;
  if (value !== 0) warnings.lost(name, 'is refused by this model');
  return undefined;
}

function format(
  { responseFormat, tools }: GenerationRequest,
  family: ModelFamily,
  warnings: Warnings,
): { readonly responseMimeType?: string; readonly responseJsonSchema?: JsonOut } {
  if (!responseFormat || responseFormat.type === 'text') return {};
  if (!family.formatsBesideTools && tools.some(({ type }) => type === 'function')) {
    warnings.lost('response_format', 'cannot be asked of this model together with functions');
    return {};
  }
  const responseMimeType = 'application/json';
  if (responseFormat.type === 'json_object' || responseFormat.schemaText === undefined) return { responseMimeType };
  if (responseFormat.description !== undefined)
    warnings.lost('response_format.json_schema.description', 'has no place in this API');
  const schema = geminiSchema(responseFormat.schemaText, 'response_format.json_schema.schema', warnings);
  return { responseMimeType, responseJsonSchema: raw(schema) };
}

function warnUnknown(request: GenerationRequest, warnings: Warnings): void {
  const lost: readonly (readonly [string, unknown])[] = [
    ['parallel_tool_calls', request.mayCallInParallel === false && request.tools.length > 0 ? false : undefined],
    ['min_p', request.minP],
    ['logit_bias', request.logitBiasText],
    ['user', request.user],
    ['metadata', request.metadataText],
    ['verbosity', request.verbosity],
    ['prompt_cache_key', request.promptCacheKey],
    // Nothing is stored either way; only who wants it stored has to know.
    ['store', request.store === true ? true : undefined],
  ];
  for (const [name, value] of lost) if (value !== undefined) warnings.lost(name, 'has no place in this API');
}

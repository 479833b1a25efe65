/**
 * `generationConfig` of a client's request: what the hub knows as such, the rest as extra fields for Gemini.
 * Source: Gemini API reference, generating content, `GenerationConfig` and `ThinkingConfig`.
 */
import type { ExtraField, GenerationRequest, ReasoningOptions, ResponseFormat } from '../../domain/generation.ts';
import { isEffort } from '../hub/effort.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readSchema } from './decode-tools.ts';
import { spelled } from './names.ts';

/** Of Gemini only; carried to it as they are. */
const EXTRAS = [
  ...['responseModalities', 'speechConfig', 'mediaResolution', 'imageConfig', 'audioTimestamp', 'responseFormat'],
  ...['enableAffectiveDialog', 'enableEnhancedCivicAnswers', 'routingConfig', 'modelSelectionConfig'],
  ...['audioTranscriptionConfig', 'translationConfig'],
];
const ENUM_TYPE = 'text/x.enum';

/** The fields of the hub's request that `generationConfig` fills. */
export type GenerationConfig = Pick<
  GenerationRequest,
  | 'maxTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'stop'
  | 'seed'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'choices'
  | 'wantsLogprobs'
  | 'topLogprobs'
  | 'responseFormat'
  | 'reasoning'
  | 'extras'
>;

const NO_CONFIG: GenerationConfig = {
  maxTokens: undefined,
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  stop: [],
  seed: undefined,
  frequencyPenalty: undefined,
  presencePenalty: undefined,
  choices: 1,
  wantsLogprobs: false,
  topLogprobs: undefined,
  responseFormat: undefined,
  reasoning: { mode: undefined, effort: undefined, budgetTokens: undefined, summary: undefined },
  extras: [],
};

/** Throws `invalid_request` for values of the wrong type and for words that the API does not have. */
export function readGenerationConfig(body: ObjectReader): GenerationConfig {
  const config = body.object(spelled(body, 'generationConfig'));
  if (!config) return NO_CONFIG;
  const at = (name: string) => spelled(config, name);
  const read: GenerationConfig = {
    maxTokens: config.whole(at('maxOutputTokens')),
    temperature: config.number('temperature'),
    topP: config.number(at('topP')),
    topK: config.number(at('topK')),
    stop: config.texts(at('stopSequences')),
    seed: config.whole('seed'),
    frequencyPenalty: config.number(at('frequencyPenalty')),
    presencePenalty: config.number(at('presencePenalty')),
    choices: config.whole(at('candidateCount')) ?? 1,
    wantsLogprobs: config.flag(at('responseLogprobs')) ?? false,
    topLogprobs: config.whole('logprobs'),
    reasoning: readThinking(config),
    ...readFormat(config),
  };
  config.finish();
  return read;
}

function readFormat(config: ObjectReader): Pick<GenerationConfig, 'responseFormat' | 'extras'> {
  const extras = EXTRAS.flatMap((name) => extraOf(config, name));
  const type = config.text(spelled(config, 'responseMimeType'));
  if (type === ENUM_TYPE) {
    const names = ['responseMimeType', 'responseSchema', 'responseJsonSchema'];
    return { responseFormat: undefined, extras: [...extras, ...names.flatMap((name) => extraOf(config, name))] };
  }
  if (type !== undefined && !['application/json', 'text/plain'].includes(type))
    throw config.refuse('responseMimeType', `must be application/json, text/plain or ${ENUM_TYPE}`);
  const schemaText = readSchema(config, 'responseJsonSchema', 'responseSchema');
  return { responseFormat: formatOf(type, schemaText), extras };
}

function formatOf(type: string | undefined, schemaText: string | undefined): ResponseFormat | undefined {
  if (schemaText !== undefined)
    return { type: 'json_schema', name: 'response', description: undefined, schemaText, isStrict: true };
  return type === 'application/json' ? { type: 'json_object' } : undefined;
}

function extraOf(config: ObjectReader, name: string): ExtraField[] {
  const json = config.raw(spelled(config, name));
  return json === undefined ? [] : [{ origin: 'gemini', name: `generationConfig.${name}`, json }];
}

function readThinking(config: ObjectReader): ReasoningOptions {
  const thinking = config.object(spelled(config, 'thinkingConfig'));
  if (!thinking) return NO_CONFIG.reasoning;
  const isShown = thinking.flag(spelled(thinking, 'includeThoughts'));
  const budget = thinking.whole(spelled(thinking, 'thinkingBudget'));
  const level = spelled(thinking, 'thinkingLevel');
  const effort = thinking.text(level)?.toLowerCase();
  if (effort !== undefined && !isEffort(effort) && effort !== 'thinking_level_unspecified')
    throw thinking.refuse(level, 'must be minimal, low, medium or high');
  thinking.finish();
  return {
    mode: modeOf(budget),
    effort: effort !== undefined && isEffort(effort) ? effort : undefined,
    budgetTokens: budget !== undefined && budget > 0 ? budget : undefined,
    summary: isShown ? 'auto' : 'none',
  };
}

/** Nothing is none, less than nothing is as much as the model finds right. */
function modeOf(budget: number | undefined): ReasoningOptions['mode'] {
  if (budget === undefined) return undefined;
  if (budget === 0) return 'off';
  return budget < 0 ? 'adaptive' : 'on';
}

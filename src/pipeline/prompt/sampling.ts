/** From a chat-like request to what is asked of an engine's sampler. Undefined stays undefined: see `withDefaults`. */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { OutputConstraint, Sampling } from '../../domain/token-generation.ts';
import type { SamplingDefaults } from '../../domain/token-model.ts';
import { isRepresentable, MOST_BIASES, tooManyBiases } from './check-sampling.ts';
import type { ExtraFields } from './extra-fields.ts';

/** As many as engines' own servers take. */
const MAX_CHOICES = 128;
const MAX_STOPS = 64;
const MAX_LOGPROBS = 20;

/** What other parts of the request decide. */
export interface Decided {
  readonly constraint: OutputConstraint | undefined;
  readonly beginsInThought: boolean;
}

/** Throws `invalid_request`. */
export function readSampling(request: GenerationRequest, extras: ExtraFields, decided: Decided): Sampling {
  checkRanges(request);
  const minTokens = extras.whole('min_tokens');
  if (minTokens !== undefined && request.maxTokens !== undefined && minTokens > request.maxTokens)
    throw refuse('min_tokens', 'is more than the tokens that the answer may have');
  extras.ignore('best_of', 'spaces_between_special_tokens');
  return {
    maxTokens: request.maxTokens,
    minTokens,
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    minP: request.minP,
    frequencyPenalty: request.frequencyPenalty,
    presencePenalty: request.presencePenalty,
    repetitionPenalty: extras.number('repetition_penalty'),
    seed: request.seed ?? extras.whole('sampling_seed') ?? extras.whole('random_seed'),
    stop: request.stop,
    stopTokenIds: extras.ids('stop_token_ids'),
    ignoreEos: extras.flag('ignore_eos') ?? false,
    keepsStop: (extras.flag('no_stop_trim') ?? extras.flag('include_stop_str_in_output')) === true,
    skipSpecialTokens: extras.flag('skip_special_tokens') ?? true,
    logitBias: readLogitBias(request.logitBiasText),
    choices: request.choices,
    logprobs: request.wantsLogprobs ? (request.topLogprobs ?? 0) : undefined,
    promptLogprobs: undefined,
    ...decided,
  };
}

function checkRanges({ choices, stop, maxTokens, topK, topLogprobs, wantsLogprobs }: GenerationRequest): void {
  if (choices > MAX_CHOICES) throw refuse('n', `must be at most ${MAX_CHOICES}`);
  if (stop.length > MAX_STOPS) throw refuse('stop', `must have at most ${MAX_STOPS} strings`);
  if (stop.includes('')) throw refuse('stop', 'must not hold an empty string');
  if (maxTokens !== undefined && maxTokens < 1) throw refuse('max_tokens', 'must be at least 1');
  // Gemini's may be of any kind of number.
  if (topK !== undefined && !Number.isInteger(topK)) throw refuse('top_k', 'must be a whole number');
  if (topLogprobs === undefined) return;
  if (!wantsLogprobs) throw refuse('top_logprobs', 'needs `logprobs`');
  if (topLogprobs < 0 || topLogprobs > MAX_LOGPROBS) throw refuse('top_logprobs', `must be from 0 to ${MAX_LOGPROBS}`);
}

function readLogitBias(text: string | undefined): ReadonlyMap<number, number> | undefined {
  if (text === undefined) return undefined;
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  if (entries.length > MOST_BIASES) throw tooManyBiases();
  const biases = entries.map(([id, bias]) => {
    if (!/^\d{1,9}$/.test(id)) throw refuse('logit_bias', 'must have ids of tokens for names');
    if (typeof bias !== 'number' || bias < -100 || bias > 100)
      throw refuse('logit_bias', 'must have numbers from -100 to 100');
    return [Number(id), bias] as const;
  });
  return biases.length > 0 ? new Map(biases) : undefined;
}

function refuse(param: string, problem: string): GatewayError {
  return new GatewayError('invalid_request', `\`${param}\` ${problem}.`, { param });
}

/** A model's files and its workers may say anything; what fits no field is no default. */
function isUsable(name: keyof SamplingDefaults, value: number | undefined): boolean {
  return value !== undefined && isRepresentable(name, value);
}

/** Fills in what the client has left open, from the first that says something. */
export function withDefaults(sampling: Sampling, ...sources: readonly (SamplingDefaults | undefined)[]): Sampling {
  const first = (name: keyof SamplingDefaults) => sources.find((source) => isUsable(name, source?.[name]))?.[name];
  return {
    ...sampling,
    temperature: sampling.temperature ?? first('temperature'),
    topP: sampling.topP ?? first('topP'),
    topK: sampling.topK ?? first('topK'),
    minP: sampling.minP ?? first('minP'),
    repetitionPenalty: sampling.repetitionPenalty ?? first('repetitionPenalty'),
  };
}

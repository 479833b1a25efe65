/** Sampling, stop sequences, and the fields that this API has no counterpart for. Source: Anthropic API reference, Messages. */
import type { GenerationRequest } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Writer } from './encode-block.ts';
import { NATIVE_ORIGIN } from './wire.ts';

/** Least `top_p` that is taken together with thinking, and by models that take no other value. */
const THINKING_TOP_P = 0.95;
const DEFAULT_TOP_P = 0.99;
const MAX_TEMPERATURE = 1;

export interface Sampling {
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
}

export function encodeSampling(request: GenerationRequest, writer: Writer, isThinking: boolean): Sampling {
  const { traits, warnings } = writer;
  const temperature = temperatureOf(request, writer, isThinking);
  let { topP, topK } = request;
  const leastTopP = traits.takesSampling ? (isThinking ? THINKING_TOP_P : 0) : DEFAULT_TOP_P;
  if (traits.isClaude && topP !== undefined && topP < leastTopP) {
    warnings.lost('top_p', refusal(writer));
    topP = undefined;
  }
  if (!traits.takesBothSamplers && topP !== undefined && temperature !== undefined && traits.takesSampling) {
    warnings.lost('top_p', 'is left out, since the model takes no `temperature` beside it');
    topP = undefined;
  }
  if (traits.isClaude && topK !== undefined && (isThinking || !traits.takesSampling)) {
    warnings.lost('top_k', refusal(writer));
    topK = undefined;
  }
  return { temperature, topP, topK };
}

function temperatureOf({ temperature }: GenerationRequest, writer: Writer, isThinking: boolean): number | undefined {
  const { traits, warnings } = writer;
  if (temperature === undefined || !traits.isClaude) return temperature;
  if ((isThinking || !traits.takesSampling) && temperature !== MAX_TEMPERATURE) {
    warnings.lost('temperature', refusal(writer));
    return undefined;
  }
  if (temperature <= MAX_TEMPERATURE) return temperature;
  warnings.changed('temperature', `is set to ${MAX_TEMPERATURE}, the highest that this API takes`);
  return MAX_TEMPERATURE;
}

function refusal({ traits }: Writer): string {
  return traits.takesSampling ? 'cannot be set while the model thinks' : 'is refused by this model';
}

/** Blank sequences are refused. Undefined when none is left. */
export function encodeStop({ stop }: GenerationRequest, { traits, warnings }: Writer): readonly string[] | undefined {
  const kept = stop.filter((sequence, index) => {
    const isTaken = !traits.isClaude || sequence.trim() !== '';
    if (!isTaken) warnings.lost(`stop[${index}]`, 'is blank, which this API refuses');
    return isTaken;
  });
  return kept.length === 0 ? undefined : kept;
}

/** The API refuses what looks like an address or a telephone number. */
export function encodeUser({ user }: GenerationRequest, { warnings }: Writer): JsonOut | undefined {
  if (user === undefined) return undefined;
  // A number has at most 15 digits (E.164); a UUID, which the API recommends, may be of digits alone.
  const digits = user.replace(/\D/g, '').length;
  const isNumber = /^\+?[\d\s().-]+$/.test(user) && digits >= 7 && digits <= 15;
  if (!isNumber && !/@[^\s@]+\./.test(user)) return { user_id: user };
  warnings.lost('user', 'looks like an address or a telephone number, which this API refuses');
  return undefined;
}

const TIERS: Readonly<Record<string, string>> = {
  auto: 'auto',
  standard_only: 'standard_only',
  default: 'standard_only',
};

export function encodeTier({ serviceTier }: GenerationRequest, { warnings }: Writer): string | undefined {
  if (serviceTier === undefined) return undefined;
  const tier = Object.hasOwn(TIERS, serviceTier) ? TIERS[serviceTier] : undefined;
  if (tier === undefined) warnings.lost('service_tier', 'has a value that this API does not have');
  return tier;
}

/** Extra fields that are this API's; those of others are told. */
export function encodeExtras({ extras }: GenerationRequest, { warnings }: Writer): Record<string, JsonOut> {
  const own: Record<string, JsonOut> = {};
  for (const { origin, name, json } of extras) {
    if (origin === NATIVE_ORIGIN) own[name] = raw(json);
    else warnings.lost(name, 'has no counterpart in this API');
  }
  return own;
}

/** Tells of every field that is set and that this API does not have. */
export function reportMissing(request: GenerationRequest, { warnings }: Writer): void {
  const fields: Readonly<Record<string, boolean>> = {
    n: request.choices > 1,
    seed: request.seed !== undefined,
    min_p: request.minP !== undefined,
    frequency_penalty: isSet(request.frequencyPenalty),
    presence_penalty: isSet(request.presencePenalty),
    logprobs: request.wantsLogprobs,
    top_logprobs: request.topLogprobs !== undefined,
    logit_bias: request.logitBiasText !== undefined,
    metadata: request.metadataText !== undefined,
    verbosity: request.verbosity !== undefined,
    prompt_cache_key: request.promptCacheKey !== undefined,
    store: request.store === true,
  };
  for (const [name, isGiven] of Object.entries(fields))
    if (isGiven) warnings.lost(name, 'has no counterpart in this API');
}

/** A penalty of zero is none. */
function isSet(penalty: number | undefined): boolean {
  return penalty !== undefined && penalty !== 0;
}

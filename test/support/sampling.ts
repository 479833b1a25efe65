/** Sampling that asks for nothing, for tests that say the rest. */
import type { Sampling } from '../../src/domain/token-generation.ts';

export function sampling(more: Partial<Sampling> = {}): Sampling {
  return {
    maxTokens: undefined,
    minTokens: undefined,
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    minP: undefined,
    frequencyPenalty: undefined,
    presencePenalty: undefined,
    repetitionPenalty: undefined,
    seed: undefined,
    stop: [],
    stopTokenIds: [],
    ignoreEos: false,
    keepsStop: false,
    skipSpecialTokens: true,
    logitBias: undefined,
    choices: 1,
    logprobs: undefined,
    promptLogprobs: undefined,
    constraint: undefined,
    beginsInThought: false,
    ...more,
  };
}

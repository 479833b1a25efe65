/** Orders of tokens that ask for nothing in particular, for tests of what engines are told. */
import type { Sampling, TokenOrder, TokenPrompt } from '../../src/domain/token-generation.ts';

export const PLAIN_SAMPLING: Sampling = {
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
};

export function promptOf(ids: readonly number[], text = ''): TokenPrompt {
  return { ids: Uint32Array.from(ids), text };
}

export function orderOf(change: Partial<TokenOrder> = {}, sampling: Partial<Sampling> = {}): TokenOrder {
  return {
    requestId: 'r',
    prompts: [promptOf([1, 2, 300], 'hello')],
    sampling: { ...PLAIN_SAMPLING, ...sampling },
    isStream: true,
    rank: undefined,
    key: undefined,
    traceparent: undefined,
    tracestate: undefined,
    adapter: undefined,
    ...change,
  };
}

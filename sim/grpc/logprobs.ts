/** Made-up log probabilities: a function of token and place, so that they can be told apart and asked for again. */

import { mix } from '../random.ts';

/** One token with those that were likeliest in its place, itself among them. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
}

/** The log probability of a token at a place of the answer (or, with a negative place, of the prompt). */
export function logprobOf(id: number, place: number): number {
  return -(mix(Math.imul(id + 1, 0x9e3779b1) ^ place) % 1024) / 512;
}

/** Of tokens from place `start` on, each with `count` likeliest. Exact in 32-bit floats. */
export function logprobsOf(ids: readonly number[], start: number, count: number): readonly TokenLogprob[] {
  return ids.map((id, index) => {
    const logprob = logprobOf(id, start + index);
    const top = Array.from({ length: count }, (_unused, rank) => ({ id: id ^ rank, logprob: logprob - rank / 4 }));
    return { id, logprob, top };
  });
}

/** In the lists that SGLang, vLLM, MLX and TokenSpeed send. */
export function listsOf(items: readonly TokenLogprob[]): object {
  return {
    token_logprobs: items.map(({ logprob }) => logprob),
    token_ids: items.map(({ id }) => id),
    top_logprobs: items.some(({ top }) => top.length > 0) ? items.map(topOf) : [],
  };
}

/** Of a prompt: its first token has no probability. */
export function promptListsOf(items: readonly TokenLogprob[]): object {
  return {
    token_logprobs: items.map(({ logprob }, index) => (index === 0 ? {} : { value: logprob })),
    token_ids: items.map(({ id }) => id),
    top_logprobs: items.some(({ top }) => top.length > 0)
      ? items.map((item, index) => (index === 0 ? { values: [], token_ids: [] } : topOf(item)))
      : [],
  };
}

function topOf({ top }: TokenLogprob): object {
  return { values: top.map(({ logprob }) => logprob), token_ids: top.map(({ id }) => id) };
}

/**
 * What a client may ask of a sampler and its wire: numbers that fit their fields, and tokens that the model has. The
 * gateway is the server here: engines behind gRPC look up rows of the model's tables by these ids without a look of
 * their own, and one that is not there can end the engine for everybody.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { Sampling } from '../../domain/token-generation.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';

const MOST_FLOAT = 3.4e38;
const MOST_INT = 0x7fff_ffff;
/** Each takes some microseconds here and more in an engine, which lays them into a tensor for every step. */
export const MOST_BIASES = 10_000;
const MOST_STOP_IDS = 4_096;

const NUMBERS = [
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['minP', 'min_p'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
  ['repetitionPenalty', 'repetition_penalty'],
  ['maxTokens', 'max_tokens'],
  ['minTokens', 'min_tokens'],
  ['topK', 'top_k'],
] as const;

const WHOLES: ReadonlySet<string> = new Set(['maxTokens', 'minTokens', 'topK']);

/** Whether the engines' messages have room for it: 32 bits, whole or not. */
export function isRepresentable(name: (typeof NUMBERS)[number][0], value: number): boolean {
  if (!WHOLES.has(name)) return Math.abs(value) <= MOST_FLOAT;
  return Number.isInteger(value) && Math.abs(value) <= MOST_INT;
}

/** Throws `invalid_request`. */
export function checkSampling(sampling: Sampling, vocabularySize: number): void {
  for (const [name, param] of NUMBERS)
    if (!isRepresentable(name, sampling[name] ?? 0)) throw refuse(param, 'is too large');
  if ((sampling.minTokens ?? 0) < 0) throw refuse('min_tokens', 'must be at least 0');
  const { stopTokenIds, logitBias } = sampling;
  if (stopTokenIds.length > MOST_STOP_IDS) throw refuse('stop_token_ids', `must have at most ${MOST_STOP_IDS} ids`);
  for (const id of stopTokenIds) if (id >= vocabularySize) throw unknownToken('stop_token_ids', id, vocabularySize);
  if (!logitBias) return;
  if (logitBias.size > MOST_BIASES) throw tooManyBiases();
  for (const id of logitBias.keys()) if (id >= vocabularySize) throw unknownToken('logit_bias', id, vocabularySize);
}

/** For prompts that came as ids. Throws `invalid_request`. */
export function checkIds(ids: TokenIds, vocabularySize: number): void {
  for (let index = 0; index < ids.length; index += 1) {
    const id = ids[index] ?? 0;
    if (id >= vocabularySize) throw unknownToken('prompt', id, vocabularySize);
  }
}

export function tooManyBiases(): GatewayError {
  return refuse('logit_bias', `must have at most ${MOST_BIASES} tokens`);
}

function unknownToken(param: string, id: number, vocabularySize: number): GatewayError {
  return refuse(param, `has the id ${id}, and the model has ${vocabularySize} tokens`);
}

function refuse(param: string, problem: string): GatewayError {
  return new GatewayError('invalid_request', `\`${param}\` ${problem}.`, { param });
}

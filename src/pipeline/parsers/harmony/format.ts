/** Harmony, the format of gpt-oss, under both of its names. */
import type { TokenModel } from '../../../domain/token-model.ts';
import type { AnswerFormat } from '../parser.ts';
import { ANSWER_ENDS, createHarmonyParser, MARKERS } from './parser.ts';

/** What options call it: as a format of calls, and as one of thoughts. */
export const HARMONY_IDS: readonly string[] = ['harmony', 'gpt_oss'];

const MODELS = ['gpt-oss', 'gpt_oss', 'gptoss'];

export const harmony: AnswerFormat = {
  id: 'harmony',
  models: MODELS,
  markers: MARKERS,
  ends: ANSWER_ENDS,
  textOpening: '<|channel|>final<|message|>',
  create: createHarmonyParser,
};

/** By what a model's files say, whatever its name: its kind, or a vocabulary that has the marks of no other format. */
export function speaksHarmony({ architectures, modelType, tokenizer }: TokenModel): boolean {
  if (modelType === 'gpt_oss' || architectures.includes('GptOssForCausalLM')) return true;
  return MARKERS.every((marker) => tokenizer.specialTokens.has(marker));
}

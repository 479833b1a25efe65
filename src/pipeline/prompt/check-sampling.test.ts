/** What no engine may be asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampling } from '../../../test/support/sampling.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Sampling } from '../../domain/token-generation.ts';
import { checkIds, checkSampling } from './check-sampling.ts';

const refused: readonly (readonly [string, Partial<Sampling>])[] = [
  ['temperature', { temperature: 1e308 }],
  ['repetition_penalty', { repetitionPenalty: 1e39 }],
  ['top_k', { topK: 2 ** 31 }],
  ['min_tokens', { minTokens: 1e12 }],
  ['min_tokens', { minTokens: -5 }],
  ['max_tokens', { maxTokens: 1e12 }],
  ['stop_token_ids', { stopTokenIds: [3, 100] }],
  ['stop_token_ids', { stopTokenIds: Array.from({ length: 5_000 }, () => 1) }],
  ['logit_bias', { logitBias: new Map([[100, 1]]) }],
  ['logit_bias', { logitBias: new Map(Array.from({ length: 20_000 }, (_, id) => [id, 1])) }],
];

for (const [param, asked] of refused) {
  test(`refuses a ${param} that has no place on the wire or in the model: ${JSON.stringify(asked).slice(0, 40)}`, () => {
    assert.throws(
      () => checkSampling(sampling(asked), 100),
      (error) => error instanceof GatewayError && error.code === 'invalid_request' && error.param === param,
    );
  });
}

test('takes what fits', () => {
  checkSampling(sampling({ temperature: 2, topK: -1, stopTokenIds: [99], logitBias: new Map([[99, -100]]) }), 100);
  checkIds(Uint32Array.of(0, 99), 100);
});

test('refuses prompts with ids that the model does not have', () => {
  assert.throws(() => checkIds(Uint32Array.of(0, 100), 100), /has the id 100, and the model has 100 tokens/);
});

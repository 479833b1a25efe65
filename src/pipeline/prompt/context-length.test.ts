/** Prompts that fit and prompts that do not; and what fills in for a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import { checkContext } from './context-length.ts';

test('a prompt that leaves room for one token fits', () => {
  checkContext({ promptTokens: 9, maxTokens: undefined, contextLength: 10 });
  checkContext({ promptTokens: 9, maxTokens: 1, contextLength: 10 });
  checkContext({ promptTokens: 9, maxTokens: 100, contextLength: undefined });
});

test('what does not fit is refused with all the numbers', () => {
  for (const [maxTokens, param] of [
    [undefined, 'messages'],
    [3, 'max_tokens'],
  ] as const) {
    assert.throws(
      () => checkContext({ promptTokens: 10, maxTokens, contextLength: 10 }),
      (error: unknown) =>
        error instanceof GatewayError &&
        error.status === 400 &&
        error.param === param &&
        /10 tokens/.test(error.message),
    );
  }
});

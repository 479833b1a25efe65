/** Counts of a stream: blocks add up to what the last of them says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageReader } from './wire-usage.ts';

test('a prompt that turns out to be cached as a whole is counted once', () => {
  const reader = new UsageReader();
  reader.read({ input_tokens: 5, cache_read_input_tokens: 0, output_tokens: 0 });
  reader.read({ input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 10 });
  assert.deepEqual([reader.usage.inputTokens, reader.usage.cachedInputTokens], [5, 5]);
});

test('a later zero of a server that does not repeat its counts changes nothing', () => {
  const reader = new UsageReader();
  reader.read({ input_tokens: 5, cache_read_input_tokens: 3 });
  reader.read({ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 10 });
  assert.deepEqual([reader.usage.inputTokens, reader.usage.outputTokens], [8, 10]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelTraits } from './model-traits.ts';

test('a model is told by family and version, whatever stands before or after them', () => {
  const names = [
    'claude-opus-4-8',
    'anthropic/claude-opus-4.8',
    'us.anthropic.claude-opus-4-8-v1',
    'claude-opus-4-8-20260528',
  ];
  for (const name of names) assert.deepEqual(modelTraits(name), modelTraits('claude-opus-4-8'), name);
  assert.deepEqual(modelTraits('claude-3-7-sonnet-20250219'), modelTraits('claude-sonnet-3-7'));
  assert.deepEqual(modelTraits('claude-sonnet-4-20250514'), modelTraits('claude-sonnet-4-0'));
});

const table = [
  ['claude-3-haiku-20240307', 4_096, 'none', 'no', [], true],
  ['claude-3-5-sonnet-20241022', 8_192, 'none', 'no', [], true],
  ['claude-3-7-sonnet-20250219', 64_000, 'budget', 'no', [], true],
  ['claude-opus-4-1-20250805', 32_000, 'budget', 'no', [], true],
  ['claude-haiku-4-5', 64_000, 'budget', 'no', [], true],
  ['claude-opus-4-5', 64_000, 'budget', 'no', ['low', 'medium', 'high'], true],
  ['claude-sonnet-4-6', 64_000, 'both', 'no', ['low', 'medium', 'high', 'max'], true],
  ['claude-opus-4-6', 128_000, 'both', 'no', ['low', 'medium', 'high', 'max'], true],
  ['claude-mythos-preview', 128_000, 'both', 'always', ['low', 'medium', 'high', 'max'], false],
  ['claude-opus-4-7', 128_000, 'adaptive', 'no', ['low', 'medium', 'high', 'xhigh', 'max'], false],
  ['claude-sonnet-5', 128_000, 'adaptive', 'yes', ['low', 'medium', 'high', 'xhigh', 'max'], false],
  ['claude-fable-5', 128_000, 'adaptive', 'always', ['low', 'medium', 'high', 'xhigh', 'max'], false],
  ['claude-opus-5-5', 128_000, 'adaptive', 'always', ['low', 'medium', 'high', 'xhigh', 'max'], false],
] as const;

for (const [name, maxOutputTokens, thinking, thinksByDefault, efforts, takesSampling] of table) {
  test(`${name}: longest answer, thinking, efforts, sampling`, () => {
    const traits = modelTraits(name);
    assert.deepEqual(
      {
        maxOutputTokens: traits.maxOutputTokens,
        thinking: traits.thinking,
        thinksByDefault: traits.thinksByDefault,
        efforts: traits.efforts,
        takesSampling: traits.takesSampling,
      },
      { maxOutputTokens, thinking, thinksByDefault, efforts, takesSampling },
    );
  });
}

test('system turns within the conversation are for Opus since 4.8, Fable, and the others since 5.5', () => {
  const names = [
    'claude-opus-4-7',
    'claude-opus-4-8',
    'claude-sonnet-5',
    'claude-sonnet-5-5',
    'claude-fable-5',
    'claude-haiku-4-5',
  ];
  assert.deepEqual(
    names.map((name) => modelTraits(name).takesSystemTurns),
    [false, true, false, true, true, false],
  );
});

test('the beginning of an answer is taken up to 4.5', () => {
  const names = ['claude-sonnet-4-5', 'claude-haiku-4-5', 'claude-sonnet-4-6', 'claude-opus-5'];
  assert.deepEqual(
    names.map((name) => modelTraits(name).takesPrefill),
    [true, true, false, false],
  );
});

test('a version yet unknown is taken for the newest, and another vendor says itself what it does not know', () => {
  assert.equal(modelTraits('claude-opus-9').thinking, 'adaptive');
  assert.equal(modelTraits('claude-opus').takesSampling, false);
  assert.equal(modelTraits('deepseek-chat').isClaude, false);
  assert.equal(modelTraits('my-claude').isClaude, false);
});

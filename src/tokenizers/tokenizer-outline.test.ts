/** The short way to the outline of a tokenizer.json, and the long one where the short one does not lead there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVocabulary, vocabularyNames } from '../../test/support/vocabularies.ts';
import { SourceError } from './model-files.ts';
import { outlineOf } from './tokenizer-outline.ts';

const of = (text: string) => outlineOf(new Map([['tokenizer.json', Buffer.from(text)]]));
const HEAD = { truncation: null, added_tokens: [{ content: '"model": {' }], pre_tokenizer: { type: 'model' } };

test('of real files the model is left out and all before it is there', () => {
  for (const name of vocabularyNames.slice(0, 2)) {
    const { tokenizerJson } = readVocabulary(name);
    const { model: _, ...rest } = JSON.parse(tokenizerJson) as Record<string, unknown>;
    assert.deepEqual(of(tokenizerJson), rest);
  }
});

test('the word elsewhere leads nobody astray', () => {
  assert.deepEqual(of(JSON.stringify({ ...HEAD, model: { broken: 1 } }, null, 2)), HEAD);
  assert.deepEqual(of(JSON.stringify({ x: 'model', ...HEAD, model: 1 })), { x: 'model', ...HEAD });
});

test('a file in another order, or without a model, is parsed as a whole', () => {
  const turned = { model: { vocab: {} }, ...HEAD };
  assert.deepEqual(of(JSON.stringify(turned)), turned);
  assert.deepEqual(of('{}'), {});
  assert.deepEqual(outlineOf(new Map()), {});
  assert.throws(() => of('{"model"'), SourceError);
});

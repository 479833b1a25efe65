import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNITS_PER_TOKEN } from '../core/tokens.ts';
import { answerPieces, textOfPieces } from './pieces.ts';

test('gives the same text for the same model, prompt and seed, and another when one differs', () => {
  const text = (model: string, prompt: string, seed: number) => textOfPieces(answerPieces(model, prompt, seed, 16));
  const reference = text('m', 'hello', 0);
  assert.equal(text('m', 'hello', 0), reference);
  assert.notEqual(text('n', 'hello', 0), reference);
  assert.notEqual(text('m', 'hello!', 0), reference);
  assert.notEqual(text('m', 'hello', 1), reference);
});

test('a longer answer starts with the shorter one', () => {
  const long = textOfPieces(answerPieces('m', 'p', 0, 40));
  assert.ok(long.startsWith(textOfPieces(answerPieces('m', 'p', 0, 10))));
});

test('every piece is one token long and its JSON form is exact', () => {
  for (const piece of answerPieces('m', 'p', 0, 2000)) {
    assert.equal(piece.text.length, UNITS_PER_TOKEN, piece.text);
    assert.equal(JSON.parse(`"${piece.json}"`), piece.text);
  }
});

test('answers contain characters of two, three and four bytes, quotes and backslashes', () => {
  const text = textOfPieces(answerPieces('m', 'p', 0, 2000));
  for (const part of ['é', '日本語', '🙂', '"', '\\', '\n']) assert.ok(text.includes(part), part);
});

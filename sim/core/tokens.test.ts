import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_COST } from './cost.ts';
import { countTokens, readTokens, textOfTokenIds } from './tokens.ts';

const read = (prompt: string, answer = '', salt = '') => readTokens(prompt, answer, DEFAULT_COST, salt);

test('counts four units as a token and never less than one token', () => {
  assert.equal(countTokens(''), 1);
  assert.equal(countTokens('1234'), 1);
  assert.equal(countTokens('12345'), 2);
});

test('gives equal beginnings equal block hashes and different ones different hashes', () => {
  const shared = 'a'.repeat(128);
  const one = read(`${shared}${'x'.repeat(64)}`);
  const two = read(`${shared}${'y'.repeat(64)}`);
  assert.deepEqual(one.blocks.slice(0, 2), two.blocks.slice(0, 2));
  assert.notEqual(one.blocks[2], two.blocks[2]);
  assert.notEqual(one.blocks[0], one.blocks[1], 'a block covers everything before it');
});

test('keeps the prefixes of different salts apart', () => {
  const text = 'a'.repeat(64);
  assert.notEqual(read(text, '', 'model-a').blocks[0], read(text, '', 'model-b').blocks[0]);
});

test('hashes a finished turn like the beginning of the next one', () => {
  const prompt = 'p'.repeat(100);
  const answer = 'q'.repeat(64);
  const turn = read(prompt, answer);
  const next = read(`${prompt}${answer}${'r'.repeat(64)}`);
  assert.equal(turn.promptBlocks, 1);
  assert.deepEqual(turn.blocks, next.blocks.slice(0, 2));
});

test('turns token ids into text of one token each', () => {
  assert.equal(countTokens(textOfTokenIds([1, 2, 151_645])), 3);
  assert.notEqual(textOfTokenIds([1, 2]), textOfTokenIds([2, 1]));
});

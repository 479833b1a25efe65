import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, chooseCases } from './cases.ts';

test('without words everything is chosen', () => {
  const choice = chooseCases([]);
  assert.equal(choice.cases.length, 10);
  assert.deepEqual(choice.cases, CASES);
  assert.deepEqual(choice.targets, ['direct', 'bare', 'nginx', 'gateway']);
});

test('words of different kinds narrow, words of one kind widen', () => {
  const choice = chooseCases(['unary', '1KB', '1', '32', 'bare', 'gateway']);
  assert.deepEqual(
    choice.cases.map((one) => one.name),
    ['unary 1 KB × 1', 'unary 1 KB × 32'],
  );
  assert.deepEqual(choice.targets, ['bare', 'gateway']);
});

test('a word that names nothing is an error that lists the known ones', () => {
  assert.throws(() => chooseCases(['unray']), /--only knows unary, 1KB.*not unray/);
});

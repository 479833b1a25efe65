import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES, chooseCases, chooseWords, PROXIES } from './cases.ts';

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

test('the words of another scenario choose among its own, in its own order', () => {
  assert.deepEqual(chooseWords([], PROXIES), ['bare', 'gateway']);
  assert.deepEqual(chooseWords(['gateway'], PROXIES), ['gateway']);
  assert.deepEqual(chooseWords(['gateway', 'bare'], PROXIES), ['bare', 'gateway']);
  assert.throws(() => chooseWords(['nginx'], PROXIES), /--only knows bare, gateway here; not nginx/);
});

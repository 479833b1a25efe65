import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { carrySignature, readSignature } from './carried-signature.ts';
import { budgetOf, EFFORTS, effortOf, nearestEffort } from './effort.ts';
import { fitToolId } from './tool-ids.ts';

const rules = [
  { maxLength: 64, pattern: /^[a-zA-Z0-9_-]+$/ },
  { maxLength: 40, pattern: /^[\x21-\x7e]+$/ },
  { maxLength: 9, pattern: /^[a-zA-Z0-9]{9}$/ },
];

test('an id that the target takes stays, every other becomes one that it takes, the same each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constantFrom(...rules), (id, rule) => {
      const fitted = fitToolId(id, rule);
      assert.match(fitted, rule.pattern);
      assert.ok(fitted.length <= rule.maxLength);
      assert.equal(fitToolId(id, rule), fitted);
      if (rule.pattern.test(id) && id.length <= rule.maxLength) assert.equal(fitted, id);
    }),
  );
});

test('ids that differ only in what the target does not take stay apart', () => {
  const ids = ['call:1', 'call.1', 'call/1', 'call 1', `call${'x'.repeat(100)}`, `call${'x'.repeat(101)}`];
  for (const rule of rules) assert.equal(new Set(ids.map((id) => fitToolId(id, rule))).size, ids.length);
});

test('a signature of another provider comes back byte for byte from where it was carried', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('anthropic', 'gemini', 'openai', 'xai'),
      (value, origin) => {
        const signature = { origin, value } as const;
        assert.deepEqual(readSignature(carrySignature(signature, 'anthropic'), 'anthropic'), signature);
      },
    ),
  );
});

test('a signature of its own place is written as it is', () => {
  assert.equal(carrySignature({ origin: 'gemini', value: 'Cg==' }, 'gemini'), 'Cg==');
  for (const text of ['EqQBCkgIARABGAIiQL', 'smg.', 'smg.nobody.YQ==', 'smg.openai.YQ==.x', ''])
    assert.deepEqual(readSignature(text, 'anthropic'), { origin: 'anthropic', value: text });
});

test('every effort and its budget name each other', () => {
  for (const effort of EFFORTS) assert.equal(effortOf(budgetOf(effort)), effort);
  assert.equal(effortOf(1), 'minimal');
  assert.equal(effortOf(1_000_000), 'max');
});

test('an effort that the target does not know becomes the next smaller one, never none', () => {
  assert.equal(nearestEffort('xhigh', ['low', 'medium', 'high']), 'high');
  assert.equal(nearestEffort('minimal', ['none', 'low', 'high']), 'low');
  assert.equal(nearestEffort('medium', ['none', 'low', 'high']), 'low');
  assert.equal(nearestEffort('high', []), undefined);
});

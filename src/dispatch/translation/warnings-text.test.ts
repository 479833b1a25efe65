/** The header that names losses and changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningsText } from './warnings-text.ts';

const warning = (field: string, reason: string) => ({ kind: 'lost', field, reason }) as const;

test('losses stand side by side with their reasons', () => {
  assert.equal(
    warningsText([warning('seed', 'is not known there'), warning('messages[0].name', 'has no place')]),
    'seed: is not known there; messages[0].name: has no place',
  );
});

test('the header stays within 1 KiB and says how many were left out', () => {
  const many = Array.from({ length: 500 }, (_, index) => warning(`field_${index}`, 'r'.repeat(1 + (index % 300))));
  const text = warningsText(many);
  assert.ok(text.length <= 1_024, String(text.length));
  const shown = text.split('; ').length - 1;
  assert.match(text, new RegExp(`; and ${500 - shown} more$`));
});

test('what a client wrote cannot break the header or pass for another entry', () => {
  const text = warningsText([warning('tools["a\r\nx-evil: 1"; é]', 'is lost')]);
  assert.equal(text, 'tools["a??x-evil: 1", ?]: is lost');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anthropic } from '../../domain/providers/anthropic.ts';
import { holdsForeignMarks } from '../hub/foreign-marks.ts';
import { writeProof } from './carried-marks.ts';
import { anthropicMessagesCodec } from './codec.ts';
import { fitSchema } from './fit-schema.ts';

test('bytes are needed of what Anthropic does not fetch by itself', () => {
  const target = { provider: anthropic, model: 'claude-opus-5', maxOutputTokens: undefined };
  const needs = (url: string, type: 'image' | 'file' | 'audio', mediaType?: string) =>
    anthropicMessagesCodec.needsBytes({ kind: 'url', url, mediaType }, type, target);
  assert.deepEqual(
    [
      needs('https://x.test/a.png', 'image'),
      needs('http://x.test/a.png', 'image'),
      needs('https://x.test/a.pdf', 'file'),
      needs('https://x.test/a.txt', 'file', 'text/plain'),
      needs('https://x.test/a.wav', 'audio'),
      anthropicMessagesCodec.needsBytes({ kind: 'file_id', id: 'f', origin: 'anthropic' }, 'file', target),
      anthropicMessagesCodec.needsBytes({ kind: 'url', url: 'http://x.test/', mediaType: undefined }, 'image', {
        ...target,
        provider: undefined,
      }),
    ],
    [false, true, false, true, false, false, false],
  );
});

test('a history with thoughts of others is known by their marks', () => {
  const body = (signature: string): Buffer =>
    Buffer.from(JSON.stringify({ messages: [{ content: [{ type: 'thinking', signature }] }] }));
  assert.ok(holdsForeignMarks(body(writeProof({ origin: 'openai', value: 'x' })), 'anthropic-messages'));
  assert.ok(holdsForeignMarks(body(writeProof(undefined)), 'anthropic-messages'));
  assert.ok(!holdsForeignMarks(body(writeProof({ origin: 'anthropic', value: 'EqQB' })), 'anthropic-messages'));
});

test('a schema that fits is the same text', () => {
  const text = '{ "type":"object","properties":{"10":{"type":"string"}},"additionalProperties":false }';
  assert.deepEqual(fitSchema(text), { text, changes: [] });
});

test('objects are closed and limits taken away wherever schemas stand, not where their names are properties', () => {
  const text = JSON.stringify({
    type: 'object',
    properties: {
      minimum: { type: 'integer', minimum: 1 },
      list: { type: 'array', minItems: 2, items: { type: ['object', 'null'], properties: {} } },
    },
    $defs: { one: { anyOf: [{ type: 'object', additionalProperties: { type: 'string' } }] } },
    additionalProperties: false,
  });
  const { text: fitted, changes } = fitSchema(text);
  assert.deepEqual(JSON.parse(fitted), {
    type: 'object',
    properties: {
      minimum: { type: 'integer' },
      list: { type: 'array', items: { type: ['object', 'null'], properties: {}, additionalProperties: false } },
    },
    $defs: { one: { anyOf: [{ type: 'object', additionalProperties: false }] } },
    additionalProperties: false,
  });
  assert.deepEqual(changes, ['without `minimum`', 'without `minItems`', 'with `additionalProperties: false`']);
});

test('a schema deeper than any real one does not break the stack', () => {
  const text = `${'{"items":'.repeat(5_000)}{}${'}'.repeat(5_000)}`;
  assert.deepEqual(fitSchema(text).changes, []);
});

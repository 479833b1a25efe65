/** Schemas on their way to Gemini and from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNode } from '../hub/json-node.ts';
import { Warnings } from '../hub/object-reader.ts';
import { jsonSchemaOf } from './openapi-schema.ts';
import { geminiSchema } from './schema.ts';

function rewritten(schema: unknown): { readonly schema: unknown; readonly warnings: readonly string[] } {
  const warnings = new Warnings();
  const text = geminiSchema(typeof schema === 'string' ? schema : JSON.stringify(schema), 's', warnings);
  return { schema: JSON.parse(text), warnings: warnings.list.map(({ kind, field }) => `${kind} ${field}`) };
}

test('a schema that Gemini takes keeps its bytes: key order, number text, space', () => {
  const text =
    '{ "type":"object", "required":["2"],"properties":{"2":{"minimum":1.0,"type":"number"},"1":{"anyOf":[{"type":"null"},{"type":"string"}]}},"additionalProperties":false }';
  const warnings = new Warnings();
  assert.equal(geminiSchema(text, 's', warnings), text);
  assert.deepEqual(warnings.list, []);
});

test('what Gemini does not know is left out and named, and the order of the rest stays', () => {
  const warnings = new Warnings();
  const text =
    '{"$schema":"x","type":"object","properties":{"10":{"type":"string","not":{}},"2":{"const":1.0}},"if":{},"required":["10"]}';
  assert.equal(
    geminiSchema(text, 's', warnings),
    '{"type":"object","properties":{"10":{"type":"string"},"2":{"enum":[1.0]}},"required":["10"]}',
  );
  assert.deepEqual(
    warnings.list.map(({ kind, field }) => `${kind} ${field}`),
    ['lost s.properties.10.not', 'lost s.if'],
  );
});

test('references are put in their place, with what stands beside them', () => {
  const schema = {
    type: 'object',
    properties: {
      home: { $ref: '#/$defs/place', description: 'where' },
      work: { $ref: '#/definitions/a~1b' },
      list: { type: 'array', items: { $ref: '#/properties/home' } },
    },
    $defs: { place: { type: 'object', properties: { city: { $ref: '#/$defs/name' } } }, name: { type: 'string' } },
    definitions: { 'a/b': { type: 'integer' } },
  };
  const place = { type: 'object', properties: { city: { type: 'string' } }, description: 'where' };
  assert.deepEqual(rewritten(schema), {
    schema: {
      type: 'object',
      properties: { home: place, work: { type: 'integer' }, list: { type: 'array', items: place } },
    },
    warnings: [],
  });
});

test('a reference that leads back to itself stays, with its definition, alone', () => {
  const schema = {
    type: 'object',
    properties: { tree: { $ref: '#/definitions/node' } },
    definitions: {
      node: {
        type: 'object',
        properties: { child: { $ref: '#/definitions/node', description: 'd' }, x: { const: 'a' } },
      },
    },
  };
  const node = {
    type: 'object',
    properties: { child: { $ref: '#/$defs/node' }, x: { enum: ['a'] } },
  };
  const { schema: result, warnings } = rewritten(schema);
  assert.deepEqual(result, { type: 'object', properties: { tree: node }, $defs: { node } });
  assert.deepEqual(
    new Set(warnings),
    new Set(['lost s.properties.tree.properties.child.description', 'lost s.$defs.node.properties.child.description']),
  );
});

test('a reference that leads nowhere is left out and named', () => {
  const { schema, warnings } = rewritten({ type: 'object', properties: { a: { $ref: 'http://x/y', title: 't' } } });
  assert.deepEqual(schema, { type: 'object', properties: { a: { title: 't' } } });
  assert.deepEqual(warnings, ['lost s.properties.a.$ref']);
});

test('references that would unfold without end cost no more than their bound', () => {
  const $defs: Record<string, unknown> = { d0: { type: 'string', description: 'x'.repeat(1_000) } };
  for (let i = 1; i < 40; i += 1)
    $defs[`d${i}`] = { type: 'array', prefixItems: [{ $ref: `#/$defs/d${i - 1}` }, { $ref: `#/$defs/d${i - 1}` }] };
  const text = JSON.stringify({ type: 'object', properties: { a: { $ref: '#/$defs/d39' } }, $defs });
  assert.ok(geminiSchema(text, 's', new Warnings()).length < 4 * 1024 * 1024);
});

test('a schema without a type is that of an object', () => {
  assert.deepEqual(rewritten({}), { schema: { type: 'object' }, warnings: ['changed s'] });
});

test('a hundred thousand levels cost no stack', () => {
  const depth = 100_000;
  const text = `${'{"items":'.repeat(depth)}{}${'}'.repeat(depth)}`;
  assert.doesNotThrow(() => geminiSchema(`{"type":"array","items":${text}}`, 's', new Warnings()));
});

test('Gemini’s own schema becomes JSON Schema: types, counts, null, examples', () => {
  const warnings = new Warnings();
  const own = {
    type: 'OBJECT',
    properties: {
      tags: { type: 'ARRAY', items: { type: 'STRING', format: 'enum', enum: ['a'] }, minItems: '1', max_items: '3' },
      note: { any_of: [{ type: 'STRING', nullable: true }, { type: 'NUMBER' }], example: 'x' },
    },
    propertyOrdering: ['tags', 'note'],
  };
  assert.deepEqual(JSON.parse(jsonSchemaOf(parseNode(JSON.stringify(own)), 'p', warnings)), {
    type: 'object',
    properties: {
      tags: { type: 'array', items: { type: 'string', enum: ['a'] }, minItems: 1, maxItems: 3 },
      note: { anyOf: [{ type: ['string', 'null'] }, { type: 'number' }], examples: ['x'] },
    },
  });
  assert.deepEqual(
    warnings.list.map(({ field }) => field),
    ['p.propertyOrdering'],
  );
});

test('a schema that is JSON Schema already keeps its bytes', () => {
  const text = '{"type": "object", "properties": {"a": {"type":"string"}}}';
  assert.equal(jsonSchemaOf(parseNode(text), 'p', new Warnings()), text);
});

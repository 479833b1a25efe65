import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonNode } from './json-node.ts';
import { parseNode } from './json-node.ts';

function valueOf(node: JsonNode): unknown {
  if (node.kind === 'object') {
    const value: Record<string, unknown> = {};
    for (const [name, member] of node.members)
      Object.defineProperty(value, name, {
        value: valueOf(member),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return value;
  }
  if (node.kind === 'array') return node.items.map(valueOf);
  return node.isNull ? null : node.scalar;
}

test('every JSON value reads as the native parser reads it, however it is spaced', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t', '\r\n '), (value, space) => {
      const text = ` ${JSON.stringify(value, null, space)}\n`;
      assert.deepEqual(valueOf(parseNode(text)), JSON.parse(text));
    }),
  );
});

test('a value keeps its own text: key order, number text, escapes and inner space', () => {
  const inner = '{ "10":1.0,"2":1e400, "b\\u0061":"\\/ \\\\","z":[ ] }';
  assert.equal(parseNode(`{"a":0,"tool":${inner} ,"c":[]}`).get('tool')?.text, inner);
});

test('of a key given twice the last value counts, and an escaped key is what it means', () => {
  const node = parseNode('{"a":1,"\\u0061":2,"__proto__":{"x":3}}');
  assert.equal(node.get('a')?.scalar, 2);
  assert.equal(node.get('__proto__')?.get('x')?.scalar, 3);
});

test('a hundred thousand levels cost no stack', () => {
  const depth = 100_000;
  const node = parseNode(`{"deep":${'['.repeat(depth)}${']'.repeat(depth)},"after":true}`);
  assert.equal(node.get('after')?.scalar, true);
  assert.equal(node.get('deep')?.text.length, 2 * depth);
});

test('text that is no JSON is a SyntaxError', () => {
  for (const text of ['', '{', '{"a":}', '[1,]', '{"a":1} x', "{'a':1}", '\u00a0{}'])
    assert.throws(() => parseNode(text), SyntaxError);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import type { FunctionTool, ToolChoice } from '../../domain/generation.ts';
import { toolConstraint } from './tool-constraint.ts';

function tool(name: string, schema?: object): FunctionTool {
  const schemaText = schema && JSON.stringify(schema);
  return { type: 'function', name, description: undefined, schemaText, isStrict: undefined, cache: undefined };
}

const A = tool('a', { type: 'object', properties: { p: { $ref: '#/$defs/P' } }, $defs: { P: { type: 'string' } } });
const B = tool('b');
const choose = (mode: ToolChoice['mode'], ...names: string[]): ToolChoice => ({ mode, names });

test('binds nothing where the model may choose', () => {
  for (const choice of [undefined, choose('auto'), choose('none')])
    assert.equal(toolConstraint([A, B], choice, 'mistral'), undefined);
});

test('a named tool binds to the schema of its arguments, as it was written', () => {
  assert.deepEqual(toolConstraint([A, B], choose('named', 'a'), undefined), {
    kind: 'json_schema',
    text: A.schemaText,
  });
});

test('a call that is required binds to a list of calls, with all definitions at the root', () => {
  const constraint = toolConstraint([A, B], choose('required'), 'qwen');
  assert.deepEqual(JSON.parse(constraint?.text ?? ''), {
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      anyOf: [
        {
          properties: {
            name: { type: 'string', enum: ['a'] },
            parameters: { type: 'object', properties: { p: { $ref: '#/$defs/P' } } },
          },
          required: ['name', 'parameters'],
        },
        {
          properties: { name: { type: 'string', enum: ['b'] }, parameters: { type: 'object', properties: {} } },
          required: ['name', 'parameters'],
        },
      ],
    },
    $defs: { P: { type: 'string' } },
  });
});

test('refuses definitions that contradict one another', () => {
  const other = tool('c', { type: 'object', $defs: { P: { type: 'number' } } });
  assert.throws(
    () => toolConstraint([A, other], choose('required'), undefined),
    (error) => error instanceof GatewayError && error.code === 'invalid_request' && error.message.includes('`P`'),
  );
});

test('Mistral and Kimi are bound by a structural tag when the operator has named them', () => {
  const mistral = toolConstraint([B], choose('required'), 'mistral');
  assert.equal(mistral?.kind, 'structural_tag');
  const content = { type: 'json_schema', json_schema: { type: 'object', properties: {} } };
  assert.deepEqual(JSON.parse(mistral?.text ?? ''), {
    format: {
      type: 'triggered_tags',
      triggers: ['[TOOL_CALLS]'],
      tags: [
        {
          begin: '[TOOL_CALLS] [',
          content: {
            type: 'tags_with_separator',
            tags: [{ begin: '{"name": "b", "arguments": ', content, end: '}' }],
            separator: ', ',
            at_least_one: true,
          },
          end: ']',
        },
      ],
      at_least_one: true,
    },
  });
  const kimi: unknown = JSON.parse(toolConstraint([B], choose('named', 'b'), 'kimik2')?.text ?? '');
  const begin = '<|tool_call_begin|>functions.b:0<|tool_call_argument_begin|>';
  const end = '<|tool_call_end|>';
  assert.deepEqual(kimi, {
    format: {
      type: 'triggered_tags',
      triggers: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
      tags: [
        { begin: `<|tool_calls_section_begin|>${begin}`, content, end },
        { begin, content, end },
      ],
      at_least_one: true,
    },
  });
});

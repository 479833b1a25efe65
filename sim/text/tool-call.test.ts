import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOfPieces } from './pieces.ts';
import { requiredToolCall } from './tool-call.ts';

const schema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const chatTools = [
  { type: 'function', function: { name: 'clock', parameters: {} } },
  { type: 'function', function: { name: 'weather', parameters: schema } },
];

test('calls a tool only when the choice obliges it to', () => {
  assert.equal(requiredToolCall({ tools: chatTools }), undefined);
  assert.equal(requiredToolCall({ tools: chatTools, tool_choice: 'auto' }), undefined);
  assert.equal(requiredToolCall({ tool_choice: 'required' }), undefined);
  assert.equal(requiredToolCall({ tools: chatTools, tool_choice: 'required' })?.name, 'clock');
});

test('follows a named choice in all three dialects', () => {
  const chat = { tools: chatTools, tool_choice: { type: 'function', function: { name: 'weather' } } };
  const responses = { tools: [{ type: 'function', name: 'weather', parameters: schema }], tool_choice: 'required' };
  const messages = { tools: [{ name: 'weather', input_schema: schema }], tool_choice: { type: 'any' } };
  for (const body of [chat, responses, messages]) {
    const call = requiredToolCall(body);
    assert.equal(call?.name, 'weather');
    assert.deepEqual(JSON.parse(call.argumentsText), { city: 'Zürich', days: 7 });
    assert.equal(textOfPieces(call.pieces), call.argumentsText);
  }
});

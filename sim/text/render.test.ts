import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderChat, renderMessages, renderResponses } from './render.ts';

test('renders the same conversation alike from chat, messages and responses bodies', () => {
  const turns = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'hello' },
    { role: 'user', content: 'bye' },
  ];
  const chat = renderChat({ messages: [{ role: 'system', content: 'Be kind.' }, ...turns] });
  const expected = '<|system|>Be kind.<|end|><|user|>hi<|end|><|assistant|>hello<|end|><|user|>bye<|end|><|assistant|>';
  assert.equal(chat, expected);
  assert.equal(renderMessages({ system: [{ type: 'text', text: 'Be kind.' }], messages: turns }), expected);
  assert.equal(renderResponses({ instructions: 'Be kind.', input: turns }), expected);
});

test('a finished turn is the beginning of the next prompt', () => {
  const first = [{ role: 'user', content: 'hi' }];
  const second = [...first, { role: 'assistant', content: 'ANSWER' }, { role: 'user', content: 'more' }];
  assert.ok(renderChat({ messages: second }).startsWith(`${renderChat({ messages: first })}ANSWER`));
});

test('shows images by their address and puts tools first', () => {
  const content = [
    { type: 'text', text: 'look ' },
    { type: 'image_url', image_url: { url: 'http://x/y.png' } },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const prompt = renderChat({ messages: [{ role: 'user', content }], tools });
  assert.ok(prompt.startsWith('<|tools|>[{"type":"function"'));
  assert.ok(prompt.includes('<|user|>look <|image|>http://x/y.png<|end|>'));
});

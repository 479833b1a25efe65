import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatRequest, streamAnswer, TOKENS, unaryAnswer } from './wire.ts';

test('a request body has exactly the asked size, parses, and says whether it streams at its end', () => {
  for (const bodyBytes of [1024, 20 * 1024, 200 * 1024]) {
    const text = chatRequest({ port: 8000, bodyBytes, stream: true }).toString();
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    assert.equal(Buffer.byteLength(body), bodyBytes);
    assert.match(text, new RegExp(`content-length: ${bodyBytes}\r\n`));
    assert.equal((JSON.parse(body) as { stream: boolean }).stream, true);
    assert.ok(body.endsWith('"stream":true}'));
  }
});

test('a stream has one frame per token, then usage, then [DONE], each of realistic size', () => {
  const frames = streamAnswer(TOKENS);
  assert.equal(frames.length, TOKENS + 2);
  assert.equal(frames.at(-1)?.toString(), 'data: [DONE]\n\n');
  for (const frame of frames.slice(0, -1)) {
    assert.ok(frame.length > 200 && frame.length < 300, `${frame.length} bytes`);
    JSON.parse(frame.toString().slice('data: '.length));
  }
});

test('the unary answer carries usage and is a few hundred bytes', () => {
  const answer = unaryAnswer();
  assert.ok(answer.length > 250 && answer.length < 450, `${answer.length} bytes`);
  assert.equal((JSON.parse(answer.toString()) as { usage: { total_tokens: number } }).usage.total_tokens, 276);
});

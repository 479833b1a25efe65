/** Gemini's streams on their way through; the fixtures are in ../fixtures.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameOf } from '../../../test/support/tap-case.ts';
import { GatewayError } from '../../domain/errors.ts';
import { SseFramer } from '../sse.ts';
import { gemini, geminiCountTokens, geminiEmbeddings } from './index.ts';

const text = (value: string, more: object = {}) =>
  frameOf({ candidates: [{ content: { parts: [{ text: value }], role: 'model' }, ...more }] });

test('an error in the stream is the worker’s, unless it is about the request', () => {
  const rows: readonly (readonly [code: number, kind: string, isRateLimited: boolean])[] = [
    [429, 'error', true],
    [500, 'error', false],
    [503, 'error', false],
    [400, 'content', false],
    [403, 'content', false],
  ];
  for (const [code, kind, isRateLimited] of rows) {
    const tap = gemini.createTap();
    assert.equal(tap.frame(frameOf({ error: { code, message: 'no', status: 'X' } })), kind);
    assert.equal(tap.failure, 'no');
    assert.equal(tap.isRateLimited, isRateLimited);
    assert.equal(tap.isComplete, kind === 'content');
  }
});

test('an empty text is an opening, a thought and a call are content', () => {
  const kindOf = (part: object) =>
    gemini.createTap().frame(frameOf({ candidates: [{ content: { parts: [part] }, index: 0 }] }));
  assert.equal(kindOf({ text: '' }), 'prelude');
  assert.equal(kindOf({ text: 'x', thought: true }), 'content');
  assert.equal(kindOf({ functionCall: { name: 'f' } }), 'content');
});

test('words of an answer that look like its members are words', () => {
  const tap = gemini.createTap();
  tap.frame(text('a'));
  tap.frame(text('"finishReason": "STOP", "usageMetadata": {"promptTokenCount": 9}, "error": {"code": 500}'));
  assert.equal(tap.isComplete, false);
  assert.equal(tap.usage, undefined);
  assert.equal(tap.failure, undefined);
});

test('a last response that is too long to be read at once is complete where its line ends', () => {
  const frame = frameOf({
    candidates: [
      {
        content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'A'.repeat(9_000) } }] },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 },
  });
  for (let end = frame.length - 200; end <= frame.length; end += 1) {
    const tap = gemini.createTap();
    const framer = new SseFramer(1_000);
    for (let at = 0; at < end; at += 500)
      framer.push(Buffer.from(frame.subarray(at, Math.min(end, at + 500))), (piece) => tap.frame(piece));
    const rest = framer.takeRest();
    if (rest.length > 0) tap.frame(rest);
    assert.equal(tap.isComplete, end >= frame.length - 1, `broken off at ${end} of ${frame.length}`);
  }
});

test('a whole answer, or the end of the array that a stream is, tells its counts', () => {
  const body =
    '[{"candidates":[],"usageMetadata":{"promptTokenCount":3}},\r\n{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":5,"cachedContentTokenCount":1}}]';
  assert.deepEqual(gemini.readUsage(Buffer.from(body)), { inputTokens: 3, outputTokens: 7, cachedInputTokens: 1 });
  assert.deepEqual(geminiEmbeddings.readUsage(Buffer.from('{"usageMetadata":{"promptTokenCount":3}}')), {
    inputTokens: 3,
    outputTokens: 0,
    cachedInputTokens: 0,
  });
  assert.equal(geminiCountTokens.readUsage(Buffer.from('{"totalTokens":3}')), undefined);
});

test('a stream that broke ends with a Status', () => {
  const error = new GatewayError('upstream_broken', 'Worker w1 fell silent.');
  const expected = 'data: {"error":{"code":502,"message":"Worker w1 fell silent.","status":"INTERNAL"}}\n\n';
  for (const protocol of [gemini, geminiCountTokens, geminiEmbeddings])
    assert.equal(protocol.createTap().encodeError(error).toString(), expected);
});

test('the prompt is the same in both spellings of its members, and another with another cache', () => {
  const prompt = (body: object) => gemini.hashPrefix(Buffer.from(JSON.stringify(body)), 'm', 1_000);
  const contents = [{ role: 'user', parts: [{ text: 'a' }] }];
  const plain = prompt({ contents, generationConfig: { temperature: 1 } });
  assert.equal(prompt({ contents, generationConfig: { temperature: 0 } }), plain);
  for (const name of ['systemInstruction', 'system_instruction', 'cachedContent', 'cached_content', 'tools'])
    assert.notEqual(prompt({ contents, [name]: 'x' }), plain, name);
});

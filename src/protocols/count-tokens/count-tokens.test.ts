/** Counts between two forms. The prompts are of the Messages API on both sides: what they become is their codecs' matter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anthropic } from '../../domain/providers/anthropic.ts';
import { anthropicMessagesCodec } from '../anthropic-messages/codec.ts';
import { anthropicCountTokens } from '../anthropic-messages/index.ts';
import { geminiCountTokens } from '../gemini/index.ts';
import { anthropicCountForm, countTokensBetween, geminiCountForm } from './count-tokens-between.ts';
import { estimatedAnswer, estimateTokens } from './estimate-tokens.ts';

const anthropicEnd = { form: anthropicCountForm, codec: anthropicMessagesCodec };
const geminiEnd = { form: geminiCountForm, codec: anthropicMessagesCodec };
const target = { provider: anthropic, model: 'claude-opus-5', maxOutputTokens: undefined };
const facts = { model: 'claude-opus-5', requestBody: Buffer.alloc(0) };
const messages = [{ role: 'user', content: 'Hi.' }];

function parsed(body: Buffer): unknown {
  return JSON.parse(body.toString());
}

test('a question for Gemini is a whole request under its name, with the model as Gemini names it', () => {
  const translation = countTokensBetween(anthropicEnd, geminiEnd);
  assert.deepEqual([translation.from, translation.to], ['anthropic-count-tokens', 'gemini-count-tokens']);
  const { body, warnings } = translation.encodeRequest(Buffer.from(JSON.stringify({ model: 'x', messages })), target);
  assert.partialDeepStrictEqual(parsed(body), { generateContentRequest: { model: 'models/claude-opus-5', messages } });
  assert.deepEqual(warnings, []);
});

test('a question for Anthropic has only what a count takes, and the length of an answer is no loss', () => {
  const question = {
    generateContentRequest: {
      model: 'models/y',
      max_tokens: 5,
      messages,
      temperature: 1,
      stream: true,
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
    },
  };
  const { body, warnings } = countTokensBetween(geminiEnd, anthropicEnd).encodeRequest(
    Buffer.from(JSON.stringify(question)),
    target,
  );
  assert.deepEqual(parsed(body), {
    model: 'claude-opus-5',
    messages,
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
  });
  assert.deepEqual(warnings, []);
});

test('a question without the wrapper is one too, and losses of the prompt are told', () => {
  const { body, warnings } = countTokensBetween(geminiEnd, anthropicEnd).encodeRequest(
    Buffer.from(JSON.stringify({ messages, novel: 1 })),
    target,
  );
  assert.deepEqual(parsed(body), { model: 'claude-opus-5', messages });
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ['novel'],
  );
});

test('the answer is a number in the form of the API that was asked', () => {
  const toGemini = countTokensBetween(anthropicEnd, geminiEnd);
  assert.deepEqual(
    parsed(toGemini.encodeAnswer(Buffer.from('{"totalTokens": 31, "promptTokensDetails": []}'), facts).body),
    { input_tokens: 31 },
  );
  const toAnthropic = countTokensBetween(geminiEnd, anthropicEnd);
  assert.deepEqual(parsed(toAnthropic.encodeAnswer(Buffer.from('{"input_tokens":14}'), facts).body), {
    totalTokens: 14,
  });
});

test('an answer that is no count is none', () => {
  for (const body of ['', '{}', '{"input_tokens":"3"}', '{"input_tokens":-1}', '[]'])
    assert.throws(() => countTokensBetween(geminiEnd, anthropicEnd).encodeAnswer(Buffer.from(body), facts), {
      code: 'upstream_invalid_answer',
    });
});

test('a body that is no JSON is the client’s error', () => {
  for (const end of [anthropicEnd, geminiEnd])
    assert.throws(() => countTokensBetween(end, anthropicEnd).encodeRequest(Buffer.from('{"messages":'), target), {
      code: 'invalid_json',
    });
});

test('an estimate grows with the prompt alone, and is given in both forms', () => {
  const words = 'word '.repeat(400);
  const body = Buffer.from(JSON.stringify({ model: 'x', max_tokens: 5, messages: [{ role: 'user', content: words }] }));
  const tokens = estimateTokens(anthropicCountTokens, body, 'x');
  assert.ok(tokens > 450 && tokens < 600, String(tokens));
  const more = Buffer.from(
    JSON.stringify({ model: 'x', max_tokens: 5, temperature: 1, messages: [{ role: 'user', content: words }] }),
  );
  assert.equal(estimateTokens(anthropicCountTokens, more, 'x'), tokens);
  assert.deepEqual(parsed(estimatedAnswer(anthropicCountForm, anthropicCountTokens, { body, model: 'x' })), {
    input_tokens: tokens,
  });
  const contents = [{ role: 'user', parts: [{ text: words }] }];
  const bare = estimatedAnswer(geminiCountForm, geminiCountTokens, {
    body: Buffer.from(JSON.stringify({ contents })),
    model: 'x',
  });
  const wrapped = estimatedAnswer(geminiCountForm, geminiCountTokens, {
    body: Buffer.from(JSON.stringify({ generateContentRequest: { model: 'models/x', contents } })),
    model: 'x',
  });
  assert.deepEqual(parsed(bare), parsed(wrapped));
});

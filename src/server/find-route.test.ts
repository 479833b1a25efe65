/** From paths to routes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoute } from './find-route.ts';

function found(method: string, path: string): string {
  const target = findRoute(method, path);
  if (target.kind === 'inference')
    return `${target.route.protocol} ${target.model ?? '-'} ${target.route.isStream ?? '-'}`;
  return target.kind === 'control' ? `${target.route.name} ${target.id}` : target.kind;
}

test('an inference path is POST only', () => {
  assert.equal(found('POST', '/v1/chat/completions'), 'openai-chat - -');
  assert.equal(found('GET', '/v1/chat/completions'), 'wrong_method');
  assert.equal(found('POST', '/v1/messages/count_tokens'), 'anthropic-count-tokens - -');
});

test('Gemini’s paths name the model and what is wanted of it', () => {
  for (const version of ['v1beta', 'v1']) {
    assert.equal(found('POST', `/${version}/models/gemini-2.5-pro:generateContent`), 'gemini gemini-2.5-pro false');
    assert.equal(found('POST', `/${version}/models/m:streamGenerateContent`), 'gemini m true');
    assert.equal(found('POST', `/${version}/models/m:countTokens`), 'gemini-count-tokens m false');
    assert.equal(found('POST', `/${version}/models/m:batchEmbedContents`), 'gemini-embeddings m false');
  }
});

test('a model in a path may have slashes, colons and escapes in its name', () => {
  assert.equal(found('POST', '/v1beta/models/vendor/qwen3:8b:generateContent'), 'gemini vendor/qwen3:8b false');
  assert.equal(found('POST', '/v1beta/models/vendor%2Fm%20x:generateContent'), 'gemini vendor/m x false');
  assert.equal(found('POST', '/v1beta/models/100%:generateContent'), 'gemini 100% false');
});

test('what is no method of a model is none of its paths', () => {
  assert.equal(found('POST', '/v1beta/models/:generateContent'), 'wrong_method');
  assert.equal(found('POST', '/v1beta/models/m:other'), 'none');
  assert.equal(found('POST', '/v1beta/models/m'), 'wrong_method');
  assert.equal(found('GET', '/v1beta/models/m:generateContent'), 'wrong_method');
  assert.equal(found('POST', '/v2/models/m:generateContent'), 'none');
});

test('models are listed in both forms, each under its own path', () => {
  assert.equal(found('GET', '/v1/models/llama3:8b'), 'GET /v1/models/{id} llama3:8b');
  assert.equal(found('GET', '/v1beta/models'), 'GET /v1beta/models ');
  assert.equal(found('HEAD', '/v1beta/models/gemini-2.5-pro'), 'GET /v1beta/models/{id} gemini-2.5-pro');
});

/** In which API a worker is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf, workerOf } from '../../../test/support/fleet.ts';
import type { MemberParts } from '../../../test/support/fleet.ts';
import { EMPTY_REQUEST, withTiny } from '../../../test/support/tiny-codec.ts';
import type { ProtocolName } from '../../domain/call.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { UnaryTranslation } from '../../protocols/hub/unary-translation.ts';
import { protocols } from '../../protocols/index.ts';
import type { Languages } from './way.ts';
import { Reach, wayTo } from './way.ts';

const embeddings: UnaryTranslation = {
  from: 'openai-embeddings',
  to: 'gemini-embeddings',
  encodeRequest: (body) => ({ body, warnings: [] }),
  encodeAnswer: (body) => ({ body, warnings: [] }),
};

const languages: Languages = {
  protocols: {
    ...protocols,
    'openai-chat': withTiny(protocols['openai-chat']),
    'openai-responses': withTiny(protocols['openai-responses']),
    'anthropic-messages': withTiny(protocols['anthropic-messages']),
    gemini: withTiny(protocols.gemini),
    'openai-completions': { ...protocols['openai-completions'], codec: undefined },
  },
  unary: [embeddings, { ...embeddings, from: 'anthropic-count-tokens', to: 'anthropic-count-tokens' }],
};

interface Asked {
  readonly model?: string;
  readonly request?: Partial<GenerationRequest>;
  readonly body?: string;
}

/** `kind:protocol` of the way, or `none`. */
function way(
  protocol: ProtocolName,
  provider: string | undefined,
  { model = 'm', request = {}, body = '{}' }: Asked = {},
): string {
  const worker = workerOf('w', { spec: { provider } });
  const asked = { protocol, model, body: Buffer.from(body), request: () => ({ ...EMPTY_REQUEST, ...request }) };
  const found = wayTo(worker, asked, languages);
  if (!found) return 'none';
  return found.kind === 'estimate' || found.kind === 'tokens'
    ? found.kind
    : `${found.kind}:${found.api?.protocol ?? 'own path'}`;
}

test('a worker that speaks the API of the call gets its bytes', () => {
  assert.equal(way('openai-chat', undefined), 'pass:own path');
  assert.equal(way('openai-chat', 'openai'), 'pass:openai-chat');
  assert.equal(way('openai-responses', 'xai'), 'pass:openai-responses');
  assert.equal(way('anthropic-messages', 'anthropic'), 'pass:anthropic-messages');
  assert.equal(way('anthropic-count-tokens', 'anthropic'), 'pass:anthropic-count-tokens');
  assert.equal(way('gemini', 'gemini'), 'pass:gemini');
  assert.equal(way('openai-embeddings', 'openai'), 'pass:openai-embeddings');
});

test('every other chat-like call goes through the hub to the first API of the provider', () => {
  assert.equal(way('openai-chat', 'anthropic'), 'hub:anthropic-messages');
  assert.equal(way('openai-responses', 'gemini'), 'hub:gemini');
  assert.equal(way('gemini', 'openai'), 'hub:openai-chat');
  assert.equal(way('anthropic-messages', 'xai'), 'hub:openai-chat');
});

test('a self-hosted engine is asked in chat for what it lacks, and always for Gemini', () => {
  assert.equal(way('gemini', undefined), 'hub:openai-chat');
  const worker = workerOf('w', { facts: { lacks: ['anthropic-messages'] } });
  const asked = (protocol: ProtocolName) => ({
    protocol,
    model: 'm',
    body: Buffer.from('{}'),
    request: () => EMPTY_REQUEST,
  });
  assert.equal(wayTo(worker, asked('anthropic-messages'), languages)?.kind, 'hub');
  assert.equal(wayTo(worker, asked('openai-responses'), languages)?.kind, 'pass');
  assert.equal(wayTo(worker, asked('anthropic-count-tokens'), languages)?.kind, 'estimate');
  const countless = workerOf('w', { facts: { lacks: ['anthropic-count-tokens'] } });
  assert.equal(wayTo(countless, asked('anthropic-count-tokens'), languages)?.kind, 'estimate');
  assert.equal(wayTo(countless, asked('anthropic-messages'), languages)?.kind, 'pass');
});

test('embeddings have a translation of their own', () => {
  assert.equal(way('openai-embeddings', 'gemini'), 'unary:gemini-embeddings');
});

test('tokens are estimated where nobody counts them', () => {
  assert.equal(way('anthropic-count-tokens', 'openai'), 'estimate');
  assert.equal(way('gemini-count-tokens', undefined), 'estimate');
});

test('what nobody there speaks and nothing translates has no way', () => {
  assert.equal(way('openai-embeddings', 'anthropic'), 'none');
  assert.equal(way('openai-completions', 'gemini'), 'none');
  assert.equal(way('rerank', 'openai'), 'none');
});

const tools = [
  { type: 'function', name: 'f', description: undefined, schemaText: undefined, isStrict: undefined, cache: undefined },
] as const;
const thinking = { mode: 'on', effort: undefined, budgetTokens: 1_024, summary: undefined } as const;
const effort = { mode: undefined, effort: 'low', budgetTokens: undefined, summary: undefined } as const;
const off = { mode: 'off', effort: 'none', budgetTokens: undefined, summary: undefined } as const;
const thoughtOf = (origin: 'openai' | 'anthropic') => {
  const signature = { origin, value: 's' } as const;
  const part = { type: 'reasoning', text: '', signature, isRedacted: false, itemId: undefined } as const;
  return { turns: [{ role: 'assistant', parts: [part], isPlain: false, name: undefined }] } as const;
};

for (const [name, request, model, expected] of [
  ['thoughts are wanted', { reasoning: thinking }, 'gpt-5', 'hub:openai-responses'],
  ['an effort is named beside tools', { reasoning: effort, tools }, 'gpt-5', 'hub:openai-responses'],
  ['only an effort is named', { reasoning: effort }, 'gpt-5', 'hub:openai-chat'],
  ['there are tools', { tools }, 'gpt-4o', 'hub:openai-chat'],
  ['there are tools for a model that takes them in Responses only', { tools }, 'gpt-5.6', 'hub:openai-responses'],
  ['such a model is not to think', { tools, reasoning: off }, 'gpt-5.6', 'hub:openai-chat'],
  ['its own thoughts come back', thoughtOf('openai'), 'gpt-5', 'hub:openai-responses'],
  ['foreign thoughts come back', thoughtOf('anthropic'), 'gpt-5', 'hub:openai-chat'],
  ['Responses would lose the stop sequences', { reasoning: thinking, stop: ['x'] }, 'gpt-5', 'hub:openai-chat'],
  ['Responses does not have the model', { reasoning: thinking }, 'gpt-4o-search-preview', 'hub:openai-chat'],
  ['only Responses has the model', {}, 'gpt-5-codex', 'hub:openai-responses'],
] as const) {
  test(`OpenAI is asked in ${expected.slice(4)} when ${name}`, () => {
    assert.equal(way('anthropic-messages', 'openai', { model, request }), expected);
  });
}

test('a chat call for a model that only Responses has is translated', () => {
  assert.equal(way('openai-chat', 'openai', { model: 'o1-pro' }), 'hub:openai-responses');
  assert.equal(way('openai-chat', 'openai', { model: 'o1' }), 'pass:openai-chat');
});

test('a provider of compatible chat alone is asked in chat, whatever is wanted', () => {
  assert.equal(way('anthropic-messages', 'gemini', { request: { reasoning: thinking } }), 'hub:gemini');
});

for (const [protocol, provider, body] of [
  ['anthropic-messages', 'anthropic', '{"signature":"smg.openai.YQ=="}'],
  ['anthropic-messages', undefined, '{"signature": "smg.unsigned"}'],
  ['openai-responses', 'openai', '{"encrypted_content":"smg.openai.YQ=="}'],
  ['openai-responses', 'openai', '{"encrypted_content":"smg-call:smg.gemini.YQ=="}'],
  ['openai-responses', 'openai', '{"id":"rs_smg-ABC"}'],
  ['gemini', 'gemini', '{"thoughtSignature":"smg.anthropic.YQ=="}'],
  ['openai-chat', 'mistral', '{"tool_call_id": "toolu_0123456789"}'],
  ['openai-chat', 'openai', '{"extra_content":{"google":{}}}'],
] as const) {
  test(`${protocol} to ${provider ?? 'an engine'} goes through the hub when it holds ${body}`, () => {
    assert.equal(way(protocol, provider, { body }), `hub:${protocol}`);
  });
}

test('a count of a prompt with foreign thoughts goes through the hub too', () => {
  const body = '{"signature":"smg.openai.YQ=="}';
  assert.equal(way('anthropic-count-tokens', 'anthropic', { body }), 'unary:anthropic-count-tokens');
});

test('what only looks like a mark elsewhere passes, and so do ids that fit', () => {
  assert.equal(
    way('openai-chat', 'openai', { body: '{"x":"smg.a","tool_call_id":"toolu_0123456789"}' }),
    'pass:openai-chat',
  );
  assert.equal(way('openai-chat', 'mistral', { body: '{"tool_call_id":"abcDEF123"}' }), 'pass:openai-chat');
  assert.equal(way('anthropic-messages', 'anthropic', { body: '{"text":"see smg.org"}' }), 'pass:anthropic-messages');
});

test('a pool is cut down to the members that can serve the API, and is the same list when all can', () => {
  const at = (id: string, spec: MemberParts['spec']) => memberOf(id, { spec: { ...spec } });
  const pool = [at('a', {}), at('b', { provider: 'anthropic' }), at('c', { provider: 'openai' })];
  const reach = new Reach(languages);
  const ids = (protocol: ProtocolName) => reach.within(pool, protocol).map(({ id }) => id);
  assert.equal(reach.within(pool, 'anthropic-messages'), pool);
  assert.deepEqual(ids('openai-embeddings'), ['a', 'c']);
  assert.deepEqual(ids('sglang-generate'), ['a']);
  assert.equal(reach.within(pool, 'sglang-generate'), reach.within(pool, 'sglang-generate'), 'found out once');
  assert.deepEqual(reach.within(pool.slice(1), 'sglang-generate'), []);
});

/** What is sent to which worker. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf } from '../../../test/support/fleet.ts';
import { withTiny } from '../../../test/support/tiny-codec.ts';
import type { TinyOptions } from '../../../test/support/tiny-codec.ts';
import { ManualClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import { CallRecord } from '../../domain/record.ts';
import { protocols } from '../../protocols/index.ts';
import { ReasoningVault } from '../../protocols/hub/reasoning-vault.ts';
import { peek } from '../../protocols/peek.ts';
import { DecodedCalls } from './decoded-calls.ts';
import type { Outbound } from './outbound.ts';
import { Translator } from './translator.ts';

interface Parts extends TinyOptions {
  readonly isStrict?: boolean;
  readonly vault?: ReasoningVault;
}

function translatorOf({ isStrict = false, vault = new ReasoningVault(), ...options }: Parts = {}): Translator {
  const spoken = {
    ...protocols,
    'openai-chat': withTiny(protocols['openai-chat'], options),
    'anthropic-messages': withTiny(protocols['anthropic-messages'], options),
    gemini: withTiny(protocols.gemini, options),
  };
  return new Translator({
    protocols: spoken,
    decodedCalls: new DecodedCalls(spoken),
    tokens: { outbound: () => assert.fail('no worker here takes tokens') },
    unary: [],
    isStrict,
    vault,
    media: { fetch: () => Promise.resolve({ base64: 'AA==', mediaType: 'image/png' }) },
    scopeOf: ({ callerKey }) => callerKey ?? '',
    clock: new ManualClock(),
    random: seededRandom(1),
  });
}

const BODY = '{"model": "m", "seed": 1.0}';

function callOf(change: Partial<Call> = {}): Call {
  const body = change.body ?? Buffer.from(BODY);
  const { model, stream, modelSpans } = peek(body);
  return {
    requestId: 'id',
    protocol: 'openai-chat',
    upstreamPath: '/v1/chat/completions',
    model,
    modelOptional: false,
    stream,
    body,
    modelSpans,
    headers: {},
    callerKey: undefined,
    record: new CallRecord('id', 'POST', '/v1/chat/completions', 1),
    ...change,
  };
}

const engine = memberOf('engine');
const claude = memberOf('claude', { spec: { provider: 'anthropic' } });
const gpt = memberOf('gpt', { spec: { provider: 'openai' } });
const google = memberOf('google', { spec: { provider: 'gemini' } });

function request(outbound: Outbound): Extract<Outbound, { kind: 'request' }> {
  if (outbound.kind !== 'request') throw new Error(`It is ${outbound.kind}.`);
  return outbound;
}

test('the same API on both sides: path, query and the very bytes of the client', () => {
  const call = callOf({ upstreamPath: '/v1/chat/completions?a=1' });
  for (const member of [engine, gpt]) {
    const { path, body, reader, translation } = request(translatorOf().outbound(call, member, 'm'));
    assert.deepEqual([path, reader, translation], ['/v1/chat/completions?a=1', undefined, '']);
    assert.equal(body, call.body);
  }
});

test('fields that a provider refuses are cut out of the client’s bytes, and told', () => {
  const call = callOf({ body: Buffer.from('{"top_k": 1, "model" : "openai/gpt-4o",  "n":1.0}') });
  const { body, warnings, translation } = request(translatorOf().outbound(call, gpt, 'openai/gpt-4o'));
  assert.equal(body.toString(), '{"model" : "gpt-4o",  "n":1.0}');
  assert.deepEqual([warnings, translation], [[{ kind: 'lost', field: 'top_k', reason: 'is not taken by OpenAI' }], '']);
  assert.equal(translatorOf({ isStrict: true }).outbound(call, gpt, 'm').kind, 'unfit');
  assert.equal(request(translatorOf({ isStrict: true }).outbound(call, engine, 'm')).warnings.length, 0);
});

test('another API: the body in its words, its path, and none of the client’s query', () => {
  const call = callOf({ upstreamPath: '/v1/chat/completions?a=1' });
  const { path, body, reader, translation } = request(translatorOf().outbound(call, claude, 'real'));
  assert.deepEqual([path, translation], ['/v1/messages', 'openai-chat>anthropic-messages']);
  assert.ok(reader);
  const sent = JSON.parse(body.toString()) as Record<string, unknown>;
  assert.deepEqual([sent['model'], sent['wire'], sent['seed']], ['real', 'anthropic-messages', 1]);
});

test('Gemini has the model in its path, and another path for streams', () => {
  const whole = request(translatorOf().outbound(callOf(), google, 'gemini-2.5-pro'));
  assert.equal(whole.path, '/v1beta/models/gemini-2.5-pro:generateContent');
  const streamed = request(translatorOf().outbound(callOf({ stream: true }), google, 'tunedModels/x'));
  assert.equal(streamed.path, '/v1beta/tunedModels/x:streamGenerateContent?alt=sse');
});

test('a Gemini client’s own words go to Gemini at the path of the model, with its query', () => {
  const stream = callOf({
    protocol: 'gemini',
    upstreamPath: '/v1beta/models/fast:streamGenerateContent?alt=sse&x=1',
    model: 'fast',
    stream: true,
    modelSpans: [],
  });
  const { path, body } = request(translatorOf().outbound(stream, google, 'gemini-2.5-pro'));
  assert.equal(path, '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&x=1');
  assert.equal(body, stream.body);
  const array = { ...stream, upstreamPath: '/v1beta/models/fast:streamGenerateContent' };
  const plain = request(translatorOf().outbound(array, google, 'gemini-2.5-pro'));
  assert.equal(plain.path, '/v1beta/models/gemini-2.5-pro:streamGenerateContent');
});

test('a call is decoded once and encoded once for each target', () => {
  const counts = { decoded: 0, encoded: 0 };
  const translator = translatorOf({ counts });
  const call = callOf();
  const first = request(translator.outbound(call, claude, 'm'));
  const again = request(translator.outbound(call, { ...claude, id: 'another key' }, 'm'));
  assert.equal(again.body, first.body);
  assert.deepEqual(counts, { decoded: 1, encoded: 1 });
  translator.outbound(call, google, 'm');
  translator.outbound(call, google, 'another model');
  assert.deepEqual(counts, { decoded: 1, encoded: 3 });
  translator.outbound(callOf(), google, 'm');
  assert.deepEqual(counts, { decoded: 2, encoded: 4 });
});

test('losses are told, and refused when translation is strict, for all calls or for this one', () => {
  const changed = { kind: 'changed', field: 'max_tokens', reason: 'is 4096' } as const;
  const lost = { kind: 'lost', field: 'seed', reason: 'is not known there' } as const;
  const lenient = request(translatorOf({ losses: [changed, lost] }).outbound(callOf(), claude, 'm'));
  assert.deepEqual(lenient.warnings, [changed, lost]);
  const strict = translatorOf({ losses: [changed, lost], isStrict: true }).outbound(callOf(), claude, 'm');
  assert.ok(strict.kind === 'unfit');
  assert.deepEqual([strict.error.code, strict.error.param], ['translation_loss', 'seed']);
  const asked = callOf({ headers: { 'x-smg-strict-translation': 'true' } });
  assert.equal(translatorOf({ losses: [lost] }).outbound(asked, claude, 'm').kind, 'unfit');
  assert.equal(translatorOf({ losses: [changed] }).outbound(asked, claude, 'm').kind, 'request');
});

test('what a target would refuse makes the worker unfit; a fault of the gateway does not', () => {
  const refuse = new GatewayError('invalid_request', 'A tool has a bad name.', { param: 'tools[0].name' });
  const translator = translatorOf({ refuse });
  const call = callOf();
  assert.deepEqual(translator.outbound(call, claude, 'm'), { kind: 'unfit', error: refuse });
  assert.deepEqual(translator.outbound(call, claude, 'm'), { kind: 'unfit', error: refuse });
  const fault = new GatewayError('internal_error', 'A fault.');
  assert.throws(() => translatorOf({ refuse: fault }).outbound(callOf(), claude, 'm'), fault);
});

test('no way to the worker is the client’s error and names both sides', () => {
  const call = callOf({ protocol: 'rerank', upstreamPath: '/v1/rerank' });
  const outbound = translatorOf().outbound(call, claude, 'm');
  assert.ok(outbound.kind === 'unfit');
  assert.equal(outbound.error.code, 'not_translatable');
  assert.match(outbound.error.message, /rerank.*Anthropic/);
});

test('tokens that nobody counts are estimated, and the answer says so', () => {
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(4_000) }] }));
  const call = callOf({ protocol: 'anthropic-count-tokens', upstreamPath: '/v1/messages/count_tokens', body });
  const outbound = translatorOf().outbound(call, gpt, 'm');
  assert.ok(outbound.kind === 'answer');
  assert.deepEqual(outbound.headers, ['x-smg-token-count', 'estimated']);
  const { input_tokens: tokens } = JSON.parse(outbound.body.toString()) as { input_tokens: number };
  assert.ok(tokens > 900 && tokens < 1_200, String(tokens));
  const contents = Buffer.from(JSON.stringify({ contents: [{ parts: [{ text: 'x'.repeat(4_000) }] }] }));
  const google = callOf({
    protocol: 'gemini-count-tokens',
    upstreamPath: '/v1beta/models/m:countTokens',
    body: contents,
  });
  const estimate = translatorOf().outbound(google, claude, 'm');
  assert.match(estimate.kind === 'answer' ? estimate.body.toString() : '', /^\{"totalTokens":1\d\d\d\}$/);
});

test('thoughts of an answer come back with the next request of the same caller, and to their own model only', () => {
  const vault = new ReasoningVault();
  const signature = { origin: 'anthropic', value: 'sealed' } as const;
  const thought = { type: 'reasoning', text: 't', signature, isRedacted: false } as const;
  vault.keep('key', 'toolu_1', { leading: [], trailing: [{ ...thought, itemId: undefined }], signature: undefined });
  const toolCall = { type: 'tool_call', callId: 'toolu_1', name: 'f', argumentsText: '{}' } as const;
  const body = Buffer.from(JSON.stringify({ model: 'm', turns: [{ role: 'assistant', parts: [toolCall] }] }));
  const sent = (callerKey: string, member: typeof claude) =>
    request(translatorOf({ vault }).outbound(callOf({ body, callerKey }), member, 'm')).body.toString();
  assert.match(sent('key', claude), /"sealed".*"toolu_1"/);
  assert.doesNotMatch(sent('another', claude), /sealed/);
  assert.doesNotMatch(sent('key', google), /sealed/);
});

test('a picture that the target cannot fetch is fetched first, once, and then goes as bytes', async () => {
  const image = { type: 'image', source: { kind: 'url', url: 'https://files.test/a' } };
  const body = Buffer.from(JSON.stringify({ model: 'm', turns: [{ role: 'user', parts: [image] }] }));
  const call = callOf({ body });
  const translator = translatorOf({ needsBytes: true });
  const first = translator.outbound(call, google, 'm');
  assert.ok(first.kind === 'pending');
  await first.wait.done;
  assert.match(request(translator.outbound(call, google, 'm')).body.toString(), /"base64":"AA=="/);
  assert.match(request(translator.outbound(call, claude, 'm')).body.toString(), /"base64":"AA=="/);
  const unneeded = request(translatorOf().outbound(callOf({ body }), google, 'm'));
  assert.match(unneeded.body.toString(), /files\.test/);
});

/** Which prompts are clearly too long for a model, and which may do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf } from '../../test/support/fleet.ts';
import type { MemberParts } from '../../test/support/fleet.ts';
import type { Call } from '../domain/call.ts';
import { CallRecord } from '../domain/record.ts';
import { protocols } from '../protocols/index.ts';
import { isTooLong } from './context-fit.ts';
import { CallHints } from './hints.ts';

const card = (contextLength: number | undefined, id = 'm') => ({
  id,
  displayName: undefined,
  aliases: ['also'],
  contextLength,
});

function ask(body: Buffer, members: readonly MemberParts[], model = 'm'): boolean {
  const call = callOf(body);
  return isTooLong(call, poolOf(members), hintsOf(call, model));
}

function tooLong(words: number, members: readonly MemberParts[], fields: object = {}, model = 'm'): boolean {
  const content = 'word '.repeat(words);
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...fields }));
  return ask(body, members, model);
}

function callOf(body: Buffer): Call {
  return {
    requestId: 'r',
    protocol: 'openai-chat',
    upstreamPath: '/',
    model: 'm',
    modelOptional: false,
    stream: false,
    body,
    modelSpans: [],
    headers: {},
    callerKey: undefined,
    record: new CallRecord('r', 'POST', '/', 0),
  };
}

const hintsOf = (call: Call, model = 'm') => new CallHints(call, model, protocols['openai-chat']);
const poolOf = (members: readonly MemberParts[]) => members.map((parts, i) => memberOf(`w${i}`, parts));

const facts = (contextLength: number | undefined): MemberParts => ({ facts: { contextLength } });

test('a prompt is too long when it has clearly more tokens than the context, not when it may just fit', () => {
  // 5,000 bytes: 1,250 tokens by estimate, perhaps 834 in truth.
  assert.equal(tooLong(1_000, [facts(700)]), true);
  assert.equal(tooLong(1_000, [facts(900)]), false);
});

test('the answer that is asked for needs room too', () => {
  for (const name of ['max_tokens', 'max_completion_tokens', 'max_output_tokens']) {
    assert.equal(tooLong(10, [facts(4_096)], { [name]: 4_096 }), true);
    assert.equal(tooLong(10, [facts(4_096)], { [name]: 3_000 }), false);
  }
  for (const value of [null, '9999', -1, 1e300, { a: 1 }])
    assert.equal(tooLong(10, [facts(4_096)], { max_tokens: value }), false);
});

test('the longest context of the workers counts, and one that does not tell may be long enough', () => {
  assert.equal(tooLong(1_000, [facts(100), facts(200)]), true);
  assert.equal(tooLong(1_000, [facts(100), facts(2_000)]), false);
  assert.equal(tooLong(1_000, [facts(100), facts(undefined)]), false);
  assert.equal(tooLong(1_000, []), false);
});

test('what the operator says of the model, by any of its names, comes before what the worker says of itself', () => {
  const worker = { spec: { models: [card(2_000), card(100, 'other')] }, facts: { contextLength: 100 } };
  assert.equal(tooLong(1_000, [worker]), false);
  assert.equal(tooLong(1_000, [worker], {}, 'also'), false);
  assert.equal(tooLong(1_000, [worker], {}, 'other'), true);
  assert.equal(tooLong(1_000, [{ ...worker, spec: { models: [card(undefined)] } }]), true);
});

test('what the worker says of the very model comes before what it says of itself', () => {
  const limits = new Map([['m', { contextLength: 700, maxOutputTokens: undefined }]]);
  const worker = { facts: { contextLength: 10_000, modelLimits: limits } };
  assert.deepEqual([tooLong(1_000, [worker]), tooLong(1_000, [worker], {}, 'other')], [true, false]);
});

test('a body that is no JSON is never too long by its answer, and never throws', () => {
  assert.equal(ask(Buffer.from('[1,2'), [facts(10_000)]), false);
});

test('counted tokens are taken at their word, whatever the bytes are like', () => {
  const fits = (tokens: number, contextLength: number, maxTokens?: number) => {
    const call = callOf(Buffer.from(JSON.stringify({ model: 'm', messages: [], max_tokens: maxTokens })));
    const hints = hintsOf(call);
    hints.useTokens({ ids: new Uint32Array(tokens), adapter: undefined });
    return !isTooLong(call, poolOf([facts(100), facts(contextLength)]), hints);
  };
  assert.deepEqual([fits(899, 1_000, 101), fits(900, 1_000, 101)], [true, false]);
  // An answer has at least one token.
  assert.deepEqual([fits(999, 1_000), fits(1_000, 1_000)], [true, false]);
});

/** Thoughts that are kept for clients that have no place for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_REQUEST, text } from '../../../test/support/tiny-codec.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { GenerationRequest, Part, ReasoningPart, Signature, ThoughtOrigin } from '../../domain/generation.ts';
import type { KeptThoughts } from './reasoning-vault.ts';
import { ReasoningVault } from './reasoning-vault.ts';
import { restoreThoughts } from './restore-thoughts.ts';
import { ThoughtWatch } from './thought-watch.ts';

const signed = (value: string, origin: ThoughtOrigin = 'anthropic'): Signature => ({ origin, value });
const thought = (words: string, signature: Signature | undefined): ReasoningPart => ({
  type: 'reasoning',
  text: words,
  signature,
  isRedacted: false,
  itemId: undefined,
});
const call = (callId: string, signature?: Signature): Part => ({
  type: 'tool_call',
  callId,
  name: 'f',
  argumentsText: '{}',
  signature,
  cache: undefined,
});
const says = (words: string): Part => ({ type: 'text', text: words, cache: undefined, signature: undefined });

const thinks = (words: string): GenerationEvent => ({ type: 'reasoning-delta', choice: 0, text: words });
const signs = (signature: Signature | undefined): GenerationEvent => ({
  type: 'reasoning-end',
  choice: 0,
  signature,
  isRedacted: false,
  itemId: undefined,
});
const calls = (callId: string, signature?: Signature): GenerationEvent => ({
  type: 'tool-call-start',
  choice: 0,
  callId,
  name: 'f',
  signature,
});

function watched(...events: GenerationEvent[]): Record<string, KeptThoughts> {
  const kept: Record<string, KeptThoughts> = {};
  const watch = new ThoughtWatch((callId, thoughts) => {
    kept[callId] = thoughts;
  });
  for (const event of events) watch.event(event);
  return kept;
}

test('thoughts are kept by the tool call that they led to, byte for byte, where they stood', () => {
  const kept = watched(
    ...[thinks('a'), thinks('b'), signs(signed('s1')), text('words'), thinks('c'), signs(signed('s2'))],
    ...[calls('one'), calls('two'), thinks('d'), signs(signed('s3')), calls('three')],
  );
  assert.deepEqual(kept, {
    one: { leading: [thought('ab', signed('s1'))], trailing: [thought('c', signed('s2'))], signature: undefined },
    three: { leading: [], trailing: [thought('d', signed('s3'))], signature: undefined },
  });
});

test('a call’s own signature is kept; thoughts that nobody signed, or that led to no call, are not', () => {
  const own = signed('g', 'gemini');
  assert.deepEqual(watched(thinks('a'), signs(undefined), calls('one', own), thinks('b'), signs(signed('s'))), {
    one: { leading: [], trailing: [], signature: own },
  });
  assert.deepEqual(watched(thinks('a'), signs(undefined), calls('one')), {});
});

test('thoughts without an end to them are not kept', () => {
  const kept = watched(thinks('x'.repeat(3 * 1024 * 1024)), signs(signed('s')), calls('one'));
  assert.deepEqual(kept, {});
});

const KEPT: KeptThoughts = {
  leading: [thought('l', signed('s1'))],
  trailing: [thought('t', signed('s2'))],
  signature: undefined,
};

function conversation(...parts: Part[]): GenerationRequest {
  const turn = (role: 'user' | 'assistant', given: readonly Part[]) => ({
    role,
    parts: given,
    isPlain: false,
    name: undefined,
  });
  return { ...EMPTY_REQUEST, turns: [turn('user', [says('q')]), turn('assistant', parts)] };
}

function restored(
  request: GenerationRequest,
  kept: Record<string, KeptThoughts>,
  origin?: ThoughtOrigin,
): readonly Part[] {
  const { turns } = restoreThoughts(request, origin ?? 'anthropic', (id) => kept[id]);
  return turns[1]?.parts ?? [];
}

test('thoughts come back before their call, and before the text that they led', () => {
  assert.deepEqual(restored(conversation(says('words'), call('one'), call('two')), { one: KEPT }), [
    ...KEPT.leading,
    says('words'),
    ...KEPT.trailing,
    call('one'),
    call('two'),
  ]);
});

test('a signature comes back on its call', () => {
  const own = signed('g', 'gemini');
  const kept = { one: { leading: [], trailing: [], signature: own } };
  assert.deepEqual(restored(conversation(call('one'), call('two')), kept, 'gemini'), [call('one', own), call('two')]);
});

test('what the client sent back by itself is left as it is', () => {
  const request = conversation(thought('x', signed('own')), call('one'));
  assert.equal(
    restoreThoughts(request, 'anthropic', () => KEPT),
    request,
  );
  const split: GenerationRequest = {
    ...EMPTY_REQUEST,
    turns: [thought('x', signed('own')), call('one')].map((part) => ({
      role: 'assistant' as const,
      parts: [part],
      isPlain: false,
      name: undefined,
    })),
  };
  assert.equal(
    restoreThoughts(split, 'anthropic', () => KEPT),
    split,
    'also in a turn of its own',
  );
});

test('the client’s unsigned copy of a thought gives way to the thought', () => {
  const trailing = [thought('t', signed('s'))];
  const request = conversation(thought('t', undefined), call('one'));
  assert.deepEqual(restored(request, { one: { leading: [], trailing, signature: undefined } }), [
    ...trailing,
    call('one'),
  ]);
});

test('nobody is sent the thoughts of another’s model', () => {
  const request = conversation(call('one'));
  assert.equal(
    restoreThoughts(request, 'openai', () => KEPT),
    request,
  );
  assert.equal(
    restoreThoughts(request, undefined, () => KEPT),
    request,
  );
});

test('the vault gives to each caller only what its own calls made', () => {
  const vault = new ReasoningVault();
  vault.keep('a', 'one', KEPT);
  assert.deepEqual(vault.find('a', 'one'), KEPT);
  assert.deepEqual(vault.find('b', 'one'), undefined);
  vault.keep('a:x', 'y', KEPT);
  assert.deepEqual(vault.find('a', 'x:y'), undefined);
});

test('the vault is bounded by entries and by bytes, and forgets what was not used for longest', () => {
  const few = new ReasoningVault({ maxEntries: 2, maxBytes: 1_000_000 });
  for (const id of ['one', 'two']) few.keep('', id, KEPT);
  few.find('', 'one');
  few.keep('', 'three', KEPT);
  assert.deepEqual(
    ['one', 'two', 'three'].map((id) => few.find('', id) !== undefined),
    [true, false, true],
  );
  const small = new ReasoningVault({ maxEntries: 1_000_000, maxBytes: 100_000 });
  for (let i = 0; i < 10_000; i += 1) {
    small.keep('', `call_${i % 5_000}`, { ...KEPT, trailing: [thought('x'.repeat(i % 1_000), signed('s'))] });
    assert.ok(small.bytes <= 100_000, String(small.bytes));
  }
  assert.ok(small.size > 10);
  small.keep('', 'huge', { ...KEPT, trailing: [thought('x'.repeat(100_000), signed('s'))] });
  assert.equal(small.find('', 'huge'), undefined);
  assert.ok(small.size > 10, 'one that is too large drives nobody out');
});

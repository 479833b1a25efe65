/** Calls made ready for workers that take tokens: how often that is done, and how long is waited for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../base/clock.ts';
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import { CallRecord } from '../../domain/record.ts';
import type { TokenModel, TokenModelState } from '../../domain/token-model.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import { LetterTokenizer } from '../../../test/support/letter-tokenizer.ts';
import { anthropicCountForm } from '../../protocols/count-tokens/count-tokens-between.ts';
import { TokenCalls } from './token-calls.ts';
import type { Reading, TokenCall } from './token-prompt.ts';
import { TokenWait } from './token-wait.ts';

const callOf = (): Call => ({
  requestId: 'r',
  protocol: 'openai-chat',
  upstreamPath: '/',
  model: 'm',
  modelOptional: false,
  stream: false,
  body: Buffer.from('{}'),
  modelSpans: [],
  headers: {},
  callerKey: undefined,
  record: new CallRecord('r', 'POST', '/', 0),
});

const model: TokenModel = {
  source: 'test',
  tokenizer: new LetterTokenizer(),
  template: undefined,
  endTokenIds: [],
  modelType: undefined,
  architectures: [],
  contextLength: undefined,
  defaults: {},
};
const READY: TokenModelState = { kind: 'ready', model };

/** `encode`: what a tokenizer makes of the one prompt that each call has. */
function rig(of: (name: string) => TokenModelState = () => READY, encode?: () => TokenIds | Promise<TokenIds>) {
  const clock = new ManualClock();
  const encoded: string[] = [];
  const calls = new TokenCalls({
    models: { of },
    clock,
    waitMs: 1_000,
    read: (_call, _model, name): Reading => ({
      prompts: [
        {
          chars: 3,
          encode: () => {
            encoded.push(name);
            return encode?.() ?? Uint32Array.of(1, 2, 3);
          },
        },
      ],
      complete: ([ids]): TokenCall => ({
        kind: 'count',
        model,
        form: anthropicCountForm,
        prompts: [{ ids: ids ?? new Uint32Array(), text: '' }],
        warnings: [],
        adapter: undefined,
      }),
    }),
  });
  return { calls, clock, encoded };
}

test('a prompt is made into tokens once, however often the call is tried, and once more for another model', () => {
  const { calls, encoded } = rig();
  const call = callOf();
  const first = calls.prepare(call, 'm', 'm');
  for (let retry = 0; retry < 5; retry += 1) assert.equal(calls.prepare(call, 'm', 'm'), first);
  assert.equal(calls.find(call, 'm'), first);
  const other = calls.prepare(call, 'next', 'next');
  assert.notEqual(other, first);
  assert.equal(calls.prepare(call, 'm', 'm'), first);
  assert.equal(calls.prepare(call, 'next', 'next'), other);
  assert.deepEqual(encoded, ['m', 'next']);
});

test('tokens that are made elsewhere are waited for, and made once as well', async () => {
  const made = Promise.withResolvers<TokenIds>();
  const { calls, encoded } = rig(undefined, () => made.promise);
  const call = callOf();
  const wait = calls.prepare(call, 'm', 'm');
  assert.ok(wait instanceof TokenWait && !wait.isForTokenizer);
  assert.equal(calls.find(call, 'm'), undefined);
  assert.ok(calls.prepare(call, 'm', 'm') instanceof TokenWait);
  made.resolve(Uint32Array.of(7));
  await wait.done;
  const ready = calls.prepare(call, 'm', 'm');
  assert.ok(!(ready instanceof TokenWait) && !(ready instanceof GatewayError));
  assert.deepEqual([...(ready.prompts[0]?.ids ?? [])], [7]);
  assert.deepEqual(encoded, ['m']);
});

test('what cannot be made into tokens stays so, and is not tried again for the same call', async () => {
  const { calls, encoded } = rig(undefined, () => Promise.reject(new GatewayError('tokenizer_unavailable', 'no')));
  const call = callOf();
  const wait = calls.prepare(call, 'm', 'm');
  assert.ok(wait instanceof TokenWait);
  await wait.done;
  const failed = calls.prepare(call, 'm', 'm');
  assert.ok(failed instanceof GatewayError && failed.code === 'tokenizer_unavailable');
  assert.equal(calls.prepare(call, 'm', 'm'), failed);
  assert.deepEqual(encoded, ['m']);
});

test('a tokenizer that is being loaded is waited for until its limit, over all waits together', async () => {
  const loading = Promise.withResolvers<void>();
  const { calls, clock, encoded } = rig(() => ({ kind: 'loading', settled: loading.promise }));
  const call = callOf();
  const wait = calls.prepare(call, 'm', 'm');
  assert.ok(wait instanceof TokenWait && wait.isForTokenizer);
  clock.advance(600);
  const again = calls.prepare(call, 'm', 'm');
  assert.ok(again instanceof TokenWait);
  clock.advance(400);
  await Promise.all([wait.done, again.done]);
  const late = calls.prepare(call, 'm', 'm');
  assert.ok(late instanceof GatewayError);
  assert.deepEqual([late.code, late.retryAfterSeconds, encoded.length], ['tokenizer_unavailable', 1, 0]);
  assert.equal(clock.pendingTimers, 0);
});

test('a call goes on as soon as its tokenizer is there, and not on when its client has left', async () => {
  const loading = Promise.withResolvers<void>();
  let state: TokenModelState = { kind: 'loading', settled: loading.promise };
  const { calls, clock, encoded } = rig(() => state);
  const [stays, leaves] = [callOf(), callOf()];
  const [wait, left] = [calls.prepare(stays, 'm', 'm'), calls.prepare(leaves, 'm', 'm')];
  assert.ok(wait instanceof TokenWait && left instanceof TokenWait);
  left.clientGone();
  await left.done;
  state = READY;
  loading.resolve();
  await wait.done;
  assert.equal(clock.pendingTimers, 0);
  assert.ok(!(calls.prepare(stays, 'm', 'm') instanceof TokenWait));
  assert.deepEqual(encoded, ['m']);
});

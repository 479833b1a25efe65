/** The body on its way to one worker: touched only where it must be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberOf } from '../../test/support/fleet.ts';
import type { MemberParts } from '../../test/support/fleet.ts';
import type { Call } from '../domain/call.ts';
import { peek } from '../protocols/peek.ts';
import { upstreamBody } from './upstream-body.ts';

function callOf(text: string): Call {
  const body = Buffer.from(text);
  return { ...peek(body), body } as Partial<Call> as Call;
}

function sent(text: string, model: string, parts: MemberParts & { readonly rank?: number } = {}): string {
  const member = { ...memberOf('w', parts), rank: parts.rank };
  return upstreamBody(callOf(text), model, member).toString();
}

const BODY = '{"model": "m", "n":1.0}';

test('a body in which nothing changes is the client’s own', () => {
  const call = callOf(BODY);
  assert.equal(upstreamBody(call, 'm', memberOf('w')), call.body);
});

test('an alias of the gateway becomes the model, and an alias of the worker becomes its id', () => {
  assert.equal(sent(BODY, 'canonical'), '{"model": "canonical", "n":1.0}');
  const models = [{ id: 'real', displayName: undefined, aliases: ['m', 'real'], contextLength: undefined }];
  assert.equal(sent(BODY, 'm', { spec: { models } }), '{"model": "real", "n":1.0}');
  assert.equal(sent(BODY, 'other', { spec: { models } }), '{"model": "other", "n":1.0}');
  assert.equal(sent('{"n":1}', '', { spec: { models } }), '{"n":1}', 'a body without a model gets none');
});

test('an SGLang rank is told in the body, in place of one that the client chose', () => {
  assert.equal(sent(BODY, 'm', { rank: 2 }), '{"data_parallel_rank":2,"model": "m", "n":1.0}');
  const chosen = '{"model":"m","data_parallel_rank":7,"routed_dp_rank": 7}';
  assert.equal(sent(chosen, 'm', { rank: 0 }), '{"model":"m","data_parallel_rank":0,"routed_dp_rank": 0}');
});

test('a vLLM rank goes in a header, and the body stays', () => {
  assert.equal(sent(BODY, 'm', { rank: 2, facts: { engine: 'vllm' } }), BODY);
});

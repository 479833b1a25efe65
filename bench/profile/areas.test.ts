import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuProfile, timeByArea } from './areas.ts';

/** Each frame under the one before it; one sample of 1 ms in each, after as many of the warm-up in the first. */
function profileOf(frames: readonly (readonly [functionName: string, url: string])[]): CpuProfile {
  const root = { id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [2] };
  const nodes = frames.map(([functionName, url], at) => ({
    id: at + 2,
    callFrame: { functionName, url, lineNumber: 0 },
    children: at + 1 < frames.length ? [at + 3] : [],
  }));
  const samples = [...frames.map(() => 2), ...frames.map((_, at) => at + 2)];
  return { nodes: [root, ...nodes], samples, timeDeltas: samples.map(() => 1_000) };
}

function timesOf(profile: CpuProfile): Readonly<Record<string, number>> {
  return Object.fromEntries(timeByArea(profile).flatMap(({ name, ms }) => (ms > 0 ? [[name, ms]] : [])));
}

test('time without a place of ours counts for the nearest caller that has one', () => {
  const profile = profileOf([
    ['end', 'file:///x/src/dispatch/tokens/chat-answer.ts'],
    ['write', 'file:///x/src/server/write-reply.ts'],
    ['write_', 'node:_http_outgoing'],
    ['writev', ''],
  ]);
  assert.deepEqual(timesOf(profile), { 'HTTP write': 3, dispatch: 1 });
});

test('encoding, decoding and both sides of a tokenizer are told apart by their files', () => {
  const profile = profileOf([
    ['a', 'file:///x/src/protocols/openai-chat/decode-request.ts'],
    ['b', 'file:///x/src/protocols/openai-chat/stream-encoder.ts'],
    ['c', 'file:///x/src/pipeline/tokenizer/scanners.ts'],
    ['d', 'file:///x/src/pipeline/tokenizer/byte-decoding.ts'],
    ['e', 'file:///x/src/protocols/hub/json-text.ts'],
  ]);
  const expected = { 'decode the request': 1, 'detokenize, output': 1, tokenize: 1, 'encode the answer': 2 };
  assert.deepEqual(timesOf(profile), expected);
});

test('idle time is left out, and the first half of the rest', () => {
  const idle = { id: 3, callFrame: { functionName: '(idle)', url: '', lineNumber: -1 } };
  const busy = { id: 2, callFrame: { functionName: '(garbage collector)', url: '', lineNumber: -1 } };
  const root = { id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [2, 3] };
  const samples = [2, 2, 3, 3, 3, 3];
  const profile = { nodes: [root, busy, idle], samples, timeDeltas: samples.map(() => 1_000) };
  assert.deepEqual(timesOf(profile), { 'garbage collection': 1 });
});

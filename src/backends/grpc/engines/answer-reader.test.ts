/** What engines repeat, accumulate and number in their own way, made one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../../domain/errors.ts';
import type { TokenChunk, TokenFinish } from '../../../domain/token-generation.ts';
import type { AnswerPlace } from './answer-reader.ts';
import { AnswerReader } from './answer-reader.ts';
import type { AnswerHabits, ChunkMessage, CompleteMessage } from './token-engine.ts';

const HABITS: AnswerHabits = { completionTokens: 'total', numbersByArrival: false };
const PLACE: AnswerPlace = { prompt: 0, firstChoice: 0, choices: 1, isStream: true, maxTokens: undefined };

function reading(place: Partial<AnswerPlace> = {}, habits: Partial<AnswerHabits> = {}) {
  const chunks: TokenChunk[] = [];
  const finishes: TokenFinish[] = [];
  const reader = new AnswerReader(
    { ...HABITS, ...habits },
    { ...PLACE, ...place },
    {
      chunk: (each) => chunks.push(each),
      finished: (each) => finishes.push(each),
    },
  );
  const ids = (choice = 0) => chunks.filter((each) => each.choice === choice).flatMap((each) => Array.from(each.ids));
  return { reader, chunks, finishes, ids };
}

function chunk(ids: readonly number[], change: Partial<ChunkMessage> = {}): ChunkMessage {
  return {
    kind: 'chunk',
    index: 0,
    ids,
    promptTokens: 5,
    completionTokens: 0,
    cachedTokens: 0,
    reasoningTokens: undefined,
    logprobs: undefined,
    promptLogprobs: undefined,
    ...change,
  };
}

function complete(ids: readonly number[], change: Partial<CompleteMessage> = {}): CompleteMessage {
  return { ...chunk(ids), kind: 'complete', reason: 'stop', matchedStop: undefined, ...change };
}

const STREAM = [[11], [12, 13], [14]];

const completes: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['nothing', [], [11, 12, 13, 14]],
  ['the last chunk once more', [14], [11, 12, 13, 14]],
  ['everything', [11, 12, 13, 14], [11, 12, 13, 14]],
  ['everything and what no chunk had', [11, 12, 13, 14, 15, 16], [11, 12, 13, 14, 15, 16]],
  ['everything but a stop token that it drops', [11, 12, 13], [11, 12, 13, 14]],
  ['what no chunk had', [15], [11, 12, 13, 14, 15]],
];

for (const [what, ids, expected] of completes) {
  test(`all ids are told once where the Complete of a stream holds ${what}`, () => {
    const answer = reading();
    for (const each of STREAM) answer.reader.push(chunk(each));
    answer.reader.push(complete(ids));
    assert.deepEqual(answer.ids(), expected);
    assert.equal(answer.finishes.length, 1);
    assert.ok(answer.reader.isComplete);
  });
}

test('however tokens are grouped into chunks, and whatever the Complete holds of them, each is told once', () => {
  // Few different ones, so that parts of an answer look alike.
  const groups = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }), { maxLength: 12 });
  const held = fc.constantFrom('nothing', 'last', 'everything');
  fc.assert(
    fc.property(groups, held, (chunks, what) => {
      const answer = reading();
      for (const ids of chunks) answer.reader.push(chunk(ids));
      const all = chunks.flat();
      answer.reader.push(complete(what === 'nothing' ? [] : what === 'last' ? (chunks.at(-1) ?? []) : all));
      assert.deepEqual(answer.ids(), all);
    }),
    { numRuns: 2_000 },
  );
});

test('a last chunk of several tokens, and one whose stop token is dropped, is not told twice', () => {
  for (const last of [[7, 8, 9], [7, 8], []]) {
    const answer = reading();
    answer.reader.push(chunk([1]));
    answer.reader.push(chunk([7, 8, 9]));
    answer.reader.push(complete(last));
    assert.deepEqual(answer.ids(), [1, 7, 8, 9]);
  }
});

test('the same token again and again is counted as often as it comes', () => {
  const answer = reading();
  for (let i = 0; i < 4; i += 1) answer.reader.push(chunk([5]));
  answer.reader.push(complete([5]));
  assert.deepEqual(answer.ids(), [5, 5, 5, 5]);
});

test('without streaming the Complete is all there is', () => {
  const answer = reading({ isStream: false });
  answer.reader.push(complete([1, 2, 3], { completionTokens: 3, cachedTokens: 2, matchedStop: 'END' }));
  assert.deepEqual(answer.ids(), [1, 2, 3]);
  assert.deepEqual(answer.finishes, [
    {
      prompt: 0,
      choice: 0,
      reason: 'stop',
      detail: 'stop',
      matchedStop: 'END',
      promptTokens: 5,
      completionTokens: 3,
      cachedTokens: 2,
      reasoningTokens: undefined,
    },
  ]);
});

test('Completes that all have index 0 are numbered as they come, of an engine that does so', () => {
  const answer = reading({ isStream: false, choices: 3, prompt: 2 }, { numbersByArrival: true });
  for (const id of [7, 8, 9]) answer.reader.push(complete([id]));
  assert.deepEqual(
    answer.chunks.map((each) => [each.prompt, each.choice, each.ids]),
    [
      [2, 0, [7]],
      [2, 1, [8]],
      [2, 2, [9]],
    ],
  );
  assert.ok(answer.reader.isComplete);
});

test('answers of one stream interleave, each with its own end', () => {
  const answer = reading({ choices: 2 }, { numbersByArrival: true });
  answer.reader.push(chunk([1]));
  answer.reader.push(chunk([2], { index: 1 }));
  answer.reader.push(complete([2], { index: 1, reason: 'length' }));
  assert.equal(answer.reader.isComplete, false);
  answer.reader.push(chunk([3]));
  answer.reader.push(complete([3]));
  assert.deepEqual([answer.ids(0), answer.ids(1)], [[1, 3], [2]]);
  assert.deepEqual(
    answer.finishes.map((each) => [each.choice, each.reason]),
    [
      [1, 'length'],
      [0, 'stop'],
    ],
  );
});

test('the only answer of a stream of its own has the number that its order gave it', () => {
  const answer = reading({ firstChoice: 3 });
  answer.reader.push(chunk([1]));
  answer.reader.push(complete([]));
  assert.deepEqual([answer.chunks[0]?.choice, answer.finishes[0]?.choice], [3, 3]);
});

test('tokens are counted by ids where the engine tells those of each message alone', () => {
  const counted = reading({}, { completionTokens: 'delta' });
  counted.reader.push(chunk([1, 2], { completionTokens: 2 }));
  counted.reader.push(chunk([3], { completionTokens: 1 }));
  counted.reader.push(complete([3], { completionTokens: 1 }));
  assert.equal(counted.finishes[0]?.completionTokens, 3);
  const whole = reading({ isStream: false }, { completionTokens: 'delta' });
  whole.reader.push(complete([1, 2, 3], { completionTokens: 3 }));
  assert.equal(whole.finishes[0]?.completionTokens, 3);
  const told = reading();
  told.reader.push(chunk([1, 2], { completionTokens: 2 }));
  told.reader.push(complete([], { completionTokens: 4, reasoningTokens: 1 }));
  assert.deepEqual([told.finishes[0]?.completionTokens, told.finishes[0]?.reasoningTokens], [4, 1]);
});

test('what a Complete leaves out is what chunks have said', () => {
  const answer = reading();
  answer.reader.push(chunk([1], { promptTokens: 9, cachedTokens: 4 }));
  answer.reader.push(complete([1], { promptTokens: 0, cachedTokens: 0 }));
  assert.deepEqual([answer.finishes[0]?.promptTokens, answer.finishes[0]?.cachedTokens], [9, 4]);
});

const logprobsOf = (numbers: readonly number[]) => ({
  logprobs: numbers,
  topIds: numbers.map((each) => [each]),
  topLogprobs: numbers.map((each) => [each / 2]),
});

test('log probabilities are those of the ids beside them, also where the engine tells all so far', () => {
  for (const second of [[-3], [-1, -2, -3]]) {
    const answer = reading();
    answer.reader.push(chunk([1, 2], { logprobs: logprobsOf([-1, -2]) }));
    answer.reader.push(chunk([3], { logprobs: logprobsOf(second) }));
    answer.reader.push(complete([3, 4], { logprobs: logprobsOf([-1, -2, -3, -4]) }));
    assert.deepEqual(
      answer.chunks.map(({ logprobs }) => logprobs),
      [logprobsOf([-1, -2]), logprobsOf([-3]), logprobsOf([-4])],
    );
  }
});

test('too few log probabilities are left out', () => {
  const answer = reading();
  answer.reader.push(chunk([1, 2], { logprobs: logprobsOf([-1]) }));
  assert.equal(answer.chunks[0]?.logprobs, undefined);
});

test('log probabilities of the prompt are told once, with the Complete where they come no sooner', () => {
  const promptLogprobs = { ids: [1, 2], logprobs: [undefined, -1], topIds: [], topLogprobs: [] };
  const each = reading({ choices: 2 });
  each.reader.push(chunk([1], { promptLogprobs }));
  each.reader.push(chunk([1], { index: 1, promptLogprobs }));
  each.reader.push(complete([1], { promptLogprobs }));
  assert.deepEqual(
    each.chunks.map((one) => one.promptLogprobs !== undefined),
    [true, false],
  );
  const late = reading();
  late.reader.push(chunk([1]));
  late.reader.push(complete([1], { promptLogprobs }));
  assert.deepEqual(
    late.chunks.map((one) => [one.ids, one.promptLogprobs]),
    [
      [[1], undefined],
      [[], promptLogprobs],
    ],
  );
});

test('what comes after an end is not told, and an answer that nobody asked for is an error', () => {
  const answer = reading();
  answer.reader.push(undefined);
  answer.reader.push(complete([1]));
  answer.reader.push(chunk([2]));
  answer.reader.push(complete([3]));
  assert.deepEqual([answer.ids(), answer.finishes.length], [[1], 1]);
  assert.throws(() => answer.reader.push(chunk([1], { index: 1 })), { code: 'upstream_invalid_answer' });
});

test('reasons are made three, and the engine’s own word stays beside', () => {
  for (const [word, reason] of [
    ['stop', 'stop'],
    ['eos_token', 'stop'],
    ['length', 'length'],
    ['abort', 'abort'],
    ['error', 'abort'],
  ] as const) {
    const answer = reading();
    answer.reader.push(complete([1], { reason: word }));
    assert.deepEqual([answer.finishes[0]?.reason, answer.finishes[0]?.detail], [reason, word]);
  }
});

test('an answer that is longer than was asked for ends, and so does one without end', () => {
  const sink = { chunk: () => undefined, finished: () => undefined };
  for (const maxTokens of [10, undefined]) {
    const reader = new AnswerReader(HABITS, { ...PLACE, maxTokens }, sink);
    const piece = chunk(Array.from({ length: (maxTokens ?? 1_000_000) / 2 }, () => 7));
    for (let i = 0; i < 3; i += 1) reader.push(piece);
    const endless = () => {
      for (let i = 0; i < 300; i += 1) reader.push(piece);
    };
    assert.throws(endless, (error) => error instanceof GatewayError && error.code === 'upstream_invalid_answer');
  }
});

test('what stopped an answer is told as far as anybody could have asked for it', () => {
  const { reader, finishes } = reading();
  reader.push(complete([1], { reason: 'x'.repeat(1e6), matchedStop: 'y'.repeat(1e6) }));
  assert.deepEqual([finishes[0]?.detail.length, String(finishes[0]?.matchedStop).length], [4_096, 4_096]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampling } from '../../../test/support/sampling.ts';
import { TinyTokenizer } from '../../../test/support/tiny-tokenizer.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TextEvent } from '../../domain/text-event.ts';
import type { Sampling, TokenChunk, TokenFinish } from '../../domain/token-generation.ts';
import { PlainOutput } from './plain-output.ts';

const tokenizer = new TinyTokenizer();

function create(asked: Partial<Sampling>, texts: readonly string[] = ['p']) {
  const events: TextEvent[] = [];
  const prompts = texts.map((text) => ({ ids: tokenizer.encode(text), text }));
  const output = new PlainOutput({ tokenizer, endTokenIds: [10], sampling: sampling(asked), prompts });
  const emit = (event: TextEvent) => events.push(event);
  const chunk = (text: string, more: Partial<TokenChunk> = {}) => {
    const ids = tokenizer.encode(text);
    output.chunk({ prompt: 0, choice: 0, ids, logprobs: undefined, promptLogprobs: undefined, ...more }, emit);
  };
  const finish = (more: Partial<TokenFinish> = {}) => {
    const counts = { promptTokens: 1, completionTokens: 4, cachedTokens: 1, reasoningTokens: undefined };
    const plain: TokenFinish = {
      prompt: 0,
      choice: 0,
      reason: 'length',
      detail: '',
      matchedStop: undefined,
      ...counts,
    };
    output.finished({ ...plain, ...more }, emit);
  };
  return { events, output, chunk, finish, end: () => output.end(emit) };
}

test('tells each prompt before its answers, text with its tokens, and every finish', () => {
  const { events, chunk, finish, end } = create({ choices: 2 }, ['p', 'q']);
  chunk('ab', { prompt: 1, choice: 1 });
  for (const prompt of [0, 1]) for (const choice of [0, 1]) finish({ prompt, choice });
  end();
  const counts = { promptTokens: 1, completionTokens: 4, cachedTokens: 1, reasoningTokens: undefined };
  const finished = { type: 'finish', reason: 'length', matchedStop: undefined, ...counts };
  assert.deepEqual(events, [
    { type: 'prompt', prompt: 1, text: 'q', tokens: undefined, tokenCount: 1 },
    { type: 'text', prompt: 1, choice: 1, text: 'ab', ids: [97, 98], tokens: undefined },
    { type: 'prompt', prompt: 0, text: 'p', tokens: undefined, tokenCount: 1 },
    { ...finished, prompt: 0, choice: 0 },
    { ...finished, prompt: 0, choice: 1 },
    { ...finished, prompt: 1, choice: 0 },
    { ...finished, prompt: 1, choice: 1 },
    { type: 'end' },
  ]);
});

test('a stop string ends an answer at once, with counts of our own', () => {
  const { events, output, chunk, end } = create({ stop: ['cd'] });
  chunk('abc');
  chunk('de');
  assert.equal(output.isDone, true);
  assert.deepEqual(output.stoppedChoices, [{ prompt: 0, choice: 0 }]);
  end();
  const finish = events.find((event) => event.type === 'finish');
  assert.deepEqual([finish?.reason, finish?.matchedStop, finish?.completionTokens], ['stop', 'cd', 4]);
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'text' ? [event.text] : [])),
    ['ab'],
  );
});

test('a stop token is told with the finish of the engine', () => {
  const { events, chunk, finish } = create({});
  chunk('a\nb');
  finish({ reason: 'stop' });
  const last = events.at(-1);
  assert.deepEqual(last?.type === 'finish' && [last.reason, last.matchedStop, last.completionTokens], ['stop', 10, 4]);
});

test('prompts of ids are told as text, and with log probabilities where they were asked for', () => {
  const { events, chunk } = create({ promptLogprobs: 1 }, ['']);
  const promptLogprobs = { ids: [65, 66], logprobs: [undefined, -2], topIds: [[], [67]], topLogprobs: [[], [-1]] };
  chunk('x', { promptLogprobs });
  assert.deepEqual(events[0], {
    type: 'prompt',
    prompt: 0,
    text: '',
    tokenCount: 0,
    tokens: [
      { id: 65, text: 'A', logprob: undefined, top: [] },
      { id: 66, text: 'B', logprob: -2, top: [{ id: 67, text: 'C', logprob: -1 }] },
    ],
  });
});

test('answers that are missing at the end are an error', () => {
  const { chunk, end } = create({});
  chunk('a');
  assert.throws(end, (error) => error instanceof GatewayError && error.code === 'upstream_broken');
});

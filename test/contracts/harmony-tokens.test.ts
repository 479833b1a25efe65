/** Answers in Harmony, token by token in the vocabulary of gpt-oss: every grouping into chunks tells the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { OutputLogprobs } from '../../src/domain/token-generation.ts';
import { AnswerEvents } from '../../src/pipeline/output/answer-events.ts';
import { harmony } from '../../src/pipeline/parsers/harmony/format.ts';
import { createTokenizer } from '../../src/pipeline/tokenizer/create-tokenizer.ts';
import { contentOf, countedIds, plainEvents } from '../support/answer-events.ts';
import { TOOLS } from '../support/parser-tools.ts';
import { sampling } from '../support/sampling.ts';
import { readVocabulary } from '../support/vocabularies.ts';

const FOLDER = new URL('../../src/pipeline/parsers/fixtures/harmony/', import.meta.url);
const tokenizer = createTokenizer({ kind: 'tokenizer_json', ...readVocabulary('gptoss') });
const ENDS = harmony.ends.map((text) => tokenizer.specialTokens.get(text) ?? -1);

function idsOf(text: string): number[] {
  const ids = tokenizer.encode(text, false);
  assert.ok(!(ids instanceof Promise));
  return [...ids];
}

function logprobsOf(from: number, count: number): OutputLogprobs {
  const all = Array.from({ length: count }, (_, i) => -(from + i));
  return { logprobs: all, topIds: all.map(() => []), topLogprobs: all.map(() => []) };
}

interface Change {
  readonly separatesThoughts?: boolean;
  readonly ignoreEos?: boolean;
  readonly hasLogprobs?: boolean;
}

function answerOf(chunks: readonly (readonly number[])[], change: Change = {}): GenerationEvent[] {
  const { separatesThoughts = true, ignoreEos = false, hasLogprobs = true } = change;
  const events: GenerationEvent[] = [];
  const emit = (event: GenerationEvent) => void events.push(event);
  const answer = new AnswerEvents({
    id: 'a',
    model: 'm',
    createdSeconds: 1,
    tokenizer,
    endTokenIds: [],
    sampling: sampling({
      logprobs: hasLogprobs ? 0 : undefined,
      stopTokenIds: ignoreEos ? [] : ENDS,
      ignoreEos,
      skipSpecialTokens: true,
    }),
    promptTokens: 3,
    reasoning: undefined,
    beginsInThought: false,
    separatesThoughts,
    toolFormat: undefined,
    whole: { format: harmony, beginsInText: false },
    tools: TOOLS,
    forced: undefined,
    priorCalls: 0,
    newId: countedIds(),
  });
  let from = 0;
  for (const ids of chunks) {
    const logprobs = hasLogprobs ? logprobsOf(from, ids.length) : undefined;
    answer.chunk({ prompt: 0, choice: 0, ids, logprobs, promptLogprobs: undefined }, emit);
    from += ids.length;
  }
  const counts = { promptTokens: 3, completionTokens: from, cachedTokens: 0, reasoningTokens: 0 };
  answer.finished({ prompt: 0, choice: 0, reason: 'stop', detail: 'stop', matchedStop: undefined, ...counts }, emit);
  answer.end(emit);
  return events;
}

const single = (ids: readonly number[]) => ids.map((id) => [id]);
const told = (events: readonly GenerationEvent[]) => plainEvents(Object.values(contentOf(events)).flat());

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt'))) {
  test(`${file} in tokens: the same for every grouping`, () => {
    const ids = idsOf(readFileSync(new URL(file, FOLDER), 'utf8'));
    const expected = told(answerOf(single(ids)));
    assert.deepEqual(told(answerOf([ids])), expected);
    const random = seededRandom(31);
    for (let round = 0; round < 60; round += 1) {
      const chunks: number[][] = [];
      for (let at = 0; at < ids.length; ) {
        const length = 1 + randomInteger(random, 6);
        chunks.push(ids.slice(at, at + length));
        at += length;
      }
      assert.deepEqual(told(answerOf(chunks)), expected);
    }
  });
}

function summary(events: readonly GenerationEvent[]): string[] {
  return Object.values(contentOf(events))
    .flat()
    .flatMap((event) => {
      if (event.type === 'text-delta') return [`text ${event.text}`];
      if (event.type === 'reasoning-delta') return [`thought ${event.text}`];
      if (event.type === 'tool-call-start') return [`call ${event.name}`];
      if (event.type === 'tool-call-delta') return [event.argumentsDelta];
      if (event.type === 'finish') return [`finish ${event.reason}`];
      return event.type === 'usage' ? [`reasoning ${event.usage.reasoningTokens}`] : [];
    });
}

test('a call ends the answer, and the tokens of thoughts are counted here', () => {
  const thought = 'I need the weather of Bern.';
  const ids = idsOf(
    `<|channel|>analysis<|message|>${thought}<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather ` +
      '<|constrain|>json<|message|>{"location": "Bern"}<|call|><|start|>functions.get_weather<|message|>made up',
  );
  assert.deepEqual(summary(answerOf(single(ids))), [
    `reasoning ${idsOf(thought).length}`,
    `thought ${thought}`,
    'call get_weather',
    '{"location": "Bern"}',
    'finish tool_calls',
  ]);
});

test('log probabilities stand beside the final text, one for each token of it', () => {
  const head = '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>';
  const text = 'Grüße, 日本 🙂!';
  const events = answerOf(single(idsOf(`${head}${text}<|return|>`)));
  const logprobs = events.flatMap((event) => (event.type === 'text-delta' ? (event.logprobs ?? []) : []));
  const first = idsOf(head).length;
  assert.deepEqual(
    logprobs.map(({ logprob }) => logprob),
    idsOf(text).map((_, i) => -(first + i)),
  );
});

test('thoughts that are not wanted apart are text, without marks', () => {
  const ids = idsOf('<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>');
  const change = { separatesThoughts: false };
  assert.deepEqual(summary(answerOf(single(ids), change)), ['reasoning 0', 'text A', 'text B', 'finish stop']);
});

test('ordinary tokens that spell marks make no call', () => {
  const spelt = '<|end|><|start|>assistant<|channel|>commentary to=functions.ping<|message|>{}<|call|>';
  // Cut inside of each mark, so that the vocabulary does not take them for what they spell.
  const plain = spelt
    .split('<|')
    .flatMap((part, at) => (at === 0 ? idsOf(part) : [...idsOf('<'), ...idsOf(`|${part}`)]));
  const ids = [...idsOf('<|channel|>final<|message|>'), ...plain, ...idsOf('<|return|>')];
  for (const hasLogprobs of [true, false])
    assert.deepEqual(summary(answerOf(single(ids), { hasLogprobs })), ['reasoning 0', `text ${spelt}`, 'finish stop']);
});

test('an answer that may not end goes on with another message', () => {
  const ids = idsOf('<|channel|>final<|message|>One.<|return|><|start|>assistant<|channel|>final<|message|>Two.');
  assert.deepEqual(summary(answerOf(single(ids), { ignoreEos: true })), [
    'reasoning 0',
    'text One.',
    'text Two.',
    'finish stop',
  ]);
});

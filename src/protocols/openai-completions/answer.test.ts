/** Answers of completions: whole and as chunks, with echo, log probabilities, several prompts and choices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  answerFacts,
  END,
  finishEvent,
  framesOf,
  promptEvent,
  shown,
  textEvent,
  wholeOf,
} from '../../../test/support/text-answers.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TextCodec, TextEvent } from '../hub/text-codec.ts';
import { createEncoder, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { openaiCompletions } from './index.ts';

const codec: TextCodec = { decodeRequest, createEncoder, encodeAnswer };

/** The parts of OpenAI's type `Completion` and of its chunks. */
interface Choice {
  readonly index: number;
  readonly text: string;
  readonly finish_reason: string | null;
  readonly logprobs: Logprobs | null;
}
interface Logprobs {
  readonly text_offset: number[];
  readonly token_logprobs: (number | null)[];
  readonly tokens: string[];
  readonly top_logprobs: (Record<string, number> | null)[];
}
interface Completion {
  readonly choices: readonly Choice[];
  readonly usage?: object | null;
}

function whole(events: readonly TextEvent[], members: object): Completion {
  return wholeOf(codec, events, answerFacts(codec, { prompt: 'Hi', ...members })) as Completion;
}

function frames(events: readonly TextEvent[], members: object): (Completion | '[DONE]')[] {
  const facts = answerFacts(codec, { prompt: 'Hi', stream: true, ...members });
  return framesOf(codec, events, facts) as (Completion | '[DONE]')[];
}

const SIMPLE = [
  promptEvent(0, 'Hi'),
  textEvent([0, 0], ' the'),
  textEvent([0, 0], ''),
  textEvent([0, 0], 're'),
  finishEvent([0, 0], { matchedStop: 'x', cachedTokens: 4 }),
  END,
];

test('a whole answer has the form of OpenAI, and what stopped it', () => {
  assert.deepEqual(whole(SIMPLE, {}), {
    id: 'id-1',
    object: 'text_completion',
    created: 9,
    model: 'asked',
    choices: [{ index: 0, text: ' there', logprobs: null, finish_reason: 'stop', matched_stop: 'x' }],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 2,
      total_tokens: 7,
      prompt_tokens_details: { cached_tokens: 4 },
    },
  });
});

test('a stream has a chunk for each text, one for the reason, and usage only where it was asked for', () => {
  const base = { id: 'id-1', object: 'text_completion', created: 9, model: 'asked' };
  const choice = { index: 0, logprobs: null, finish_reason: null };
  const finish = { index: 0, text: '', logprobs: null, finish_reason: 'stop', matched_stop: 'x' };
  assert.deepEqual(frames(SIMPLE, {}), [
    { ...base, choices: [{ ...choice, text: ' the' }] },
    { ...base, choices: [{ ...choice, text: 're' }] },
    { ...base, choices: [finish] },
    '[DONE]',
  ]);
  const asked = frames(SIMPLE, { stream_options: { include_usage: true } });
  assert.deepEqual(
    asked.map((chunk) => (chunk === '[DONE]' ? chunk : chunk.usage)),
    [null, null, null, whole(SIMPLE, {}).usage, '[DONE]'],
  );
  assert.deepEqual(asked.at(-2) !== '[DONE]' && (asked.at(-2) as Completion).choices, []);
});

test('choices of several prompts have indexes of their own and finish one by one; a prompt counts once', () => {
  const events = [
    promptEvent(0, 'a'),
    promptEvent(1, 'b'),
    textEvent([1, 1], 'b1'),
    finishEvent([1, 1], { promptTokens: 7, cachedTokens: 6, reason: 'length', reasoningTokens: 1 }),
    textEvent([0, 0], 'a0'),
    finishEvent([0, 0], { cachedTokens: 1 }),
    textEvent([0, 1], 'a1'),
    finishEvent([0, 1], { cachedTokens: 4 }),
    finishEvent([1, 0], { promptTokens: 7, cachedTokens: 2 }),
    END,
  ];
  const members = { prompt: ['a', 'b'], n: 2, stream_options: { include_usage: true } };
  const { choices, usage } = whole(events, members);
  assert.deepEqual(
    choices.map(({ index, text, finish_reason }) => [index, text, finish_reason]),
    [
      [0, 'a0', 'stop'],
      [1, 'a1', 'stop'],
      [2, '', 'stop'],
      [3, 'b1', 'length'],
    ],
  );
  assert.deepEqual(usage, {
    prompt_tokens: 12,
    completion_tokens: 8,
    total_tokens: 20,
    prompt_tokens_details: { cached_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 1 },
  });
  const order = frames(events, members).flatMap((chunk) =>
    chunk === '[DONE]' ? [] : chunk.choices.map(({ index, finish_reason }) => `${index} ${finish_reason}`),
  );
  assert.deepEqual(order, ['3 null', '3 length', '0 null', '0 stop', '1 null', '1 stop', '2 stop']);
});

test('echo puts the prompt before each answer, also where no token was to be made; a suffix comes last', () => {
  const events = [promptEvent(0, 'Hi'), finishEvent([0, 0], { completionTokens: 0, reason: 'length' }), END];
  assert.equal(whole(events, { echo: true, max_tokens: 0 }).choices[0]?.text, 'Hi');
  const more = [...SIMPLE.slice(0, -1), textEvent([0, 1], '!'), finishEvent([0, 1]), END];
  const members = { echo: true, suffix: '.', n: 2 };
  assert.deepEqual(
    whole(more, members).choices.map(({ text }) => text),
    ['Hi there.', 'Hi!.'],
  );
  const texts = ['', ''];
  for (const chunk of frames(more, members))
    if (chunk !== '[DONE]') for (const { index, text } of chunk.choices) texts[index] += text;
  assert.deepEqual(texts, ['Hi there.', 'Hi!.']);
});

const PROMPT_TOKENS = [shown(1, 'H'), shown(2, 'i', -0.5, [{ id: 2, text: 'i', logprob: -0.5 }])];
const OUTPUT_TOKENS = [
  shown(3, ' 1', -0.25, [
    { id: 4, text: '2', logprob: -0.1 },
    { id: 3, text: ' 1', logprob: -0.25 },
  ]),
  shown(5, '1', Number.NEGATIVE_INFINITY, [{ id: 6, text: '0', logprob: -1 }]),
];

test('log probabilities have the four lists, the prompt first with null where echo is on', () => {
  const events = [
    promptEvent(0, 'Hi', { tokens: PROMPT_TOKENS }),
    textEvent([0, 0], ' 11', { tokens: OUTPUT_TOKENS }),
    finishEvent([0, 0]),
    END,
  ];
  const members = { logprobs: 2, echo: true };
  const expected: Logprobs = {
    text_offset: [0, 1, 2, 4],
    token_logprobs: [null, -0.5, -0.25, -9999],
    tokens: ['H', 'i', ' 1', '1'],
    top_logprobs: [null, { i: -0.5 }, { 2: -0.1, ' 1': -0.25 }, { 0: -1, 1: -9999 }],
  };
  assert.deepEqual(whole(events, members).choices[0]?.logprobs, expected);
  const blocks = frames(events, members).flatMap((chunk) =>
    chunk === '[DONE]' ? [] : [chunk.choices[0]?.logprobs ?? null],
  );
  assert.deepEqual(
    blocks.map((block) => block?.text_offset),
    [[0, 1], [2, 4], undefined],
  );
});

test('the likeliest tokens stand in the order of their likelihood, though their texts are numbers', () => {
  const events = [promptEvent(0, 'Hi'), textEvent([0, 0], ' 11', { tokens: OUTPUT_TOKENS }), finishEvent([0, 0]), END];
  const facts = answerFacts(codec, { prompt: 'Hi', logprobs: 2 });
  assert.match(encodeAnswer(events, facts).body.toString(), /\{"2":-0.1," 1":-0.25\},\{"0":-1,"1":-9999\}/);
});

test('without echo offsets begin behind the prompt, and parts of characters take no place', () => {
  const tokens = [shown(1, '\ufffd', -1), shown(2, '\ufffd', -1), shown(3, 'é', -1)];
  const events = [
    promptEvent(0, 'Ü😀'),
    textEvent([0, 0], '', { tokens: tokens.slice(0, 1) }),
    textEvent([0, 0], '😀é', { tokens: tokens.slice(1) }),
    textEvent([0, 0], 'x', { tokens: [shown(4, 'x', -1)] }),
    finishEvent([0, 0]),
    END,
  ];
  assert.deepEqual(whole(events, { logprobs: 0 }).choices[0]?.logprobs?.text_offset, [2, 2, 2, 4]);
});

test('streamed and whole answers are the same, however the texts are cut and mixed', () => {
  const cut = fc.array(fc.tuple(fc.nat(1), fc.nat(1), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(cut, (pieces) => {
      const events: TextEvent[] = [
        promptEvent(0, 'p'),
        promptEvent(1, 'q'),
        ...pieces.map(([prompt, choice, text]) =>
          textEvent([prompt, choice], text, { tokens: [shown(1, text, -0.5)] }),
        ),
        ...[0, 1, 2, 3].map((index) => finishEvent([index >> 1, index & 1])),
        END,
      ];
      const members = { prompt: ['p', 'q'], n: 2, logprobs: 1, echo: true };
      const { choices } = whole(events, members);
      const texts = ['', '', '', ''];
      const offsets: number[][] = [[], [], [], []];
      for (const chunk of frames(events, members)) {
        if (chunk === '[DONE]') continue;
        for (const { index, text, logprobs } of chunk.choices) {
          texts[index] += text;
          offsets[index]?.push(...(logprobs?.text_offset ?? []));
        }
      }
      assert.deepEqual(
        choices.map(({ text }) => text),
        texts,
      );
      assert.deepEqual(
        choices.map(({ logprobs }) => logprobs?.text_offset ?? []),
        offsets,
      );
    }),
  );
});

test('an answer without an end is an error, whole and streamed, and nothing comes behind an error', () => {
  const events = [promptEvent(0, 'Hi'), textEvent([0, 0], 'a'), END];
  assert.throws(() => whole(events, {}), { code: 'upstream_broken' });
  const last = frames(events, {}).at(-1);
  assert.ok(last !== '[DONE]' && last !== undefined && 'error' in last);
  const encoder = createEncoder(answerFacts(codec, { prompt: 'Hi' }));
  const error = encoder.encodeError(new GatewayError('upstream_timeout', 'silent')).toString();
  assert.match(error, /^data: \{"error":\{"message":"silent".*\}\n\n$/);
  encoder.push(textEvent([0, 0], 'a'), () => assert.fail('a frame behind the error'));
});

test('the API carries its two ends, and its own tap takes the frames for a complete stream with usage', () => {
  assert.ok(openaiCompletions.text);
  const facts = answerFacts(codec, { prompt: 'Hi', stream_options: { include_usage: true } });
  const encoder = openaiCompletions.text.createEncoder(facts);
  const tap = openaiCompletions.createTap();
  const kinds: string[] = [];
  for (const event of SIMPLE) encoder.push(event, (frame) => kinds.push(tap.frame(frame)));
  assert.deepEqual(kinds, ['content', 'content', 'content', 'content', 'end']);
  assert.deepEqual([tap.isComplete, tap.usage], [true, { inputTokens: 5, outputTokens: 2, cachedInputTokens: 4 }]);
});

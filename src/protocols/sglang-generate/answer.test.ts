/** Answers of `/generate`, in the shapes of SGLang's own HTTP server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import type { TextEvent } from '../hub/text-codec.ts';
import { createEncoder, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';
import { sglangGenerate } from './index.ts';

const codec = { decodeRequest, createEncoder, encodeAnswer };

const SIMPLE = [
  promptEvent(0, 'Hi', { tokenCount: 5 }),
  textEvent([0, 0], ' the', { ids: [11] }),
  textEvent([0, 0], '', { ids: [12] }),
  textEvent([0, 0], '', { ids: [] }),
  textEvent([0, 0], 're', { ids: [13, 14] }),
  finishEvent([0, 0], { matchedStop: 14, cachedTokens: 4, completionTokens: 4 }),
  END,
];

function whole(events: readonly TextEvent[], members: object): unknown {
  return wholeOf(codec, events, answerFacts(codec, members));
}

function frames(events: readonly TextEvent[], members: object): unknown[] {
  return framesOf(codec, events, answerFacts(codec, { stream: true, ...members }));
}

const META = { id: 'id-1', prompt_tokens: 5, weight_version: 'default' };
const FINAL = {
  text: ' there',
  output_ids: [11, 12, 13, 14],
  meta_info: {
    ...META,
    finish_reason: { type: 'stop', matched: 14 },
    completion_tokens: 4,
    cached_tokens: 4,
    e2e_latency: 0.5,
  },
};

test('one prompt has one object for an answer', () => assert.deepEqual(whole(SIMPLE, { text: 'Hi' }), FINAL));

test('a batch, be it of one, and several answers have a list', () => {
  const named = { ...FINAL, meta_info: { ...FINAL.meta_info, id: 'id-1_0' } };
  assert.deepEqual(whole(SIMPLE, { text: ['Hi'] }), [named]);
  const two = [finishEvent([0, 1], { reason: 'length', completionTokens: 9 }), ...SIMPLE];
  const other = {
    text: '',
    output_ids: [],
    meta_info: {
      ...META,
      id: 'id-1_1',
      finish_reason: { type: 'length', length: 9 },
      completion_tokens: 9,
      cached_tokens: 0,
      e2e_latency: 0.5,
    },
  };
  assert.deepEqual(whole(two, { text: 'Hi', sampling_params: { n: 2 } }), [named, other]);
});

test('frames of a stream have everything so far, the last one of an answer why it ended', () => {
  const frame = (text: string, output_ids: number[]) => ({
    text,
    output_ids,
    meta_info: { ...META, finish_reason: null, completion_tokens: output_ids.length },
    index: 0,
  });
  assert.deepEqual(frames(SIMPLE, { text: 'Hi' }), [
    frame(' the', [11]),
    frame(' the', [11, 12]),
    frame(' there', [11, 12, 13, 14]),
    { ...FINAL, index: 0 },
    '[DONE]',
  ]);
});

test('the tokens of a prompt of ids are counted from the first frame on', () => {
  const events = [promptEvent(0, ''), textEvent([0, 0], 'a'), finishEvent([0, 0]), END];
  const [first] = frames(events, { input_ids: [4, 5, 6] }) as { meta_info: { prompt_tokens: number } }[];
  assert.equal(first?.meta_info.prompt_tokens, 3);
});

const TOP = [{ id: 3, text: 'c', logprob: -0.25 }];

test('log probabilities grow with the frames; those of the prompt begin where it was asked', () => {
  const events = [
    promptEvent(0, 'abc', { tokens: [shown(1, 'a'), shown(2, 'b', -1), shown(3, 'c', -0.25, TOP)] }),
    textEvent([0, 0], 'x', { ids: [7], tokens: [shown(7, 'x', -0.5, TOP)] }),
    textEvent([0, 0], 'y', { ids: [8], tokens: [shown(8, 'y', Number.NEGATIVE_INFINITY)] }),
    finishEvent([0, 0]),
    END,
  ];
  const members = { text: 'abc', return_logprob: true, logprob_start_len: 1, top_logprobs_num: 1 };
  const metas = frames(events, members).flatMap((frame) =>
    frame === '[DONE]' ? [] : [(frame as { meta_info: Record<string, unknown> }).meta_info],
  );
  assert.deepEqual(
    metas.map((meta) => meta['output_token_logprobs']),
    [
      [[-0.5, 7, null]],
      [
        [-0.5, 7, null],
        [-9999, 8, null],
      ],
      [
        [-0.5, 7, null],
        [-9999, 8, null],
      ],
    ],
  );
  assert.deepEqual(metas[0]?.['input_token_logprobs'], [
    [-1, 2, null],
    [-0.25, 3, null],
  ]);
  assert.deepEqual(metas[0]?.['input_top_logprobs'], [null, [[-0.25, 3, null]]]);
  assert.deepEqual(metas[2]?.['output_top_logprobs'], [[[-0.25, 3, null]], null]);
  const named = { ...members, logprob_start_len: 0, return_text_in_logprobs: true };
  const [first] = frames(events, named) as { meta_info: Record<string, unknown> }[];
  assert.deepEqual(first?.meta_info['input_token_logprobs'], [
    [null, 1, 'a'],
    [-1, 2, 'b'],
    [-0.25, 3, 'c'],
  ]);
  const none = frames(events, { text: 'abc', return_logprob: true })[0] as { meta_info: Record<string, unknown> };
  assert.deepEqual([none.meta_info['input_token_logprobs'], 'input_top_logprobs' in none.meta_info], [[], false]);
});

test('an answer that the engine dropped says so', () => {
  const events = [promptEvent(0, ''), finishEvent([0, 0], { reason: 'abort', reasoningTokens: 2 }), END];
  const { meta_info } = whole(events, { text: 'Hi' }) as { meta_info: Record<string, unknown> };
  assert.deepEqual(meta_info['finish_reason'], {
    type: 'abort',
    message: 'Aborted',
    status_code: null,
    err_type: null,
  });
  assert.equal(meta_info['reasoning_tokens'], 2);
});

test('an answer without an end is an error, whole and streamed, and nothing comes behind an error', () => {
  const events = [promptEvent(0, 'Hi'), textEvent([0, 0], 'a'), END];
  assert.throws(() => whole(events, { text: 'Hi' }), { code: 'upstream_broken' });
  assert.ok('error' in (frames(events, { text: 'Hi' }).at(-1) as object));
  const encoder = createEncoder(answerFacts(codec, { text: 'Hi' }));
  assert.match(encoder.encodeError(new GatewayError('upstream_timeout', 'silent')).toString(), /"message":"silent"/);
  encoder.push(textEvent([0, 0], 'a'), () => assert.fail('a frame behind the error'));
});

test('the API carries its two ends, and its own tap takes the frames for a complete stream with usage', () => {
  assert.ok(sglangGenerate.text);
  const encoder = sglangGenerate.text.createEncoder(answerFacts(codec, { text: 'Hi' }));
  const tap = sglangGenerate.createTap();
  const kinds: string[] = [];
  for (const event of SIMPLE) encoder.push(event, (frame) => kinds.push(tap.frame(frame)));
  assert.deepEqual(kinds, ['content', 'content', 'content', 'content', 'end']);
  assert.deepEqual([tap.isComplete, tap.usage], [true, { inputTokens: 5, outputTokens: 4, cachedInputTokens: 4 }]);
});

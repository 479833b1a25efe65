/** What each engine's messages mean, chunks and Completes with everything in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { GenerateResponseSchema as MlxResponse } from '../gen/mlx_engine_pb.ts';
import { GenerateResponseSchema as SglangResponse } from '../gen/sglang_scheduler_pb.ts';
import { GenerateResponseSchema as TokenSpeedResponse } from '../gen/tokenspeed_scheduler_pb.ts';
import { GenerateResponseSchema as TrtResponse } from '../gen/trtllm_service_pb.ts';
import { GenerateResponseSchema as VllmResponse } from '../gen/vllm_engine_pb.ts';
import { tokenEngines } from './index.ts';
import { mlx } from './mlx.ts';
import { sglang } from './sglang.ts';
import type { TokenEngine } from './token-engine.ts';
import { tokenspeed } from './tokenspeed.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

const COUNTS = { promptTokens: 5, completionTokens: 2, cachedTokens: 1 };
const TOPS = [
  { values: [-0.5, -2], tokenIds: [7, 8] },
  { values: [-1], tokenIds: [9] },
];
const OUTPUT = { tokenLogprobs: [-0.5, -1], tokenIds: [7, 9], topLogprobs: TOPS };
const INPUT = {
  tokenLogprobs: [{}, { value: -0.25 }],
  tokenIds: [1, 2],
  topLogprobs: [{}, { values: [-0.25], tokenIds: [2] }],
};

const READ_OUTPUT = { logprobs: [-0.5, -1], topIds: [[7, 8], [9]], topLogprobs: [[-0.5, -2], [-1]] };
const READ_INPUT = { ids: [1, 2], logprobs: [undefined, -0.25], topIds: [[], [2]], topLogprobs: [[], [-0.25]] };

const TRT_OUTPUT = [
  {
    tokenId: 7,
    logprob: -0.5,
    topLogprobs: [
      { tokenId: 7, logprob: -0.5 },
      { tokenId: 8, logprob: -2 },
    ],
  },
  { tokenId: 9, logprob: -1, topLogprobs: [{ tokenId: 9, logprob: -1 }] },
];
const TRT_INPUT = [{ tokenId: 1 }, { tokenId: 2, logprob: -0.25, topLogprobs: [{ tokenId: 2, logprob: -0.25 }] }];

interface Case {
  readonly engine: TokenEngine;
  readonly chunk: Uint8Array;
  readonly complete: Uint8Array;
  readonly empty: Uint8Array;
  /** A stop by a string, where the engine tells those. */
  readonly byString: Uint8Array | undefined;
  readonly reasoningTokens: number | undefined;
  readonly chunkHasPrompt: boolean;
  readonly completeHasPrompt: boolean;
}

const chunkParts = { tokenIds: [7, 9], ...COUNTS, index: 1, outputLogprobs: OUTPUT };
const completeParts = { outputIds: [7, 9], finishReason: 'stop', ...COUNTS, index: 1, outputLogprobs: OUTPUT };
const byId = { case: 'matchedTokenId', value: 9 } as const;
const byText = { case: 'matchedStopStr', value: 'END' } as const;

const cases: readonly Case[] = [
  {
    engine: sglang,
    chunk: toBinary(
      SglangResponse,
      create(SglangResponse, {
        requestId: 'r',
        response: { case: 'chunk', value: { ...chunkParts, reasoningTokens: 3, inputLogprobs: INPUT } },
      }),
    ),
    complete: toBinary(
      SglangResponse,
      create(SglangResponse, {
        response: {
          case: 'complete',
          value: { ...completeParts, reasoningTokens: 3, inputLogprobs: INPUT, matchedStop: byId },
        },
      }),
    ),
    byString: toBinary(
      SglangResponse,
      create(SglangResponse, { response: { case: 'complete', value: { matchedStop: byText } } }),
    ),
    empty: toBinary(SglangResponse, create(SglangResponse, { requestId: 'r' })),
    reasoningTokens: 3,
    chunkHasPrompt: true,
    completeHasPrompt: true,
  },
  {
    engine: vllm,
    chunk: toBinary(
      VllmResponse,
      create(VllmResponse, { response: { case: 'chunk', value: { ...chunkParts, inputLogprobs: INPUT } } }),
    ),
    complete: toBinary(
      VllmResponse,
      create(VllmResponse, {
        response: { case: 'complete', value: { ...completeParts, inputLogprobs: INPUT, matchedStop: byId } },
      }),
    ),
    byString: toBinary(
      VllmResponse,
      create(VllmResponse, { response: { case: 'complete', value: { matchedStop: byText } } }),
    ),
    empty: new Uint8Array(0),
    reasoningTokens: undefined,
    chunkHasPrompt: true,
    completeHasPrompt: true,
  },
  {
    engine: trtllm,
    chunk: toBinary(
      TrtResponse,
      create(TrtResponse, {
        requestId: 'r',
        response: { case: 'chunk', value: { tokenIds: [7, 9], ...COUNTS, sequenceIndex: 1, logprobs: TRT_OUTPUT } },
      }),
    ),
    complete: toBinary(
      TrtResponse,
      create(TrtResponse, {
        response: {
          case: 'complete',
          value: {
            outputTokenIds: [7, 9],
            sequenceIndex: 1,
            finishReason: 'stop',
            ...COUNTS,
            logprobs: TRT_OUTPUT,
            promptLogprobs: TRT_INPUT,
            matchedStop: byId,
          },
        },
      }),
    ),
    byString: toBinary(
      TrtResponse,
      create(TrtResponse, { response: { case: 'complete', value: { matchedStop: byText } } }),
    ),
    empty: toBinary(TrtResponse, create(TrtResponse, { requestId: 'r' })),
    reasoningTokens: undefined,
    chunkHasPrompt: false,
    completeHasPrompt: true,
  },
  {
    engine: tokenspeed,
    chunk: toBinary(
      TokenSpeedResponse,
      create(TokenSpeedResponse, { requestId: 'r', response: { case: 'chunk', value: chunkParts } }),
    ),
    complete: toBinary(
      TokenSpeedResponse,
      create(TokenSpeedResponse, { response: { case: 'complete', value: { ...completeParts, matchedStop: byId } } }),
    ),
    byString: toBinary(
      TokenSpeedResponse,
      create(TokenSpeedResponse, { response: { case: 'complete', value: { matchedStop: byText } } }),
    ),
    empty: toBinary(TokenSpeedResponse, create(TokenSpeedResponse, { requestId: 'r' })),
    reasoningTokens: undefined,
    chunkHasPrompt: false,
    completeHasPrompt: false,
  },
  {
    engine: mlx,
    chunk: toBinary(MlxResponse, create(MlxResponse, { response: { case: 'chunk', value: chunkParts } })),
    complete: toBinary(
      MlxResponse,
      create(MlxResponse, { response: { case: 'complete', value: { ...completeParts, matchedStopTokenId: 9 } } }),
    ),
    byString: undefined,
    empty: new Uint8Array(0),
    reasoningTokens: undefined,
    chunkHasPrompt: false,
    completeHasPrompt: false,
  },
];

test('every engine has a case here', () => {
  assert.deepEqual(
    cases.map(({ engine }) => engine.name),
    tokenEngines.map(({ name }) => name),
  );
});

for (const { engine, chunk, complete, empty, byString, ...each } of cases) {
  const facts = { ids: [7, 9], index: 1, ...COUNTS, reasoningTokens: each.reasoningTokens, logprobs: READ_OUTPUT };

  test(`${engine.name}: a chunk with log probabilities`, () => {
    assert.deepEqual(engine.generate.decode(chunk), {
      kind: 'chunk',
      ...facts,
      promptLogprobs: each.chunkHasPrompt ? READ_INPUT : undefined,
    });
  });

  test(`${engine.name}: a Complete, stopped by a token or by a string`, () => {
    assert.deepEqual(engine.generate.decode(complete), {
      kind: 'complete',
      ...facts,
      reason: 'stop',
      matchedStop: 9,
      promptLogprobs: each.completeHasPrompt ? READ_INPUT : undefined,
    });
    const message = byString && engine.generate.decode(byString);
    assert.equal(message?.kind === 'complete' ? message.matchedStop : undefined, byString && 'END');
  });

  test(`${engine.name}: a message with nothing in it says nothing, and bytes that are none are an error`, () => {
    assert.equal(engine.generate.decode(empty), undefined);
    assert.throws(() => engine.generate.decode(Buffer.from([0x12, 0x7f, 1])));
  });
}

/** The hand-written codec against the generated one, for generated messages and for damaged ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { GenerateResponseSchema as MlxResponse } from '../gen/mlx_engine_pb.ts';
import { GenerateRequestSchema, GenerateResponseSchema as SglangResponse } from '../gen/sglang_scheduler_pb.ts';
import { GenerateResponseSchema as TokenSpeedResponse } from '../gen/tokenspeed_scheduler_pb.ts';
import { GenerateResponseSchema as TrtResponse } from '../gen/trtllm_service_pb.ts';
import { GenerateResponseSchema as VllmResponse } from '../gen/vllm_engine_pb.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { tokenEngines } from './index.ts';
import type { EngineMessage } from './token-engine.ts';

const uint32 = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 0xffff_ffff }));

const chunk = fc.record({
  tokenIds: fc.array(uint32, { maxLength: 20 }),
  index: fc.integer({ min: 0, max: 300 }),
  promptTokens: uint32,
  completionTokens: uint32,
  cachedTokens: uint32,
  reasoningTokens: uint32,
});

type Chunk = typeof chunk extends fc.Arbitrary<infer Value> ? Value : never;

/** The bytes that each engine sends for a chunk. */
const bytesOf: Readonly<Record<string, (value: Chunk, requestId: string) => Uint8Array>> = {
  sglang: (value, requestId) =>
    toBinary(SglangResponse, create(SglangResponse, { requestId, response: { case: 'chunk', value } })),
  vllm: (value) => toBinary(VllmResponse, create(VllmResponse, { response: { case: 'chunk', value } })),
  mlx: (value) => toBinary(MlxResponse, create(MlxResponse, { response: { case: 'chunk', value } })),
  tokenspeed: (value, requestId) =>
    toBinary(TokenSpeedResponse, create(TokenSpeedResponse, { requestId, response: { case: 'chunk', value } })),
  trtllm: ({ index, ...value }, requestId) =>
    toBinary(
      TrtResponse,
      create(TrtResponse, { requestId, response: { case: 'chunk', value: { ...value, sequenceIndex: index } } }),
    ),
};

for (const engine of tokenEngines) {
  test(`${engine.name}: a chunk is read as the generated codec reads it`, () => {
    const encode = bytesOf[engine.name];
    assert.ok(encode);
    fc.assert(
      fc.property(chunk, fc.string({ maxLength: 40 }), (value, requestId) => {
        const expected: EngineMessage = {
          kind: 'chunk',
          index: value.index,
          ids: value.tokenIds,
          promptTokens: value.promptTokens,
          completionTokens: value.completionTokens,
          cachedTokens: value.cachedTokens,
          reasoningTokens: engine.name === 'sglang' ? value.reasoningTokens : undefined,
          logprobs: undefined,
          promptLogprobs: undefined,
        };
        assert.deepEqual(engine.generate.decode(encode(value, requestId)), expected);
      }),
      { numRuns: 2_000 },
    );
  });
}

const SGLANG = {
  requestId: 1,
  chunk: 2,
  ids: 1,
  promptTokens: 2,
  completionTokens: 3,
  cachedTokens: 4,
  index: 8,
  reasoningTokens: 9,
};

/** Undefined: the id of the request is no text. */
function generated(bytes: Uint8Array) {
  try {
    return fromBinary(SglangResponse, bytes).response;
  } catch (thrown) {
    const { code } = thrown as { readonly code?: string };
    assert.equal(code, 'ERR_ENCODING_INVALID_ENCODED_DATA', String(thrown));
    return undefined;
  }
}

test('of damaged bytes nothing is made that the generated codec does not make too', () => {
  const damaged = fc
    .tuple(chunk, fc.string({ maxLength: 10 }), fc.nat(200), fc.integer({ min: 0, max: 255 }), fc.boolean())
    .map(([value, requestId, at, byte, isCut]) => {
      const bytes = Buffer.from(bytesOf['sglang']?.(value, requestId) ?? []);
      if (bytes.length === 0) return bytes;
      const place = at % bytes.length;
      if (isCut) return bytes.subarray(0, place);
      bytes[place] = byte;
      return bytes;
    });
  let read = 0;
  let left = 0;
  fc.assert(
    fc.property(damaged, (bytes) => {
      const fast = readPlainChunk(bytes, SGLANG);
      if (!fast) return void (left += 1);
      read += 1;
      const response = generated(bytes);
      // The id of the request is skipped unread.
      if (!response) return;
      assert.equal(response.case, 'chunk');
      const value = response.value;
      assert.deepEqual(
        [fast.ids, fast.index, fast.promptTokens, fast.completionTokens, fast.cachedTokens, fast.reasoningTokens],
        [
          value.tokenIds,
          value.index,
          value.promptTokens,
          value.completionTokens,
          value.cachedTokens,
          value.reasoningTokens,
        ],
      );
    }),
    { numRuns: 20_000 },
  );
  assert.ok(read > 1_000 && left > 1_000, `${read} read, ${left} left to the generated codec`);
});

test('a prompt is written as the generated codec writes it', () => {
  const ids = fc.array(uint32, { maxLength: 300 }).map((list) => Uint32Array.from(list));
  fc.assert(
    fc.property(ids, fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string(), (inputIds, text, requestId) => {
      const head = toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { requestId, stream: true }));
      const bytes = withTokenized(head, { tokenized: 2, text: 1, ids: 2 }, text, inputIds);
      const { tokenized, ...rest } = fromBinary(GenerateRequestSchema, bytes);
      assert.deepEqual([rest.requestId, rest.stream], [requestId, true]);
      const expected = create(GenerateRequestSchema, {
        tokenized: { originalText: text, inputIds: Array.from(inputIds) },
      });
      assert.deepEqual(
        tokenized,
        fromBinary(GenerateRequestSchema, toBinary(GenerateRequestSchema, expected)).tokenized,
      );
    }),
    { numRuns: 1_000 },
  );
});

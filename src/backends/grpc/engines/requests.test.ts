/** What each engine is told for an order that says nothing, and for one that says everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { orderOf } from '../../../../test/support/token-order.ts';
import type { OutputConstraint, Sampling, TokenOrder } from '../../../domain/token-generation.ts';
import { GenerateRequestSchema as MlxRequest } from '../gen/mlx_engine_pb.ts';
import { GenerateRequestSchema as SglangRequest } from '../gen/sglang_scheduler_pb.ts';
import { GenerateRequestSchema as TokenSpeedRequest } from '../gen/tokenspeed_scheduler_pb.ts';
import { GenerateRequestSchema as TrtRequest } from '../gen/trtllm_service_pb.ts';
import { GenerateRequestSchema as VllmRequest } from '../gen/vllm_engine_pb.ts';
import { mlx } from './mlx.ts';
import { sglang } from './sglang.ts';
import type { TokenEngine } from './token-engine.ts';
import { tokenspeed } from './tokenspeed.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

const FULL: Partial<Sampling> = {
  maxTokens: 64,
  minTokens: 2,
  temperature: 0,
  topP: 0.5,
  topK: 40,
  minP: 0.25,
  frequencyPenalty: 0.5,
  presencePenalty: -0.5,
  repetitionPenalty: 1.5,
  seed: 7,
  stop: ['END'],
  stopTokenIds: [9, 10],
  ignoreEos: true,
  keepsStop: true,
  logitBias: new Map([[5, -100]]),
  choices: 3,
  logprobs: 2,
  promptLogprobs: 1,
  constraint: { kind: 'json_schema', text: '{}' },
  beginsInThought: true,
};

const PENALTIES = { frequencyPenalty: 0.5, presencePenalty: -0.5, repetitionPenalty: 1.5 };
const CUTS = { topP: 0.5, topK: 40, minP: 0.25 };

/** What fields of a message were written, as protobuf's JSON has them. */
function told(engine: TokenEngine, schema: DescMessage, order: TokenOrder): JsonValue {
  const [prompt] = order.prompts;
  assert.ok(prompt);
  const bytes = engine.generate.encode({ requestId: 'r', prompt, order, choices: order.sampling.choices });
  return toJson(schema, fromBinary(schema, bytes));
}

const TOKENIZED = { tokenized: { originalText: 'hello', inputIds: [1, 2, 300] } };

interface Case {
  readonly engine: TokenEngine;
  readonly schema: DescMessage;
  readonly plain: JsonValue;
  readonly full: JsonValue;
}

const cases: readonly Case[] = [
  {
    engine: sglang,
    schema: SglangRequest,
    plain: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        temperature: 1,
        topP: 1,
        topK: -1,
        repetitionPenalty: 1,
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        n: 1,
      },
      logprobStartLen: -1,
      logMetrics: true,
      stream: true,
    },
    full: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        ...CUTS,
        ...PENALTIES,
        maxNewTokens: 64,
        stopTokenIds: [9, 10],
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        jsonSchema: '{}',
        n: 3,
        minNewTokens: 2,
        ignoreEos: true,
        noStopTrim: true,
        logitBias: { 5: -100 },
      },
      returnLogprob: true,
      topLogprobsNum: 2,
      logMetrics: true,
      loraId: 'sql',
      dataParallelRank: 2,
      requireReasoning: true,
    },
  },
  {
    engine: vllm,
    schema: VllmRequest,
    plain: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        topP: 1,
        repetitionPenalty: 1,
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        n: 1,
      },
      stream: true,
    },
    full: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        temperature: 0,
        ...CUTS,
        ...PENALTIES,
        maxTokens: 64,
        minTokens: 2,
        stop: ['END'],
        stopTokenIds: [9, 10],
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        ignoreEos: true,
        n: 3,
        logprobs: 2,
        promptLogprobs: 1,
        seed: 7,
        includeStopStrInOutput: true,
        logitBias: { 5: -100 },
        jsonSchema: '{}',
      },
      dataParallelRank: 2,
    },
  },
  {
    engine: trtllm,
    schema: TrtRequest,
    plain: {
      requestId: 'r',
      tokenized: { originalText: 'hello', inputTokenIds: [1, 2, 300] },
      samplingConfig: { beamWidth: 1, numReturnSequences: 1, topP: 1, temperature: 1, repetitionPenalty: 1 },
      outputConfig: { excludeInputFromOutput: true },
      maxTokens: 2_048,
      streaming: true,
    },
    full: {
      requestId: 'r',
      tokenized: { originalText: 'hello', inputTokenIds: [1, 2, 300] },
      samplingConfig: {
        beamWidth: 1,
        numReturnSequences: 3,
        ...CUTS,
        seed: '7',
        temperature: 0,
        minTokens: 2,
        ...PENALTIES,
      },
      outputConfig: { logprobs: 2, promptLogprobs: 1, excludeInputFromOutput: true },
      maxTokens: 64,
      guidedDecoding: { guideType: 'GUIDE_TYPE_JSON_SCHEMA', guide: '{}' },
      stop: ['END'],
      stopTokenIds: [9, 10],
      ignoreEos: true,
      includeStopTokenInOutput: true,
    },
  },
  {
    engine: tokenspeed,
    schema: TokenSpeedRequest,
    plain: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        temperature: 1,
        topP: 1,
        topK: -1,
        minP: 0,
        frequencyPenalty: 0,
        presencePenalty: 0,
        repetitionPenalty: 1,
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        n: 1,
      },
      logprobStartLen: -1,
      stream: true,
    },
    full: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        temperature: 0,
        ...CUTS,
        ...PENALTIES,
        maxNewTokens: 64,
        minNewTokens: 2,
        stop: ['END'],
        stopTokenIds: [9, 10],
        ignoreEos: true,
        skipSpecialTokens: true,
        spacesBetweenSpecialTokens: true,
        n: 3,
        logitBias: { 5: -100 },
        jsonSchema: '{}',
        noStopTrim: true,
      },
      returnLogprob: true,
      logprobStartLen: -1,
      topLogprobsNum: 2,
    },
  },
  {
    engine: mlx,
    schema: MlxRequest,
    plain: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: { topP: 1, repetitionPenalty: 1 },
      stream: true,
    },
    full: {
      requestId: 'r',
      ...TOKENIZED,
      samplingParams: {
        temperature: 0,
        ...CUTS,
        ...PENALTIES,
        logitBias: { 5: -100 },
        maxTokens: 64,
        stopTokenIds: [9, 10],
        ignoreEos: true,
        logprobs: 2,
        seed: 7,
      },
    },
  },
];

for (const { engine, schema, plain, full } of cases) {
  test(`${engine.name} is told what its own defaults are where nobody says anything`, () => {
    assert.deepEqual(told(engine, schema, orderOf()), plain);
  });

  test(`${engine.name} is told everything that it has a field for`, () => {
    const order = orderOf({ isStream: false, rank: 2, adapter: 'sql' }, FULL);
    assert.deepEqual(told(engine, schema, order), full);
  });

  test(`${engine.name} goes without what it says that it lacks, and nothing else changes`, () => {
    for (const name of engine.lacks) {
      const without = orderOf({}, { ...FULL, [name]: orderOf().sampling[name] });
      assert.deepEqual(told(engine, schema, without), told(engine, schema, orderOf({}, FULL)), name);
    }
  });

  test(`${engine.name} is told by every field that it does not lack`, () => {
    // Stop strings are found by the gateway wherever the engine does not look for them.
    const elsewhere = new Set<string>(['skipSpecialTokens', ...engine.lacks, ...SILENT[engine.name]]);
    for (const name of Object.keys(FULL).filter((each) => !elsewhere.has(each))) {
      const key = name as keyof Sampling;
      const without = orderOf({}, { ...FULL, [key]: orderOf().sampling[key] });
      assert.notDeepEqual(told(engine, schema, without), told(engine, schema, orderOf({}, FULL)), name);
    }
  });
}

/** Not lost, though no field is for it: done by the gateway, refused, told by another field, or by orders of their own. */
const SILENT: Readonly<Record<TokenEngine['name'], readonly string[]>> = {
  sglang: ['stop'],
  vllm: [],
  trtllm: [],
  tokenspeed: [],
  mlx: ['stop', 'keepsStop', 'constraint', 'choices'],
};

const kinds: readonly OutputConstraint['kind'][] = ['json_schema', 'regex', 'ebnf', 'structural_tag'];

const members: readonly (readonly [TokenEngine, DescMessage, readonly JsonValue[]])[] = [
  [sglang, SglangRequest, [{ jsonSchema: 'x' }, { regex: 'x' }, { ebnfGrammar: 'x' }, { structuralTag: 'x' }]],
  [tokenspeed, TokenSpeedRequest, [{ jsonSchema: 'x' }, { regex: 'x' }, { ebnfGrammar: 'x' }, { structuralTag: 'x' }]],
  [vllm, VllmRequest, [{ jsonSchema: 'x' }, { regex: 'x' }, { grammar: 'x' }, { structuralTag: 'x' }]],
];

const CONSTRAINT_FIELDS = ['jsonSchema', 'regex', 'ebnfGrammar', 'grammar', 'structuralTag'];

for (const [engine, schema, expected] of members) {
  test(`each kind of constraint has its own member in ${engine.name}`, () => {
    const sent = kinds.map((kind) => {
      const request = told(engine, schema, orderOf({}, { constraint: { kind, text: 'x' } }));
      const { samplingParams } = request as { readonly samplingParams: Readonly<Record<string, JsonValue>> };
      return Object.fromEntries(Object.entries(samplingParams).filter(([name]) => CONSTRAINT_FIELDS.includes(name)));
    });
    assert.deepEqual(sent, expected);
  });
}

test('TensorRT-LLM has a type of guide for each kind of constraint', () => {
  const sent = kinds.map((kind) => {
    const request = told(trtllm, TrtRequest, orderOf({}, { constraint: { kind, text: 'x' } }));
    return (request as { readonly guidedDecoding: { readonly guideType: string } }).guidedDecoding.guideType;
  });
  assert.deepEqual(sent, [
    'GUIDE_TYPE_JSON_SCHEMA',
    'GUIDE_TYPE_REGEX',
    'GUIDE_TYPE_EBNF_GRAMMAR',
    'GUIDE_TYPE_STRUCTURAL_TAG',
  ]);
});

test('a top-k that is off is off in each engine’s own way', () => {
  const of = (engine: TokenEngine, schema: DescMessage, topK: number): unknown => {
    const request = told(engine, schema, orderOf({}, { topK })) as Readonly<Record<string, Record<string, JsonValue>>>;
    return (request['samplingParams'] ?? request['samplingConfig'])?.['topK'];
  };
  for (const off of [-1, 0]) {
    assert.equal(of(sglang, SglangRequest, off), -1);
    assert.equal(of(tokenspeed, TokenSpeedRequest, off), -1);
    assert.equal(of(vllm, VllmRequest, off), undefined, '0, which is not written');
    assert.equal(of(mlx, MlxRequest, off), undefined);
    assert.equal(of(trtllm, TrtRequest, off), 0);
  }
});

test('seeds that do not fit are brought to fit', () => {
  const of = (engine: TokenEngine, schema: DescMessage, seed: number): unknown => {
    const request = told(engine, schema, orderOf({}, { seed })) as Readonly<Record<string, Record<string, JsonValue>>>;
    return (request['samplingParams'] ?? request['samplingConfig'])?.['seed'];
  };
  assert.equal(of(vllm, VllmRequest, 2 ** 40), 2_147_483_647);
  assert.equal(of(mlx, MlxRequest, -(2 ** 40)), -2_147_483_648);
  assert.equal(of(trtllm, TrtRequest, 2 ** 40), String(2 ** 40));
  assert.equal(of(trtllm, TrtRequest, -1), '18446744073709551615');
});

test('orders that an engine cannot be asked for are refused', () => {
  const bound = orderOf({}, { constraint: { kind: 'regex', text: 'a+' } });
  const adapted = orderOf({ adapter: 'sql' });
  assert.match(mlx.refusalOf(bound) ?? '', /form of its output/);
  for (const engine of [sglang, vllm, trtllm, tokenspeed]) assert.equal(engine.refusalOf(bound), undefined);
  for (const engine of [vllm, trtllm, tokenspeed, mlx]) assert.match(engine.refusalOf(adapted) ?? '', /adapter/);
  assert.equal(sglang.refusalOf(adapted), undefined);
});

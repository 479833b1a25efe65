/**
 * vLLM over gRPC.
 * Asked   what nobody says is left out where the message allows it; a top-k of 0 is off
 * Told    `completion_tokens` of a stream are those of the message alone, so that the gateway counts ids; a Complete
 *         repeats the last chunk; log probabilities of the prompt come with each answer's first chunk
 * Lacks   adapters, constraints that wait for the end of a thought
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Sampling } from '../../../domain/token-generation.ts';
import {
  GenerateRequestSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  TokenizedInputSchema,
  VllmEngine,
} from '../gen/vllm_engine_pb.ts';
import type { GenerateComplete, GenerateResponse, GenerateStreamChunk } from '../gen/vllm_engine_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import { between, rpcMethod } from '../rpc-methods.ts';
import { bothOf, descriptionOf, labelsOfMessage } from './description.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { LOAD_PARTS, loadOf } from './loads.ts';
import {
  adapterRefusal,
  biasById,
  clampedSeed,
  matchedStopOf,
  outputLogprobs,
  promptLogprobs,
  tokenizerMethod,
  topKOrZero,
} from './message-parts.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './token-engine.ts';

type Request = MessageInitShape<typeof GenerateRequestSchema>;

const wire = VllmEngine.method;
const generateWire = rpcMethod(wire.generate);

const TOKENIZED = {
  tokenized: GenerateRequestSchema.field.tokenized.number,
  text: TokenizedInputSchema.field.originalText.number,
  ids: TokenizedInputSchema.field.inputIds.number,
};

const CHUNK = {
  requestId: 0,
  chunk: 1,
  ids: 1,
  promptTokens: 2,
  completionTokens: 3,
  cachedTokens: 4,
  index: 7,
  reasoningTokens: 0,
};

const generate: RpcMethod<GenerateCall, EngineMessage> = {
  path: generateWire.path,
  encode: (call) => {
    const head = toBinary(GenerateRequestSchema, create(GenerateRequestSchema, requestOf(call)));
    return withTokenized(head, TOKENIZED, call.prompt.text, call.prompt.ids);
  },
  decode: (bytes) => readPlainChunk(bytes, CHUNK) ?? messageOf(generateWire.decode(bytes)),
};

/** All but the tokens. */
function requestOf({ requestId, order, choices }: GenerateCall): Request {
  const { sampling, isStream, rank } = order;
  return {
    requestId,
    samplingParams: samplingOf(sampling, choices),
    stream: isStream,
    ...(rank !== undefined && { dataParallelRank: rank }),
  };
}

function samplingOf(sampling: Sampling, choices: number): NonNullable<Request['samplingParams']> {
  const { temperature, maxTokens, logprobs, promptLogprobs: ofPrompt, seed, constraint } = sampling;
  return {
    ...(temperature !== undefined && { temperature }),
    topP: sampling.topP ?? 1,
    topK: topKOrZero(sampling.topK),
    minP: sampling.minP ?? 0,
    frequencyPenalty: sampling.frequencyPenalty ?? 0,
    presencePenalty: sampling.presencePenalty ?? 0,
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    ...(maxTokens !== undefined && { maxTokens }),
    minTokens: sampling.minTokens ?? 0,
    stop: [...sampling.stop],
    stopTokenIds: [...sampling.stopTokenIds],
    skipSpecialTokens: true,
    spacesBetweenSpecialTokens: true,
    ignoreEos: sampling.ignoreEos,
    n: choices,
    ...(logprobs !== undefined && { logprobs }),
    ...(ofPrompt !== undefined && { promptLogprobs: ofPrompt }),
    ...(seed !== undefined && { seed: clampedSeed(seed) }),
    includeStopStrInOutput: sampling.keepsStop,
    logitBias: biasById(sampling),
    ...(constraint && { constraint: { case: CONSTRAINTS[constraint.kind], value: constraint.text } }),
  };
}

const CONSTRAINTS = {
  json_schema: 'jsonSchema',
  regex: 'regex',
  ebnf: 'grammar',
  structural_tag: 'structuralTag',
} as const;

function messageOf({ response }: GenerateResponse): EngineMessage {
  if (response.case === 'chunk') return { kind: 'chunk', ids: response.value.tokenIds, ...factsOf(response.value) };
  if (response.case !== 'complete') return undefined;
  const { outputIds, finishReason, matchedStop } = response.value;
  const ending = { reason: finishReason, matchedStop: matchedStopOf(matchedStop) };
  return { kind: 'complete', ids: outputIds, ...ending, ...factsOf(response.value) };
}

function factsOf(message: GenerateStreamChunk | GenerateComplete) {
  return {
    index: message.index,
    promptTokens: message.promptTokens,
    completionTokens: message.completionTokens,
    cachedTokens: message.cachedTokens,
    reasoningTokens: undefined,
    logprobs: outputLogprobs(message.outputLogprobs),
    promptLogprobs: promptLogprobs(message.inputLogprobs),
  };
}

const modelWire = rpcMethod(wire.getModelInfo);
const serverWire = rpcMethod(wire.getServerInfo);

export const vllm: TokenEngine = {
  name: 'vllm',
  lacks: ['beginsInThought'],
  maxChoices: Number.POSITIVE_INFINITY,
  habits: { completionTokens: 'delta', numbersByArrival: false },
  refusalOf: adapterRefusal,
  generate,
  embed: between(
    rpcMethod(wire.embed),
    ({ requestId, prompt }) => ({
      requestId,
      tokenized: { originalText: prompt.text, inputIds: Array.from(prompt.ids) },
    }),
    ({ embedding, promptTokens }) => ({ values: embedding, promptTokens }),
  ),
  abort: between(
    rpcMethod(wire.abort),
    ({ requestIds }) => ({ requestIds: [...requestIds] }),
    () => undefined,
  ),
  abortTakesMany: true,
  health: between(
    rpcMethod(wire.healthCheck),
    () => ({}),
    ({ healthy, message }) => ({ isHealthy: healthy, message }),
  ),
  describe: async (channel, options) => {
    const [model, server] = await bothOf(channel, options, [modelWire, serverWire]);
    const labels = {
      ...(model && labelsOfMessage(GetModelInfoResponseSchema, model)),
      ...(server && labelsOfMessage(GetServerInfoResponseSchema, server)),
    };
    return descriptionOf(labels, {
      version: undefined,
      samplingDefaultsJson: model?.defaultSamplingParamsJson ?? '',
      capacityTokens: undefined,
      uptimeSeconds: server?.uptimeSeconds,
      // Minted anew by each process, where there is one.
      instance: server?.kvEngineId ? `engine=${server.kvEngineId}` : undefined,
    });
  },
  loads: between(
    rpcMethod(wire.getLoads),
    () => ({ include: LOAD_PARTS }),
    ({ loads }) => loadOf(loads),
  ),
  flushCache: undefined,
  startProfile: undefined,
  stopProfile: undefined,
  tokenizer: tokenizerMethod(rpcMethod(wire.getTokenizer)),
};

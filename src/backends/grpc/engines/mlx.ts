/**
 * MLX over gRPC.
 * Asked   one answer per stream; no stop strings, which the gateway looks for
 * Told    the Complete of a stream has no ids; of a matched stop the id of the token only
 * Lacks   constraints (refused), adapters (refused), a least length, log probabilities of the prompt
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Sampling, TokenOrder } from '../../../domain/token-generation.ts';
import {
  GenerateRequestSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  MlxEngine,
  TokenizedInputSchema,
} from '../gen/mlx_engine_pb.ts';
import type { GenerateComplete, GenerateResponse, GenerateStreamChunk } from '../gen/mlx_engine_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import { between, rpcMethod } from '../rpc-methods.ts';
import { bothOf, descriptionOf, labelsOfMessage } from './description.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { adapterRefusal, biasById, clampedSeed, outputLogprobs, tokenizerMethod, topKOrZero } from './message-parts.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './token-engine.ts';

type Request = MessageInitShape<typeof GenerateRequestSchema>;

const wire = MlxEngine.method;
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
  index: 6,
  reasoningTokens: 0,
};

const generate: RpcMethod<GenerateCall, EngineMessage> = {
  path: generateWire.path,
  encode: (call) => {
    const { requestId, order } = call;
    const request: Request = { requestId, samplingParams: samplingOf(order.sampling), stream: order.isStream };
    const head = toBinary(GenerateRequestSchema, create(GenerateRequestSchema, request));
    return withTokenized(head, TOKENIZED, call.prompt.text, call.prompt.ids);
  },
  decode: (bytes) => readPlainChunk(bytes, CHUNK) ?? messageOf(generateWire.decode(bytes)),
};

function samplingOf(sampling: Sampling): NonNullable<Request['samplingParams']> {
  const { temperature, maxTokens, logprobs, seed } = sampling;
  return {
    ...(temperature !== undefined && { temperature }),
    topP: sampling.topP ?? 1,
    topK: topKOrZero(sampling.topK),
    minP: sampling.minP ?? 0,
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    frequencyPenalty: sampling.frequencyPenalty ?? 0,
    presencePenalty: sampling.presencePenalty ?? 0,
    logitBias: biasById(sampling),
    ...(maxTokens !== undefined && { maxTokens }),
    stopTokenIds: [...sampling.stopTokenIds],
    ignoreEos: sampling.ignoreEos,
    ...(logprobs !== undefined && { logprobs }),
    ...(seed !== undefined && { seed: clampedSeed(seed) }),
  };
}

function messageOf({ response }: GenerateResponse): EngineMessage {
  if (response.case === 'chunk') return { kind: 'chunk', ids: response.value.tokenIds, ...factsOf(response.value) };
  if (response.case !== 'complete') return undefined;
  const { outputIds, finishReason, matchedStopTokenId } = response.value;
  const ending = { reason: finishReason, matchedStop: matchedStopTokenId };
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
    promptLogprobs: undefined,
  };
}

function refusalOf(order: TokenOrder): string | undefined {
  if (order.sampling.constraint) return 'cannot bound the form of its output (a JSON schema, a grammar)';
  return adapterRefusal(order);
}

const modelWire = rpcMethod(wire.getModelInfo);
const serverWire = rpcMethod(wire.getServerInfo);

export const mlx: TokenEngine = {
  name: 'mlx',
  lacks: ['stop', 'minTokens', 'promptLogprobs', 'beginsInThought'],
  maxChoices: 1,
  habits: { completionTokens: 'total', numbersByArrival: false },
  refusalOf,
  generate,
  embed: undefined,
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
      samplingDefaultsJson: '',
      capacityTokens: undefined,
      uptimeSeconds: server?.uptimeSeconds,
      instance: undefined,
    });
  },
  loads: undefined,
  flushCache: undefined,
  startProfile: undefined,
  stopProfile: undefined,
  tokenizer: tokenizerMethod(rpcMethod(wire.getTokenizer)),
};

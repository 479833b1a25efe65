/**
 * TokenSpeed over gRPC, close to SGLang.
 * Asked   scalars with presence; stop strings too
 * Told    a Complete of a stream repeats the last chunk; a matched stop token at the end is dropped unless stops are kept
 * Lacks   a seed, log probabilities of the prompt, adapters, constraints that wait for the end of a thought
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Sampling } from '../../../domain/token-generation.ts';
import {
  GenerateRequestSchema,
  GetModelInfoResponseSchema,
  TokenizedInputSchema,
  TokenSpeedScheduler,
} from '../gen/tokenspeed_scheduler_pb.ts';
import type { GenerateComplete, GenerateResponse, GenerateStreamChunk } from '../gen/tokenspeed_scheduler_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import { between, rpcMethod } from '../rpc-methods.ts';
import { bothOf, descriptionOf, labelsOfMessage, labelsOfObject, startOf } from './description.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { LOAD_PARTS, loadOf } from './loads.ts';
import {
  adapterRefusal,
  flushMethod,
  matchedStopOf,
  outputLogprobs,
  startProfileMethod,
  stopProfileMethod,
  tokenizerMethod,
  topKOrMinusOne,
} from './message-parts.ts';
import { constraintOf } from './sglang.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './token-engine.ts';

type Request = MessageInitShape<typeof GenerateRequestSchema>;

const wire = TokenSpeedScheduler.method;
const generateWire = rpcMethod(wire.generate);

const TOKENIZED = {
  tokenized: GenerateRequestSchema.field.tokenized.number,
  text: TokenizedInputSchema.field.originalText.number,
  ids: TokenizedInputSchema.field.inputIds.number,
};

const CHUNK = {
  requestId: 1,
  chunk: 2,
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
    const head = toBinary(GenerateRequestSchema, create(GenerateRequestSchema, requestOf(call)));
    return withTokenized(head, TOKENIZED, call.prompt.text, call.prompt.ids);
  },
  decode: (bytes) => readPlainChunk(bytes, CHUNK) ?? messageOf(generateWire.decode(bytes)),
};

/** All but the tokens. */
function requestOf({ requestId, order, choices }: GenerateCall): Request {
  const { sampling, isStream } = order;
  return {
    requestId,
    samplingParams: samplingOf(sampling, choices),
    returnLogprob: sampling.logprobs !== undefined,
    logprobStartLen: -1,
    topLogprobsNum: sampling.logprobs ?? 0,
    stream: isStream,
  };
}

function samplingOf(sampling: Sampling, choices: number): NonNullable<Request['samplingParams']> {
  return {
    temperature: sampling.temperature ?? 1,
    topP: sampling.topP ?? 1,
    topK: topKOrMinusOne(sampling.topK),
    minP: sampling.minP ?? 0,
    frequencyPenalty: sampling.frequencyPenalty ?? 0,
    presencePenalty: sampling.presencePenalty ?? 0,
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    ...(sampling.maxTokens !== undefined && { maxNewTokens: sampling.maxTokens }),
    minNewTokens: sampling.minTokens ?? 0,
    stop: [...sampling.stop],
    stopTokenIds: [...sampling.stopTokenIds],
    ignoreEos: sampling.ignoreEos,
    skipSpecialTokens: true,
    spacesBetweenSpecialTokens: true,
    n: choices,
    logitBias: Object.fromEntries([...(sampling.logitBias ?? [])].map(([id, bias]) => [String(id), bias])),
    ...(sampling.constraint && { constraint: constraintOf(sampling.constraint) }),
    noStopTrim: sampling.keepsStop,
  };
}

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
    promptLogprobs: undefined,
  };
}

/** Start-up arguments that are shown; others may be secrets. */
const SERVER_ARGS = [
  'model',
  'served_model_name',
  'tokenizer',
  'tp_size',
  'dp_size',
  'pp_size',
  'tensor_parallel_size',
  'pipeline_parallel_size',
  'data_parallel_size',
  'context_length',
  'max_total_tokens',
  'max_running_requests',
  'load_balance_method',
  'is_embedding',
  'vocab_size',
  'weight_version',
  'shm_namespace_id',
];

const modelWire = rpcMethod(wire.getModelInfo);
const serverWire = rpcMethod(wire.getServerInfo);

export const tokenspeed: TokenEngine = {
  name: 'tokenspeed',
  lacks: ['seed', 'promptLogprobs', 'beginsInThought'],
  maxChoices: Number.POSITIVE_INFINITY,
  habits: { completionTokens: 'total', numbersByArrival: false },
  refusalOf: adapterRefusal,
  generate,
  embed: undefined,
  abort: between(
    rpcMethod(wire.abort),
    ({ requestIds, reason }) => ({ requestId: requestIds[0] ?? '', reason }),
    () => undefined,
  ),
  abortTakesMany: false,
  health: between(
    rpcMethod(wire.healthCheck),
    () => ({}),
    ({ healthy, message }) => ({ isHealthy: healthy, message }),
  ),
  describe: async (channel, options) => {
    const [model, server] = await bothOf(channel, options, [modelWire, serverWire]);
    const labels = {
      ...(model && labelsOfMessage(GetModelInfoResponseSchema, model)),
      ...labelsOfObject(server?.serverArgs, SERVER_ARGS),
    };
    const told = descriptionOf(labels, {
      version: server?.tokenspeedVersion,
      samplingDefaultsJson: model?.defaultSamplingParamsJson ?? '',
      capacityTokens: server?.maxTotalNumTokens,
      instance: startOf(server?.startTime),
    });
    // No request can name a rank: the engine places each by itself, and is one worker.
    return { ...told, dataParallelSize: undefined };
  },
  loads: between(
    rpcMethod(wire.getLoads),
    () => ({ include: LOAD_PARTS }),
    ({ loads }) => loadOf(loads),
  ),
  flushCache: flushMethod(rpcMethod(wire.flushCache)),
  startProfile: startProfileMethod(rpcMethod(wire.startProfile)),
  stopProfile: stopProfileMethod(rpcMethod(wire.stopProfile)),
  tokenizer: tokenizerMethod(rpcMethod(wire.getTokenizer)),
};

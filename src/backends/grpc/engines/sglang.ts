/**
 * SGLang over gRPC.
 * Asked   scalars without presence, so that what nobody says is sent as the engine's own default; stop strings are not sent
 *         (its gRPC server has no text to look into) and the gateway finds them; rank 0 cannot be told from none
 * Told    a Complete of a stream repeats the last chunk; without streaming all Completes have index 0; log probabilities
 *         of a message or of all so far, told apart by their number
 * Lacks   a seed
 */
import { TokenizedInputSchema, SglangScheduler, GenerateRequestSchema } from '../gen/sglang_scheduler_pb.ts';
import type { GenerateComplete, GenerateResponse, GenerateStreamChunk } from '../gen/sglang_scheduler_pb.ts';
import { GetModelInfoResponseSchema } from '../gen/sglang_scheduler_pb.ts';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Sampling } from '../../../domain/token-generation.ts';
import type { RpcMethod } from '../rpc.ts';
import { between, rpcMethod } from '../rpc-methods.ts';
import { bothOf, descriptionOf, labelsOfMessage, labelsOfObject, startOf } from './description.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { LOAD_PARTS, loadOf } from './loads.ts';
import {
  flushMethod,
  matchedStopOf,
  outputLogprobs,
  promptLogprobs,
  startProfileMethod,
  stopProfileMethod,
  tokenizerMethod,
  topKOrMinusOne,
} from './message-parts.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './token-engine.ts';

type Request = MessageInitShape<typeof GenerateRequestSchema>;

const wire = SglangScheduler.method;
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
  index: 8,
  reasoningTokens: 9,
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
  const { sampling, isStream, rank, adapter } = order;
  const { logprobs, promptLogprobs: ofPrompt } = sampling;
  return {
    requestId,
    samplingParams: samplingOf(sampling, choices),
    returnLogprob: logprobs !== undefined || ofPrompt !== undefined,
    // From the first token of the prompt on, or of the output only.
    logprobStartLen: ofPrompt === undefined ? -1 : 0,
    topLogprobsNum: Math.max(logprobs ?? 0, ofPrompt ?? 0),
    // Its own default; without it the engine's metrics do not count the request.
    logMetrics: true,
    ...(rank !== undefined && { dataParallelRank: rank }),
    ...(adapter !== undefined && { loraId: adapter }),
    stream: isStream,
    requireReasoning: sampling.beginsInThought,
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
    stopTokenIds: [...sampling.stopTokenIds],
    skipSpecialTokens: true,
    spacesBetweenSpecialTokens: true,
    ...(sampling.constraint && { constraint: constraintOf(sampling.constraint) }),
    n: choices,
    ignoreEos: sampling.ignoreEos,
    noStopTrim: sampling.keepsStop,
    logitBias: Object.fromEntries([...(sampling.logitBias ?? [])].map(([id, bias]) => [String(id), bias])),
  };
}

const CONSTRAINTS = {
  json_schema: 'jsonSchema',
  regex: 'regex',
  ebnf: 'ebnfGrammar',
  structural_tag: 'structuralTag',
} as const;

/** Also TokenSpeed's. */
export function constraintOf({ kind, text }: NonNullable<Sampling['constraint']>) {
  return { case: CONSTRAINTS[kind], value: text };
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
    reasoningTokens: message.reasoningTokens,
    logprobs: outputLogprobs(message.outputLogprobs),
    promptLogprobs: promptLogprobs(message.inputLogprobs),
  };
}

/** Start-up arguments that are shown; others may be secrets. */
const SERVER_ARGS = [
  'model_path',
  'served_model_name',
  'tokenizer_path',
  'tp_size',
  'dp_size',
  'pp_size',
  'context_length',
  'max_total_tokens',
  'max_running_requests',
  'load_balance_method',
  'disaggregation_mode',
  'is_embedding',
  'vocab_size',
  'weight_version',
];

const modelWire = rpcMethod(wire.getModelInfo);
const serverWire = rpcMethod(wire.getServerInfo);

export const sglang: TokenEngine = {
  name: 'sglang',
  lacks: ['seed', 'stop'],
  maxChoices: Number.POSITIVE_INFINITY,
  habits: { completionTokens: 'total', numbersByArrival: true },
  refusalOf: () => undefined,
  generate,
  embed: between(
    rpcMethod(wire.embed),
    ({ requestId, prompt }) => ({
      requestId,
      tokenized: { originalText: prompt.text, inputIds: Array.from(prompt.ids) },
      samplingParams: {},
    }),
    ({ embedding, promptTokens }) => ({ values: embedding, promptTokens }),
  ),
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
    return descriptionOf(labels, {
      version: server?.sglangVersion,
      samplingDefaultsJson: model?.defaultSamplingParamsJson ?? '',
      capacityTokens: server?.maxTotalNumTokens,
      instance: startOf(server?.startTime),
    });
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

/**
 * TensorRT-LLM over gRPC.
 * Asked   a most number of tokens always: there is no "unset", and 0 would be taken for none
 * Told    the Complete of a stream has all ids; log probabilities of the prompt come with it only
 * Lacks   biases (its `embedding_bias` is a row of the whole vocabulary), adapters by name, constraints that wait for the
 *         end of a thought
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { OutputLogprobs, PromptLogprobs, Sampling } from '../../../domain/token-generation.ts';
import {
  GenerateRequestSchema,
  GetModelInfoResponseSchema,
  GetServerInfoResponseSchema,
  GuidedDecodingParams_GuideType,
  TokenizedInputSchema,
  TrtllmService,
} from '../gen/trtllm_service_pb.ts';
import type {
  GenerateComplete,
  GenerateResponse,
  GenerateStreamChunk,
  TokenLogprob,
} from '../gen/trtllm_service_pb.ts';
import type { RpcMethod } from '../rpc.ts';
import { between, rpcMethod } from '../rpc-methods.ts';
import { bothOf, descriptionOf, labelsOfMessage } from './description.ts';
import { readPlainChunk, withTokenized } from './fast-wire.ts';
import { adapterRefusal, matchedStopOf, tokenizerMethod } from './message-parts.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './token-engine.ts';

type Request = MessageInitShape<typeof GenerateRequestSchema>;

/** Where the order does not say; as the original has it. */
const DEFAULT_MAX_TOKENS = 2_048;

const wire = TrtllmService.method;
const generateWire = rpcMethod(wire.generate);

const TOKENIZED = {
  tokenized: GenerateRequestSchema.field.tokenized.number,
  text: TokenizedInputSchema.field.originalText.number,
  ids: TokenizedInputSchema.field.inputTokenIds.number,
};

const CHUNK = {
  requestId: 1,
  chunk: 2,
  ids: 1,
  index: 2,
  promptTokens: 3,
  completionTokens: 4,
  cachedTokens: 5,
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
  const { logprobs, promptLogprobs, constraint } = sampling;
  return {
    requestId,
    samplingConfig: samplingOf(sampling, choices),
    outputConfig: {
      ...(logprobs !== undefined && { logprobs }),
      ...(promptLogprobs !== undefined && { promptLogprobs }),
      excludeInputFromOutput: true,
    },
    maxTokens: sampling.maxTokens ?? DEFAULT_MAX_TOKENS,
    streaming: isStream,
    ...(constraint && { guidedDecoding: { guideType: GUIDES[constraint.kind], guide: constraint.text } }),
    stop: [...sampling.stop],
    stopTokenIds: [...sampling.stopTokenIds],
    ignoreEos: sampling.ignoreEos,
    includeStopTokenInOutput: sampling.keepsStop,
  };
}

const GUIDES = {
  json_schema: GuidedDecodingParams_GuideType.JSON_SCHEMA,
  regex: GuidedDecodingParams_GuideType.REGEX,
  ebnf: GuidedDecodingParams_GuideType.EBNF_GRAMMAR,
  structural_tag: GuidedDecodingParams_GuideType.STRUCTURAL_TAG,
} as const;

function samplingOf(sampling: Sampling, choices: number): NonNullable<Request['samplingConfig']> {
  const { topK, minP, minTokens, seed, presencePenalty, frequencyPenalty } = sampling;
  return {
    beamWidth: 1,
    numReturnSequences: choices,
    temperature: sampling.temperature ?? 1,
    topP: sampling.topP ?? 1,
    repetitionPenalty: sampling.repetitionPenalty ?? 1,
    ...(topK !== undefined && { topK: Math.max(0, topK) }),
    ...(minP !== undefined && { minP }),
    ...(minTokens !== undefined && { minTokens }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    // Without a sign there: a negative one becomes another, the same one every time.
    ...(seed !== undefined && { seed: BigInt.asUintN(64, BigInt(Math.trunc(seed))) }),
  };
}

function messageOf({ response }: GenerateResponse): EngineMessage {
  if (response.case === 'chunk') {
    return { kind: 'chunk', ids: response.value.tokenIds, promptLogprobs: undefined, ...factsOf(response.value) };
  }
  if (response.case !== 'complete') return undefined;
  const { outputTokenIds, finishReason, matchedStop, promptLogprobs } = response.value;
  return {
    kind: 'complete',
    ids: outputTokenIds,
    reason: finishReason,
    matchedStop: matchedStopOf(matchedStop),
    promptLogprobs: promptLogprobsOf(promptLogprobs),
    ...factsOf(response.value),
  };
}

function factsOf(message: GenerateStreamChunk | GenerateComplete) {
  return {
    index: message.sequenceIndex,
    promptTokens: message.promptTokens,
    completionTokens: message.completionTokens,
    cachedTokens: message.cachedTokens,
    reasoningTokens: undefined,
    logprobs: logprobsOf(message.logprobs),
  };
}

function logprobsOf(tokens: readonly TokenLogprob[]): OutputLogprobs | undefined {
  if (tokens.length === 0) return undefined;
  return {
    logprobs: tokens.map(({ logprob }) => logprob),
    topIds: tokens.map(({ topLogprobs }) => topLogprobs.map(({ tokenId }) => tokenId)),
    topLogprobs: tokens.map(({ topLogprobs }) => topLogprobs.map(({ logprob }) => logprob)),
  };
}

/** The first token has none, though its number cannot be missing here. */
function promptLogprobsOf(tokens: readonly TokenLogprob[]): PromptLogprobs | undefined {
  const logprobs = logprobsOf(tokens);
  if (!logprobs) return undefined;
  return {
    ids: tokens.map(({ tokenId }) => tokenId),
    logprobs: tokens.map(({ logprob }, at) => (at === 0 && logprob === 0 ? undefined : logprob)),
    topIds: logprobs.topIds,
    topLogprobs: logprobs.topLogprobs,
  };
}

const modelWire = rpcMethod(wire.getModelInfo);
const serverWire = rpcMethod(wire.getServerInfo);

export const trtllm: TokenEngine = {
  name: 'trtllm',
  lacks: ['logitBias', 'beginsInThought'],
  maxChoices: Number.POSITIVE_INFINITY,
  habits: { completionTokens: 'total', numbersByArrival: false },
  refusalOf: adapterRefusal,
  generate,
  embed: undefined,
  abort: between(
    rpcMethod(wire.abort),
    ({ requestIds }) => ({ requestId: requestIds[0] ?? '' }),
    () => undefined,
  ),
  abortTakesMany: false,
  health: between(
    rpcMethod(wire.healthCheck),
    () => ({}),
    ({ status }) => ({ isHealthy: status.toLowerCase() === 'ok', message: status }),
  ),
  describe: async (channel, options) => {
    const [model, server] = await bothOf(channel, options, [modelWire, serverWire]);
    const labels = {
      ...(model && labelsOfMessage(GetModelInfoResponseSchema, model)),
      ...(server && labelsOfMessage(GetServerInfoResponseSchema, server)),
    };
    return descriptionOf(labels, {
      version: server?.version,
      samplingDefaultsJson: '',
      capacityTokens: undefined,
      uptimeSeconds: undefined,
      instance: undefined,
    });
  },
  loads: undefined,
  flushCache: undefined,
  startProfile: undefined,
  stopProfile: undefined,
  tokenizer: tokenizerMethod(rpcMethod(wire.getTokenizer)),
};

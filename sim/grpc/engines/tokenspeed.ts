/**
 * TokenSpeed over gRPC: `tokenspeed.grpc.scheduler.TokenSpeedScheduler`. Like SGLang, with scalars that may be absent,
 * log probabilities of each message alone, and a token that stopped the answer left out unless `no_stop_trim`.
 */

import { checkSampling, constraintOf } from '../ask.ts';
import type { GrpcDialect } from '../dialect.ts';
import {
  askBase,
  counts,
  cumulativeLogprobs,
  defaultSamplingJson,
  incrementalLogprobs,
  loadReport,
  matchedStop,
  modelFacts,
  structOf,
  tokenizerPathOf,
} from './common.ts';

const CONSTRAINTS = {
  regex: 'regex',
  json_schema: 'json_schema',
  ebnf_grammar: 'grammar',
  structural_tag: 'structural_tag',
} as const;

export const tokenspeed: GrpcDialect = {
  service: 'tokenspeed.grpc.scheduler.TokenSpeedScheduler',
  hasAdministration: true,

  readGenerate(request) {
    const sampling = request.inner('sampling_params');
    checkSampling({
      temperature: sampling.optional('temperature'),
      topP: sampling.optional('top_p'),
      minP: sampling.optional('min_p'),
      repetitionPenalty: sampling.optional('repetition_penalty'),
      presencePenalty: sampling.optional('presence_penalty'),
      frequencyPenalty: sampling.optional('frequency_penalty'),
    });
    const isWanted = request.flag('return_logprob');
    return {
      ...askBase(request, request.inner('tokenized').numbers('input_ids')),
      isStream: request.flag('stream'),
      choices: sampling.number('n') || 1,
      maxTokens: sampling.optional('max_new_tokens'),
      minTokens: sampling.number('min_new_tokens'),
      stop: sampling.texts('stop'),
      stopTokenIds: sampling.numbers('stop_token_ids'),
      ignoreEos: sampling.flag('ignore_eos'),
      seed: 0,
      constraint: constraintOf(sampling, CONSTRAINTS),
      thinksFirst: false,
      logprobs: isWanted ? request.number('top_logprobs_num') : undefined,
      promptLogprobs: undefined,
      dropsStopToken: !sampling.flag('no_stop_trim'),
      rank: undefined,
      adapter: '',
    };
  },

  chunk: (step) => ({
    request_id: step.ask.requestId,
    chunk: {
      token_ids: step.delta,
      index: step.index,
      ...counts(step, step.generated),
      ...incrementalLogprobs(step),
    },
  }),

  complete: (finish) => ({
    request_id: finish.ask.requestId,
    complete: {
      output_ids: finish.ask.isStream ? finish.delta : finish.all(),
      finish_reason: finish.reason,
      index: finish.index,
      ...counts(finish, finish.generated),
      ...matchedStop(finish, true),
      ...(finish.ask.isStream ? incrementalLogprobs(finish) : cumulativeLogprobs(finish)),
    },
  }),

  health: ({ isHealthy }) => ({ healthy: isHealthy, message: isHealthy ? 'OK' : 'The scheduler does not answer' }),

  modelInfo: (identity) => ({
    ...modelFacts(identity),
    tokenizer_path: tokenizerPathOf(identity),
    weight_version: 'default',
    model_dtype: 'bfloat16',
    default_sampling_params_json: defaultSamplingJson(identity),
  }),

  serverInfo: (identity) => ({
    server_args: structOf({
      model: identity.options.models[0] ?? '',
      served_model_name: identity.options.models[0] ?? '',
      tokenizer: tokenizerPathOf(identity),
      tp_size: 1,
      dp_size: identity.options.dataParallelSize,
      context_length: identity.options.maxModelTokens,
      max_running_requests: identity.options.maxRunning,
    }),
    scheduler_info: structOf({ max_total_num_tokens: identity.load.capacityTokens }),
    active_requests: identity.activeRequests,
    uptime_seconds: (Date.now() - identity.startedAtMs) / 1000,
    max_total_num_tokens: identity.load.capacityTokens,
    tokenspeed_version: 'sim',
    start_time: { seconds: Math.floor(identity.startedAtMs / 1000), nanos: 0 },
  }),

  abortedIds: (request) => [request.text('request_id')],
  abortAnswer: (found) => ({ success: found, message: found ? 'Request aborted' : 'Request not found' }),
  loads: (identity, request) => loadReport(identity, request, true),
};

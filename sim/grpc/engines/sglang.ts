/**
 * SGLang over gRPC: `sglang.grpc.scheduler.SglangScheduler`. Its scalars have no presence, so a caller that leaves one
 * out asks for zero; log probabilities grow from chunk to chunk; whole answers all have index 0.
 */

import { checkSampling, constraintOf, type Fields } from '../ask.ts';
import type { GrpcDialect, Step } from '../dialect.ts';
import { invalid } from '../status.ts';
import {
  askBase,
  counts,
  cumulativeLogprobs,
  defaultSamplingJson,
  loadReport,
  matchedStop,
  modelFacts,
  promptLogprobs,
  rankOf,
  structOf,
  tokenizerPathOf,
} from './common.ts';

const CONSTRAINTS = {
  regex: 'regex',
  json_schema: 'json_schema',
  ebnf_grammar: 'grammar',
  structural_tag: 'structural_tag',
} as const;

export const sglang: GrpcDialect = {
  service: 'sglang.grpc.scheduler.SglangScheduler',
  hasAdministration: true,
  hasAdapters: true,

  readGenerate(request) {
    const sampling = request.inner('sampling_params');
    check(sampling);
    const start = request.number('logprob_start_len');
    const wantsLogprobs = request.flag('return_logprob');
    const top = request.number('top_logprobs_num');
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
      thinksFirst: request.flag('require_reasoning'),
      logprobs: wantsLogprobs ? top : undefined,
      promptLogprobs: wantsLogprobs && start >= 0 ? top : undefined,
      dropsStopToken: false,
      rank: rankOf(request.optional('data_parallel_rank')),
      adapter: request.text('lora_id'),
    };
  },

  chunk: (step) => ({
    request_id: step.ask.requestId,
    chunk: {
      token_ids: step.delta,
      index: step.index,
      ...counts(step, step.generated),
      ...cumulativeLogprobs(step),
      ...firstPromptLogprobs(step),
    },
  }),

  complete: (finish) => ({
    request_id: finish.ask.requestId,
    complete: {
      output_ids: finish.ask.isStream ? finish.delta : finish.all(),
      finish_reason: finish.reason,
      index: finish.ask.isStream ? finish.index : 0,
      ...counts(finish, finish.generated),
      ...matchedStop(finish, true),
      ...cumulativeLogprobs(finish),
      ...promptLogprobs(finish),
    },
  }),

  health: ({ isHealthy }) => ({
    healthy: isHealthy,
    message: isHealthy ? 'Health check passed' : 'Health check failed on purpose',
  }),

  modelInfo: (identity) => ({
    ...modelFacts(identity),
    tokenizer_path: tokenizerPathOf(identity),
    is_generation: true,
    weight_version: 'default',
    default_sampling_params_json: defaultSamplingJson(identity),
  }),

  serverInfo: (identity) => ({
    server_args: structOf({
      model_path: identity.options.models[0] ?? '',
      served_model_name: identity.options.models[0] ?? '',
      tokenizer_path: tokenizerPathOf(identity),
      tp_size: 1,
      dp_size: identity.options.dataParallelSize,
      pp_size: 1,
      context_length: identity.options.maxModelTokens,
      max_running_requests: identity.options.maxRunning,
    }),
    scheduler_info: structOf({ max_total_num_tokens: identity.load.capacityTokens }),
    active_requests: identity.activeRequests,
    uptime_seconds: (Date.now() - identity.startedAtMs) / 1000,
    sglang_version: 'sim',
    server_type: 'grpc',
    start_time: { seconds: Math.floor(identity.startedAtMs / 1000), nanos: 0 },
    max_total_num_tokens: identity.load.capacityTokens,
  }),

  abortedIds: (request) => [request.text('request_id')],
  abortAnswer: () => ({ success: true, message: 'Request aborted' }),
  loads: (identity, request) => loadReport(identity, request, true),
  embedding: (_requestId, embedding, promptTokens) => ({
    embedding,
    embedding_dim: embedding.length,
    prompt_tokens: promptTokens,
  }),
};

function check(sampling: Fields): void {
  checkSampling({
    temperature: sampling.number('temperature'),
    topP: sampling.number('top_p'),
    minP: sampling.number('min_p'),
    repetitionPenalty: sampling.number('repetition_penalty'),
    presencePenalty: sampling.number('presence_penalty'),
    frequencyPenalty: sampling.number('frequency_penalty'),
  });
  const topK = sampling.number('top_k');
  if (topK !== -1 && topK < 1) throw invalid(`top_k must be -1 (disable) or at least 1, got ${topK}.`);
  const most = sampling.optional('max_new_tokens');
  const least = sampling.number('min_new_tokens');
  if (most !== undefined && least > most) {
    throw invalid(`min_new_tokens must be in [0, max_new_tokens(${most})], got ${least}.`);
  }
}

function firstPromptLogprobs(step: Step): object {
  return step.isFirst ? promptLogprobs(step) : {};
}

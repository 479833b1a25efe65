/**
 * vLLM over gRPC: `vllm.grpc.engine.VllmEngine`. Counts of completion tokens are of each message alone when it streams;
 * zeros of top_p and the repetition penalty mean "not set"; stop strings are its own matter; the end token is no matched
 * stop (its `stop_reason` is then empty).
 */

import { checkSampling, constraintOf, type Fields } from '../ask.ts';
import type { Constraint } from '../constraint.ts';
import type { GrpcDialect } from '../dialect.ts';
import { invalid } from '../status.ts';
import {
  askBase,
  counts,
  cumulativeLogprobs,
  defaultSamplingJson,
  incrementalLogprobs,
  loadReport,
  matchedStop,
  modelFacts,
  promptLogprobs,
  rankOf,
  tokenizerPathOf,
} from './common.ts';

const CONSTRAINTS = {
  json_schema: 'json_schema',
  regex: 'regex',
  grammar: 'grammar',
  structural_tag: 'structural_tag',
} as const;
const MOST_LOGPROBS = 20;

export const vllm: GrpcDialect = {
  service: 'vllm.grpc.engine.VllmEngine',

  readGenerate(request) {
    const sampling = request.inner('sampling_params');
    check(sampling);
    checkTransfer(request);
    return {
      ...askBase(request, request.inner('tokenized').numbers('input_ids')),
      isStream: request.flag('stream'),
      choices: sampling.number('n') || 1,
      maxTokens: sampling.optional('max_tokens'),
      minTokens: sampling.number('min_tokens'),
      stop: sampling.texts('stop'),
      stopTokenIds: sampling.numbers('stop_token_ids'),
      ignoreEos: sampling.flag('ignore_eos'),
      seed: sampling.number('seed'),
      constraint: readConstraint(sampling),
      thinksFirst: false,
      logprobs: sampling.optional('logprobs'),
      promptLogprobs: sampling.optional('prompt_logprobs'),
      dropsStopToken: false,
      rank: rankOf(request.optional('data_parallel_rank')),
      adapter: '',
    };
  },

  chunk: (step) => ({
    chunk: {
      token_ids: step.delta,
      index: step.index,
      ...counts(step, step.newlyGenerated),
      ...incrementalLogprobs(step),
      ...(step.isFirst ? promptLogprobs(step) : {}),
    },
  }),

  complete: (finish) => ({
    complete: {
      output_ids: finish.ask.isStream ? finish.delta : finish.all(),
      finish_reason: finish.reason,
      index: finish.index,
      ...counts(finish, finish.ask.isStream ? finish.newlyGenerated : finish.generated),
      ...matchedStop(finish, false),
      ...(finish.ask.isStream ? incrementalLogprobs(finish) : cumulativeLogprobs(finish)),
      ...promptLogprobs(finish),
    },
  }),

  health: ({ isHealthy }) => ({ healthy: isHealthy, message: isHealthy ? 'Health' : 'Engine is not alive' }),

  modelInfo: (identity) => ({
    ...modelFacts(identity),
    tokenizer_path: tokenizerPathOf(identity),
    is_generation: true,
    default_sampling_params_json: defaultSamplingJson(identity),
  }),

  serverInfo: (identity) => ({
    active_requests: identity.activeRequests,
    uptime_seconds: (Date.now() - identity.startedAtMs) / 1000,
    server_type: 'vllm-grpc',
    data_parallel_size: identity.options.dataParallelSize,
  }),

  abortedIds: (request) => request.texts('request_ids'),
  abortAnswer: () => ({}),
  loads: (identity, request) => loadReport(identity, request, false),
  embedding: (_requestId, embedding, promptTokens) => ({
    embedding,
    embedding_dim: embedding.length,
    prompt_tokens: promptTokens,
  }),
};

function check(sampling: Fields): void {
  checkSampling({
    temperature: sampling.optional('temperature'),
    topP: sampling.number('top_p') || undefined,
    minP: sampling.number('min_p'),
    repetitionPenalty: sampling.number('repetition_penalty') || undefined,
    presencePenalty: sampling.number('presence_penalty'),
    frequencyPenalty: sampling.number('frequency_penalty'),
  });
  const most = sampling.optional('max_tokens');
  if (most === 0) throw invalid('max_tokens must be at least 1, got 0.');
  if (most !== undefined && sampling.number('min_tokens') > most) {
    throw invalid(`min_tokens must be less than or equal to max_tokens=${most}.`);
  }
  for (const name of ['logprobs', 'prompt_logprobs']) {
    const count = sampling.optional(name);
    if (count !== undefined && (count < 0 || count > MOST_LOGPROBS)) {
      throw invalid(`Requested ${name} of ${count}, which is greater than max allowed: ${MOST_LOGPROBS}`);
    }
  }
}

function checkTransfer(request: Fields): void {
  const json = request.text('kv_transfer_params_json');
  if (json !== '' && !/^\s*\{/.test(json)) throw invalid('kv_transfer_params_json must be a JSON object.');
}

function readConstraint(sampling: Fields): Constraint | undefined {
  if (sampling.flag('json_object')) return { kind: 'json_schema', text: '{"type":"object"}' };
  const choice = sampling.inner('choice').texts('choices')[0];
  if (choice !== undefined) return { kind: 'choice', text: choice };
  return constraintOf(sampling, CONSTRAINTS);
}

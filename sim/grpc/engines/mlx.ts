/**
 * MLX over gRPC: `mlx.grpc.engine.MlxEngine`. One answer, no stop strings, no constraints, no loads; the last message of
 * a stream has no tokens; a stop can only be a token.
 */

import { checkSampling } from '../ask.ts';
import type { GrpcDialect } from '../dialect.ts';
import { askBase, counts, cumulativeLogprobs, incrementalLogprobs, modelFacts } from './common.ts';

export const mlx: GrpcDialect = {
  service: 'mlx.grpc.engine.MlxEngine',

  readGenerate(request) {
    const sampling = request.inner('sampling_params');
    checkSampling({
      temperature: sampling.optional('temperature'),
      topP: sampling.number('top_p') || undefined,
      minP: sampling.number('min_p'),
      repetitionPenalty: sampling.number('repetition_penalty') || undefined,
      presencePenalty: sampling.number('presence_penalty'),
      frequencyPenalty: sampling.number('frequency_penalty'),
    });
    return {
      ...askBase(request, request.inner('tokenized').numbers('input_ids')),
      isStream: request.flag('stream'),
      choices: 1,
      maxTokens: sampling.optional('max_tokens'),
      minTokens: 0,
      stop: [],
      stopTokenIds: sampling.numbers('stop_token_ids'),
      ignoreEos: sampling.flag('ignore_eos'),
      seed: sampling.number('seed'),
      constraint: undefined,
      thinksFirst: false,
      logprobs: sampling.optional('logprobs'),
      promptLogprobs: undefined,
      dropsStopToken: false,
      rank: undefined,
      adapter: '',
    };
  },

  chunk: (step) => ({
    chunk: {
      token_ids: step.delta,
      index: step.index,
      ...counts(step, step.generated),
      ...incrementalLogprobs(step),
    },
  }),

  complete: (finish) => ({
    complete: {
      output_ids: finish.ask.isStream ? [] : finish.all(),
      finish_reason: finish.reason,
      index: finish.index,
      ...counts(finish, finish.generated),
      ...(finish.matched !== undefined && 'id' in finish.matched ? { matched_stop_token_id: finish.matched.id } : {}),
      ...(finish.ask.isStream ? {} : cumulativeLogprobs(finish)),
    },
  }),

  health: ({ isHealthy }) => ({ healthy: isHealthy, message: isHealthy ? 'OK' : 'The generation thread is dead' }),
  modelInfo: (identity) => ({ ...modelFacts(identity), is_generation: true }),
  serverInfo: ({ activeRequests, startedAtMs }) => ({
    server_type: 'mlx-grpc',
    active_requests: activeRequests,
    uptime_seconds: (Date.now() - startedAtMs) / 1000,
  }),
  abortedIds: (request) => request.texts('request_ids'),
  abortAnswer: () => ({}),
};

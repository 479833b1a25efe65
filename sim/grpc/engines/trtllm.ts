/**
 * TensorRT-LLM over gRPC: `trtllm.TrtllmService`. A limit is obligatory; the last message of an answer has all its
 * tokens; a token that stopped it is left out unless asked for; there are no loads.
 */

import { checkSampling, type Fields } from '../ask.ts';
import type { Constraint } from '../constraint.ts';
import type { GrpcDialect, Step } from '../dialect.ts';
import { logprobsOf, type TokenLogprob } from '../logprobs.ts';
import { invalid } from '../status.ts';
import { askBase, counts, matchedStop } from './common.ts';

const GUIDES: Readonly<Record<string, Constraint['kind']>> = {
  GUIDE_TYPE_JSON: 'json_schema',
  GUIDE_TYPE_JSON_SCHEMA: 'json_schema',
  GUIDE_TYPE_REGEX: 'regex',
  GUIDE_TYPE_EBNF_GRAMMAR: 'grammar',
  GUIDE_TYPE_STRUCTURAL_TAG: 'structural_tag',
};

export const trtllm: GrpcDialect = {
  service: 'trtllm.TrtllmService',

  readGenerate(request) {
    const sampling = request.inner('sampling_config');
    const output = request.inner('output_config');
    check(request, sampling);
    return {
      ...askBase(request, request.inner('tokenized').numbers('input_token_ids')),
      isStream: request.flag('streaming'),
      choices: sampling.number('num_return_sequences') || 1,
      maxTokens: request.number('max_tokens'),
      minTokens: sampling.number('min_tokens'),
      stop: request.texts('stop'),
      stopTokenIds: request.numbers('stop_token_ids'),
      ignoreEos: request.flag('ignore_eos'),
      seed: sampling.number('seed') % 2 ** 32,
      constraint: readGuide(request.inner('guided_decoding')),
      thinksFirst: false,
      logprobs: output.optional('logprobs'),
      promptLogprobs: output.optional('prompt_logprobs'),
      dropsStopToken: !request.flag('include_stop_token_in_output'),
      rank: undefined,
      adapter: '',
    };
  },

  chunk: (step) => ({
    request_id: step.ask.requestId,
    chunk: {
      token_ids: step.delta,
      sequence_index: step.index,
      ...counts(step, step.generated),
      logprobs: outputLogprobs(step, step.delta),
    },
  }),

  complete: (finish) => ({
    request_id: finish.ask.requestId,
    complete: {
      output_token_ids: finish.all(),
      sequence_index: finish.index,
      finish_reason: finish.reason,
      ...counts(finish, finish.generated),
      ...matchedStop(finish, false),
      logprobs: outputLogprobs(finish, finish.all()),
      prompt_logprobs: promptOf(finish),
    },
  }),

  health: ({ isHealthy }) => ({ status: isHealthy ? 'OK' : 'unhealthy on purpose' }),

  modelInfo: ({ options, tokenizer }) => ({
    model_id: options.models[0],
    max_input_len: options.maxModelTokens,
    max_seq_len: options.maxModelTokens,
    max_batch_size: options.maxRunning,
    vocab_size: tokenizer.vocabularySize,
  }),

  serverInfo: () => ({
    version: 'sim',
    backend: 'sim',
    tensor_parallel_size: 1,
    pipeline_parallel_size: 1,
    context_parallel_size: 1,
    world_size: 1,
  }),

  abortedIds: (request) => [request.text('request_id')],
  abortAnswer: (found) => ({ success: found, message: found ? 'Request aborted' : 'Request not found' }),
};

function check(request: Fields, sampling: Fields): void {
  if (request.number('max_tokens') === 0) throw invalid('max_tokens must be at least 1.');
  if (sampling.number('beam_width') > 1) throw invalid('beam_width above 1 needs beam search, which is off.');
  checkSampling({
    temperature: sampling.optional('temperature'),
    topP: sampling.optional('top_p'),
    minP: sampling.optional('min_p'),
    repetitionPenalty: sampling.optional('repetition_penalty'),
    presencePenalty: sampling.optional('presence_penalty'),
    frequencyPenalty: sampling.optional('frequency_penalty'),
  });
}

function readGuide(guide: Fields): Constraint | undefined {
  const kind = GUIDES[guide.text('guide_type')];
  if (kind === undefined) return undefined;
  const text = guide.text('guide');
  return { kind, text: text === '' && kind === 'json_schema' ? '{"type":"object"}' : text };
}

function outputLogprobs({ ask, sent }: Step, ids: readonly number[]): readonly object[] {
  return ask.logprobs === undefined ? [] : logprobsOf(ids, sent - ids.length, ask.logprobs).map(worded);
}

/** From the second token on: the first has no probability, and this message no way to say so. */
function promptOf({ ask }: Step): readonly object[] {
  if (ask.promptLogprobs === undefined) return [];
  return logprobsOf(ask.promptIds, -ask.promptIds.length, ask.promptLogprobs).slice(1).map(worded);
}

function worded({ id, logprob, top }: TokenLogprob): object {
  return { token_id: id, logprob, top_logprobs: top.map((one) => ({ token_id: one.id, logprob: one.logprob })) };
}

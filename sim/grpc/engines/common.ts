/** Parts of messages that several engines word alike. */

import type { JsonRecord } from '../../json.ts';
import type { Finish, Identity, Step } from '../dialect.ts';
import { type Fields, type Ask } from '../ask.ts';
import { listsOf, logprobsOf, promptListsOf } from '../logprobs.ts';

/** Five keys at most, as the servers report them. */
const SAMPLING_KEYS = ['temperature', 'top_p', 'top_k', 'min_p', 'repetition_penalty'];

/** `default_sampling_params_json`: what generation_config.json says of sampling. */
export function defaultSamplingJson({ tokenizer }: Identity): string {
  const entries = SAMPLING_KEYS.flatMap((key) => {
    const value = tokenizer.generationConfig[key];
    return typeof value === 'number' ? [[key, value]] : [];
  });
  return entries.length === 0 ? '' : JSON.stringify(Object.fromEntries(entries));
}

/** What all of GetModelInfo's answers but TensorRT-LLM's have, in the same words. */
export function modelFacts({ options, tokenizer }: Identity): JsonRecord {
  return {
    model_path: options.models[0],
    served_model_name: options.models[0],
    max_context_length: options.maxModelTokens,
    max_req_input_len: options.maxModelTokens - 1,
    vocab_size: tokenizer.vocabularySize,
    model_type: tokenizer.config['model_type'] ?? '',
    architectures: tokenizer.config['architectures'] ?? [],
    eos_token_ids: tokenizer.endTokenIds,
    pad_token_id: tokenizer.padTokenId,
    bos_token_id: tokenizer.bosTokenId,
  };
}

/** The tokenizer's folder, where the engine tells it. */
export function tokenizerPathOf({ options, tokenizer }: Identity): string {
  return options.reportsTokenizerPath ? tokenizer.path : '';
}

/** Log probabilities of this message's tokens only. */
export function incrementalLogprobs({ ask, delta, sent }: Step): JsonRecord {
  if (ask.logprobs === undefined) return {};
  return { output_logprobs: listsOf(logprobsOf(delta, sent - delta.length, ask.logprobs)) };
}

/** Log probabilities from the first token on. */
export function cumulativeLogprobs({ ask, all }: Step): JsonRecord {
  return ask.logprobs === undefined ? {} : { output_logprobs: listsOf(logprobsOf(all(), 0, ask.logprobs)) };
}

/** Log probabilities of the prompt. */
export function promptLogprobs({ ask }: Step): JsonRecord {
  if (ask.promptLogprobs === undefined) return {};
  return {
    input_logprobs: promptListsOf(logprobsOf(ask.promptIds, -ask.promptIds.length, ask.promptLogprobs)),
  };
}

/** Members of a oneof. Without `tellsEnd` the model's own end token is no matched stop. */
export function matchedStop({ matched }: Finish, tellsEnd: boolean): JsonRecord {
  if (matched === undefined || ('id' in matched && matched.isEnd && !tellsEnd)) return {};
  return 'id' in matched ? { matched_token_id: matched.id } : { matched_stop_str: matched.text };
}

/** Counts that every message has. */
export function counts({ ask, cachedTokens }: Step, completionTokens: number): JsonRecord {
  return {
    prompt_tokens: ask.promptIds.length,
    completion_tokens: completionTokens,
    cached_tokens: cachedTokens,
  };
}

/** A google.protobuf.Struct. */
export function structOf(values: Readonly<Record<string, string | number | boolean>>): JsonRecord {
  const fields = Object.entries(values).map(([name, value]) => [name, valueOf(value)]);
  return { fields: Object.fromEntries(fields) };
}

function valueOf(value: string | number | boolean): JsonRecord {
  if (typeof value === 'string') return { stringValue: value };
  return typeof value === 'number' ? { numberValue: value } : { boolValue: value };
}

/** The reports of SGLang, TokenSpeed and vLLM; `details` adds what only the first two have. */
export function loadReport(identity: Identity, request: Fields, details: boolean): JsonRecord {
  const { options, load } = identity;
  const only = request.optional('dp_rank');
  const ranks = Array.from({ length: options.dataParallelSize }, (_unused, rank) => rank);
  const loads = ranks
    .filter((rank) => only === undefined || rank === only)
    .map((rank) => rankLoad(identity, rank, { details, include: request.texts('include') }));
  const usage = load.usedTokens / load.capacityTokens;
  return {
    timestamp: new Date().toISOString(),
    version: 'sim',
    dp_rank_count: options.dataParallelSize,
    loads,
    ...(details
      ? {
          aggregate: {
            total_running_reqs: load.running,
            total_waiting_reqs: load.waiting,
            total_reqs: load.running + load.waiting,
            avg_token_usage: usage,
            avg_throughput: load.throughput,
            avg_utilization: load.running / options.maxRunning,
          },
        }
      : {}),
  };
}

/** One scheduler serves all ranks; with several, what waits counts as running, as with the HTTP engines. */
function rankLoad(
  { options, load, cacheHitRate, runningByRank }: Identity,
  rank: number,
  { details, include }: { readonly details: boolean; readonly include: readonly string[] },
): JsonRecord {
  const isShared = options.dataParallelSize > 1;
  const running = isShared ? (runningByRank[rank] ?? 0) : load.running;
  const waiting = isShared ? 0 : load.waiting;
  const base = {
    dp_rank: rank,
    num_running_reqs: running,
    num_waiting_reqs: waiting,
    num_total_reqs: running + waiting,
    token_usage: load.usedTokens / load.capacityTokens,
  };
  if (!details) return base;
  const wants = (section: string) => include.includes(section) || include.includes('all');
  return {
    ...base,
    num_used_tokens: load.usedTokens,
    max_total_num_tokens: load.capacityTokens,
    max_running_requests: options.maxRunning,
    num_waiting_uncached_tokens: load.waitingUncachedTokens,
    gen_throughput: load.throughput,
    cache_hit_rate: cacheHitRate,
    utilization: load.running / options.maxRunning,
    ...(wants('memory') ? { memory: { token_capacity: load.capacityTokens } } : {}),
    ...(wants('queues') ? { queues: { waiting } } : {}),
  };
}

/** A rank that a caller may ask for. */
export function rankOf(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? undefined : value;
}

/** What every Generate has, with the ids where that engine keeps them. */
export function askBase(request: Fields, promptIds: readonly number[]): Pick<Ask, 'requestId' | 'promptIds'> {
  return { requestId: request.text('request_id'), promptIds };
}

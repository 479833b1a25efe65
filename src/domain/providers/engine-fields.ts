/**
 * What self-hosted engines take beyond OpenAI's API, and providers refuse or, worse, leave unsaid that they ignore it:
 * taken out here, it is told. Sources: SGLang's protocol.py (completion and
 * chat requests), vLLM's OpenAI-compatible server (extra parameters).
 */
import type { ProtocolName } from '../call.ts';
import type { FieldQuirk } from './provider.ts';

const SAMPLING = [
  'top_k',
  'min_p',
  'min_tokens',
  'repetition_penalty',
  'length_penalty',
  'sampling_seed',
  'use_beam_search',
  'ignore_eos',
  'stop_token_ids',
  'stop_regex',
  'no_stop_trim',
  'include_stop_str_in_output',
  'allowed_token_ids',
  'bad_words',
  'logits_processors',
  'custom_logit_processor',
  'custom_params',
] as const;

const CONSTRAINTS = [
  'regex',
  'ebnf',
  'json_schema',
  'structural_tag',
  'structured_outputs',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'guided_decoding_backend',
  'guided_whitespace_pattern',
] as const;

const PROMPTS = [
  'chat_template',
  'chat_template_kwargs',
  'add_generation_prompt',
  'continue_final_message',
  'add_special_tokens',
  'truncate_prompt_tokens',
  'documents',
  'mm_processor_kwargs',
  'lora_path',
  'session_params',
  'cache_salt',
  'extra_key',
] as const;

const ANSWERS = [
  'skip_special_tokens',
  'spaces_between_special_tokens',
  'prompt_logprobs',
  'return_hidden_states',
  'return_tokens_as_token_ids',
  'return_token_ids',
  'return_cached_tokens_details',
  'return_routed_experts',
  'separate_reasoning',
  'stream_reasoning',
  'include_reasoning',
] as const;

const SERVING = [
  'request_id',
  'rid',
  'priority',
  'backend_url',
  'bootstrap_host',
  'bootstrap_port',
  'bootstrap_room',
  'data_parallel_rank',
  'routed_dp_rank',
  'kv_transfer_params',
  'vllm_xargs',
] as const;

/** All of them, top-level names. */
export const ENGINE_FIELDS: readonly string[] = [...SAMPLING, ...CONSTRAINTS, ...PROMPTS, ...ANSWERS, ...SERVING];

/** Removes all of them from requests of these APIs; `kept` are those that the provider has too. */
export function withoutEngineFields(protocols: readonly ProtocolName[], kept: readonly string[] = []): FieldQuirk[] {
  const names = ENGINE_FIELDS.filter((name) => !kept.includes(name));
  return protocols.flatMap((protocol) => names.map((name) => ({ protocol, name, act: 'remove' as const })));
}

/** Removes these fields of chat completions. */
export function withoutChatFields(...names: readonly string[]): FieldQuirk[] {
  return names.map((name) => ({ protocol: 'openai-chat', name, act: 'remove' }));
}

/** For servers that know the limit of an answer by its old name only, and would ignore the new one or refuse it. */
export const OLD_LIMIT: FieldQuirk = {
  protocol: 'openai-chat',
  name: 'max_completion_tokens',
  act: { rename: 'max_tokens' },
};

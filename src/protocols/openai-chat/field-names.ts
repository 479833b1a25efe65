/**
 * Names of the request's fields that the hub has no place for. They travel as extra fields, to those who have them.
 * Source: OpenAI API reference (chat completions), the request models of SGLang and vLLM, Mistral, Groq and Perplexity
 * API references.
 */

/** `origin` of what only chat completions have. */
export const ORIGIN = 'openai-chat';

/** OpenAI's own. */
export const OPENAI_FIELDS: readonly string[] = [
  'audio',
  'modalities',
  'moderation',
  'prediction',
  'prompt_cache_options',
  'prompt_cache_retention',
  'web_search_options',
];

/** Engines' and compatible servers' own. */
export const SERVER_FIELDS: readonly string[] = [
  // Sampling and stopping.
  ...['repetition_penalty', 'length_penalty', 'min_tokens', 'ignore_eos', 'stop_token_ids', 'stop_regex'],
  ...['no_stop_trim', 'include_stop_str_in_output', 'skip_special_tokens', 'spaces_between_special_tokens'],
  ...['sampling_seed', 'use_beam_search', 'best_of', 'allowed_token_ids', 'bad_words', 'custom_logit_processor'],
  ...['custom_params', 'repetition_detection', 'watermarking', 'logits_processors', 'vllm_xargs'],
  // Constraints that are no JSON schema.
  ...['regex', 'ebnf', 'guided_regex', 'guided_choice', 'guided_grammar', 'guided_decoding_backend'],
  ...['guided_whitespace_pattern', 'structural_tag'],
  // The prompt.
  ...['chat_template', 'add_generation_prompt', 'continue_final_message', 'add_special_tokens', 'documents', 'echo'],
  ...['input_ids', 'truncate_prompt_tokens', 'truncation_side', 'mm_processor_kwargs', 'media_io_kwargs', 'task'],
  ...['images_config', 'max_dynamic_patch', 'min_dynamic_patch', 'use_audio_in_video'],
  // Where and how it runs.
  ...['lora_path', 'session_id', 'session_params', 'priority', 'rid', 'request_id', 'extra_key', 'cache_salt'],
  ...['bootstrap_host', 'bootstrap_port', 'bootstrap_room', 'data_parallel_rank', 'routed_dp_rank'],
  ...['disagg_prefill_dp_rank', 'kv_transfer_params', 'ec_transfer_params', 'ngram_corpus_id', 'backend_url'],
  // What is shown.
  ...['separate_reasoning', 'stream_reasoning', 'return_hidden_states', 'return_routed_experts'],
  ...['return_cached_tokens_details', 'return_prompt_token_ids', 'return_token_ids', 'return_meta_info'],
  ...['return_tokens_as_token_ids', 'prompt_logprobs', 'logprob_token_ids', 'reasoning_format'],
  // Routers and clouds behind the same API.
  ...['provider', 'models', 'route', 'transforms', 'plugins', 'safe_prompt', 'prompt_mode', 'random_seed'],
  ...['search_parameters', 'search_domain_filter', 'search_recency_filter', 'return_images'],
];

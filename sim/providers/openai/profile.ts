/** How one cloud's flavour of OpenAI's API differs from OpenAI's own: models that reason, fields, shown thoughts. */

import { Refusal } from '../refusal.ts';

/** A flavour of chat completions. */
export interface ChatProfile {
  /** Top-level fields it takes. */
  readonly fields: ReadonlySet<string>;
  /** Fields it refuses although OpenAI takes them; `messages[].name` for those of messages. */
  readonly refusedFields: ReadonlySet<string>;
  /** Further fields of assistant messages that it takes. */
  readonly messageFields: readonly string[];
  /** Status of refused and unknown fields: 400, with Mistral 422. */
  readonly refusalStatus: number;
  /** True for models that refuse sampling parameters and `max_tokens`, and take `reasoning_effort`. */
  isReasoner(model: string): boolean;
  /** Fields that reasoning models refuse. */
  readonly reasonerRefuses: readonly string[];
  /** Field of messages and deltas that shows the thought; undefined: it is not shown. */
  readonly reasoningField: string | undefined;
  /** False: `reasoning_effort` on other models is taken and ignored. */
  readonly refusesEffort: boolean;
  /** Azure's streams begin with a chunk that has no choices. */
  readonly hasPromptFilter: boolean;
  /** Limit of tool call ids; OpenAI says 40 in chat completions. */
  readonly mostIdLength: number;
}

/** A field that this cloud does not take. */
export function refusedField(param: string, profile: ChatProfile): Refusal {
  return new Refusal({ status: profile.refusalStatus, message: `property '${param}' is not supported`, param });
}

/** Top-level fields of chat completions. Source: OpenAI API reference, "Create chat completion". */
const CHAT_FIELDS = [
  'messages',
  'model',
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'metadata',
  'modalities',
  'moderation',
  'n',
  'parallel_tool_calls',
  'prediction',
  'presence_penalty',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning_effort',
  'response_format',
  'safety_identifier',
  'seed',
  'service_tier',
  'stop',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'user',
  'verbosity',
  'web_search_options',
];

/** OpenAI's own models that reason: the o series and GPT-5 and later, except their chat variants. */
export function isOpenaiReasoner(model: string): boolean {
  return /^(o\d|gpt-[5-9]|codex-)/.test(model) && !model.includes('-chat');
}

/** OpenAI itself. Source for what reasoners refuse: OpenAI guide "Reasoning models" and its error messages. */
export const OPENAI_PROFILE: ChatProfile = {
  fields: new Set(CHAT_FIELDS),
  refusedFields: new Set(),
  messageFields: [],
  refusalStatus: 400,
  isReasoner: isOpenaiReasoner,
  reasonerRefuses: ['top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs', 'logit_bias', 'stop'],
  reasoningField: undefined,
  refusesEffort: true,
  hasPromptFilter: false,
  mostIdLength: 40,
};

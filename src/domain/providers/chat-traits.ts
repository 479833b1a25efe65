/**
 * How OpenAI's own chat completions are; servers that speak the same API say only where they differ.
 * Source: OpenAI API reference and reasoning guide, the matrix of efforts by model in OpenAI's developer forum, xAI's
 * reasoning guide.
 */
import type { Effort } from '../generation.ts';
import type { ChatModelRule, ChatTraits } from './provider.ts';

const LOW_TO_HIGH: readonly Effort[] = ['low', 'medium', 'high'];
const LOW_TO_XHIGH: readonly Effort[] = [...LOW_TO_HIGH, 'xhigh'];

/** Thinks always: sampling is its own affair. */
function thinker(models: RegExp, efforts: readonly Effort[]): ChatModelRule {
  return { models, efforts, sampling: 'never' };
}

/** Models of OpenAI and of xAI, which has the same API: names do not overlap. Narrow rules come first. */
const MODEL_RULES: readonly ChatModelRule[] = [
  { models: /^gpt-5-(chat|search)/, efforts: [], sampling: 'always' },
  thinker(/^gpt-5\.\d+-chat/, ['medium']),
  thinker(/^gpt-5-pro/, ['high']),
  thinker(/^gpt-5\.\d+-pro/, ['medium', 'high', 'xhigh']),
  thinker(/^gpt-5(\.1)?-codex(?!-max)/, LOW_TO_HIGH),
  thinker(/^gpt-5\.\d+-codex/, LOW_TO_XHIGH),
  thinker(/^gpt-5(?![\d.])/, ['minimal', ...LOW_TO_HIGH]),
  { models: /^gpt-5\.1(?!\d)/, efforts: ['none', ...LOW_TO_HIGH], sampling: 'without_thought' },
  { models: /^gpt-5\.[2-5](?!\d)/, efforts: ['none', ...LOW_TO_XHIGH], sampling: 'without_thought' },
  thinker(/^o1-(mini|preview)/, []),
  thinker(/^o\d/, LOW_TO_HIGH),
  { models: /^(gpt-[34]|chatgpt-4)/, efforts: [], sampling: 'always' },
  { models: /^grok-3-mini/, efforts: ['low', 'high'], sampling: 'always' },
  { models: /^grok-4\.3/, efforts: ['none', ...LOW_TO_HIGH], sampling: 'always' },
  { models: /^grok-4\.5/, efforts: LOW_TO_HIGH, sampling: 'always' },
  { models: /^grok-([23](?!\d)|4(?![\d.])|4-|4\.20|code)/, efforts: [], sampling: 'always' },
];

export const OPENAI_CHAT: ChatTraits = {
  maxTokensField: 'max_completion_tokens',
  reasoning: 'reasoning_effort',
  replaysThoughtsAs: undefined,
  hasDeveloperRole: true,
  fetchesImages: true,
  takesFiles: true,
  takesJsonSchema: true,
  takesStreamOptions: true,
  takesEngineFields: false,
  cacheMarks: 'automatic',
  takesTextLists: true,
  takesOpenAiFields: true,
  maxStops: 4,
  toolNames: /^[a-zA-Z0-9_-]{1,64}$/,
  models: MODEL_RULES,
  toolIds: { maxLength: 40, pattern: /^[\x21-\x7e]+$/ },
};

/** A server that has the old names only and makes no further promises. */
export const PLAIN_CHAT: ChatTraits = {
  ...OPENAI_CHAT,
  maxTokensField: 'max_tokens',
  reasoning: 'none',
  hasDeveloperRole: false,
  takesFiles: false,
  cacheMarks: 'none',
  takesTextLists: false,
  takesOpenAiFields: false,
  models: [],
};

/** Self-hosted engines. Source: the request models of SGLang and vLLM. */
export const ENGINE_CHAT: ChatTraits = {
  ...PLAIN_CHAT,
  reasoning: 'chat_template_kwargs',
  replaysThoughtsAs: 'reasoning_content',
  takesEngineFields: true,
  cacheMarks: 'automatic',
  takesTextLists: true,
  maxStops: undefined,
  toolNames: undefined,
  toolIds: { maxLength: 256, pattern: /^[\x21-\x7e]+$/ },
};

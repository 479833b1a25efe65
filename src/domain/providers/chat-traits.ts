/** How OpenAI's own chat completions are; servers that speak the same API say only where they differ. */
import type { ChatTraits } from './provider.ts';

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
  toolIds: { maxLength: 40, pattern: /^[\x21-\x7e]+$/ },
};

/** A server that has the old names only and makes no further promises. */
export const PLAIN_CHAT: ChatTraits = {
  ...OPENAI_CHAT,
  maxTokensField: 'max_tokens',
  reasoning: 'none',
  hasDeveloperRole: false,
  takesFiles: false,
};

/** Self-hosted engines. */
export const ENGINE_CHAT: ChatTraits = {
  ...PLAIN_CHAT,
  reasoning: 'chat_template_kwargs',
  replaysThoughtsAs: 'reasoning_content',
  takesEngineFields: true,
  toolIds: { maxLength: 256, pattern: /^[\x21-\x7e]+$/ },
};

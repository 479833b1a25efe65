/**
 * OpenRouter: models of many vendors, named `vendor/model`. Ignores what the chosen model does not take.
 * Source  OpenRouter documentation: API reference, reasoning tokens, prompt caching, app attribution
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const openrouter: Provider = {
  ...compatible,
  name: 'openrouter',
  title: 'OpenRouter',
  url: 'https://openrouter.ai',
  hosts: ['openrouter.ai'],
  basePath: '/api',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'anthropic-messages', path: '/v1/messages' },
    { protocol: 'openai-responses', path: '/v1/responses' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  passHeaders: ['http-referer', 'x-title', 'x-session-id', 'anthropic-version', 'anthropic-beta'],
  keyShapes: ['sk-or-'],
  hasPlainKeys: false,
  keyVariables: ['OPENROUTER_API_KEY'],
  // Its own models only. `openrouter/` is a part of their names, so it is no vendor that could be taken off.
  models: /^openrouter\//,
  vendors: [],
  chat: {
    ...PLAIN_CHAT,
    reasoning: 'reasoning_object',
    replaysThoughtsAs: 'reasoning_details',
    cacheMarks: 'cache_control',
    takesTextLists: true,
    hasDeveloperRole: true,
    takesFiles: true,
    takesEngineFields: true,
  },
  quirks: withoutEngineFields(['openai-chat'], ['top_k', 'min_p', 'repetition_penalty', 'include_reasoning']),
};

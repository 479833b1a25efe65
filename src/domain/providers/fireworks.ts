/**
 * Fireworks AI. Models have long names, `accounts/fireworks/models/…`. Refuses fields that it does not know.
 * Source  Fireworks documentation: querying text models, reasoning, prompt caching; its error texts (`Extra inputs are not permitted`)
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const fireworks: Provider = {
  ...compatible,
  name: 'fireworks',
  title: 'Fireworks AI',
  url: 'https://api.fireworks.ai',
  hosts: ['fireworks.ai'],
  basePath: '/inference',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-responses', path: '/v1/responses' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  // A replica has a cache of its own: these keep a conversation at one, and tenants apart.
  passHeaders: ['x-session-affinity', 'x-multi-turn-session-id', 'x-prompt-cache-isolation-key'],
  keyShapes: ['fw_'],
  hasPlainKeys: false,
  keyVariables: ['FIREWORKS_API_KEY'],
  models: /^accounts\/[^/]+\/(models|deployments)\//,
  vendors: ['fireworks', 'fireworks_ai'],
  mayListOpenly: false,
  chat: {
    ...PLAIN_CHAT,
    reasoning: 'reasoning_effort',
    replaysThoughtsAs: 'reasoning_content',
    takesEngineFields: true,
    cacheMarks: 'automatic',
  },
  quirks: withoutEngineFields(
    ['openai-chat', 'openai-completions', 'openai-responses'],
    ['top_k', 'min_p', 'repetition_penalty', 'ignore_eos'],
  ),
};

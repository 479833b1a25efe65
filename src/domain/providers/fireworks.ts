/** Fireworks AI. Models have long names, `accounts/fireworks/models/…`. Source: Fireworks documentation, reasoning guide. */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
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
  },
};

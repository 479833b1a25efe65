/** Perplexity. Its paths have no version, and it has no list of models. Source: Perplexity API reference. */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { OLD_LIMIT, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const perplexity: Provider = {
  ...compatible,
  name: 'perplexity',
  title: 'Perplexity',
  url: 'https://api.perplexity.ai',
  hosts: ['perplexity.ai'],
  apis: [{ protocol: 'openai-chat', path: '/chat/completions' }],
  keyShapes: ['pplx-'],
  hasPlainKeys: false,
  keyVariables: ['PERPLEXITY_API_KEY'],
  models: /^sonar(-|$)/,
  vendors: ['perplexity'],
  mayListOpenly: false,
  listing: undefined,
  chat: { ...PLAIN_CHAT, reasoning: 'reasoning_effort' },
  quirks: [OLD_LIMIT, ...withoutEngineFields(['openai-chat'], ['top_k'])],
};

/**
 * Ollama: its cloud, or a server of one's own that is to be taken as it says. Images are taken as bytes.
 * Source  Ollama documentation: OpenAI compatibility, Anthropic compatibility
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { OLD_LIMIT, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const ollama: Provider = {
  ...compatible,
  name: 'ollama',
  title: 'Ollama',
  url: 'https://ollama.com',
  hosts: ['ollama.com'],
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'anthropic-messages', path: '/v1/messages' },
    { protocol: 'openai-responses', path: '/v1/responses' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  passHeaders: ['anthropic-version', 'anthropic-beta'],
  headers: [],
  keyVariables: ['OLLAMA_API_KEY'],
  vendors: ['ollama'],
  chat: { ...PLAIN_CHAT, reasoning: 'reasoning_effort', replaysThoughtsAs: 'reasoning', fetchesImages: false },
  quirks: [OLD_LIMIT, ...withoutEngineFields(['openai-chat'])],
};

/** A llama.cpp server behind a key, somewhere else. Source: llama.cpp, README of its server. */
import { ENGINE_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import type { Provider } from './provider.ts';

export const llamaCpp: Provider = {
  ...compatible,
  name: 'llama_cpp',
  title: 'llama.cpp',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'anthropic-messages', path: '/v1/messages' },
    { protocol: 'anthropic-count-tokens', path: '/v1/messages/count_tokens' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
    { protocol: 'rerank', path: '/v1/rerank' },
  ],
  passHeaders: ['anthropic-version', 'anthropic-beta'],
  vendors: ['llama_cpp'],
  chat: ENGINE_CHAT,
};

/** Google Gemini. Source: Gemini API reference. */
import { PLAIN_CHAT } from './chat-traits.ts';
import type { Provider } from './provider.ts';

export const gemini: Provider = {
  name: 'gemini',
  title: 'Google Gemini',
  url: 'https://generativelanguage.googleapis.com',
  hosts: ['generativelanguage.googleapis.com'],
  basePath: '',
  apis: [
    {
      protocol: 'gemini',
      path: '/v1beta/models/{model}:generateContent',
      streamPath: '/v1beta/models/{model}:streamGenerateContent?alt=sse',
    },
    { protocol: 'gemini-count-tokens', path: '/v1beta/models/{model}:countTokens' },
    { protocol: 'gemini-embeddings', path: '/v1beta/models/{model}:batchEmbedContents' },
  ],
  keyHeader: 'x-goog-api-key',
  headers: [],
  passHeaders: [],
  keyShapes: ['AIza'],
  keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  models: /^(gemini-|gemma-|learnlm-)/,
  listing: { path: '/v1beta/models', form: 'gemini' },
  thoughts: 'gemini',
  chat: PLAIN_CHAT,
  quirks: [],
};

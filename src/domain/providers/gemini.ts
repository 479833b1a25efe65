/**
 * Google Gemini, by its own API. The model is named in the path; the list of models comes in pages of at most 1,000 and
 * says what each can do. Keys begin with `AQ.`; those of the older kind with `AIza`.
 * Source  Gemini API reference: models.list, models.generateContent, API keys
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import type { Provider } from './provider.ts';

export const gemini: Provider = {
  name: 'gemini',
  title: 'Google Gemini',
  url: 'https://generativelanguage.googleapis.com',
  hosts: ['generativelanguage.googleapis.com'],
  basePath: '',
  query: '',
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
  keyShapes: ['AIza', 'AQ.'],
  hasPlainKeys: false,
  keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  models: /^(models\/)?(gemini-|gemma-|learnlm-)/,
  vendors: ['google', 'gemini'],
  listing: { path: '/v1beta/models?pageSize=1000', form: 'gemini' },
  mayListOpenly: false,
  thoughts: 'gemini',
  chat: PLAIN_CHAT,
  quirks: [],
};

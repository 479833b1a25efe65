/** OpenAI. Source: OpenAI API reference. */
import { OPENAI_CHAT } from './chat-traits.ts';
import type { Provider } from './provider.ts';

export const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  url: 'https://api.openai.com',
  hosts: ['openai.com'],
  basePath: '',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-responses', path: '/v1/responses' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  keyHeader: 'authorization',
  headers: [],
  passHeaders: ['openai-organization', 'openai-project', 'openai-beta', 'idempotency-key'],
  keyShapes: ['sk-proj-', 'sk-svcacct-', 'sk-admin-'],
  keyVariables: ['OPENAI_API_KEY'],
  models: /^(gpt-|chatgpt-|o\d|codex-|text-embedding-|dall-e-|whisper-|tts-|omni-)/,
  listing: { path: '/v1/models', form: 'openai' },
  thoughts: 'openai',
  chat: OPENAI_CHAT,
  quirks: [],
};

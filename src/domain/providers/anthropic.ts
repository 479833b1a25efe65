/** Anthropic. Source: Anthropic API reference. */
import { PLAIN_CHAT } from './chat-traits.ts';
import type { Provider } from './provider.ts';

export const anthropic: Provider = {
  name: 'anthropic',
  title: 'Anthropic',
  url: 'https://api.anthropic.com',
  hosts: ['anthropic.com'],
  basePath: '',
  apis: [
    { protocol: 'anthropic-messages', path: '/v1/messages' },
    { protocol: 'anthropic-count-tokens', path: '/v1/messages/count_tokens' },
  ],
  keyHeader: 'x-api-key',
  headers: ['anthropic-version', '2023-06-01'],
  passHeaders: ['anthropic-version', 'anthropic-beta'],
  keyShapes: ['sk-ant-'],
  keyVariables: ['ANTHROPIC_API_KEY'],
  models: /^claude-/,
  listing: { path: '/v1/models', form: 'anthropic' },
  thoughts: 'anthropic',
  chat: PLAIN_CHAT,
  quirks: [],
};

/**
 * Anthropic. Every call names the version of the API; fields that it does not know are refused. Its list of models comes
 * in pages of at most 1,000.
 * Source  Anthropic API reference: versions, Messages, List Models
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const anthropic: Provider = {
  name: 'anthropic',
  title: 'Anthropic',
  url: 'https://api.anthropic.com',
  hosts: ['anthropic.com'],
  basePath: '',
  query: '',
  apis: [
    { protocol: 'anthropic-messages', path: '/v1/messages' },
    { protocol: 'anthropic-count-tokens', path: '/v1/messages/count_tokens' },
  ],
  keyHeader: 'x-api-key',
  headers: ['anthropic-version', '2023-06-01'],
  passHeaders: ['anthropic-version', 'anthropic-beta'],
  keyShapes: ['sk-ant-'],
  hasPlainKeys: false,
  keyVariables: ['ANTHROPIC_API_KEY'],
  models: /^claude-/,
  vendors: ['anthropic'],
  listing: { path: '/v1/models?limit=1000', form: 'anthropic' },
  mayListOpenly: false,
  thoughts: 'anthropic',
  chat: PLAIN_CHAT,
  quirks: withoutEngineFields(['anthropic-messages', 'anthropic-count-tokens'], ['top_k']),
};

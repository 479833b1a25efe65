/**
 * DeepSeek. Thinking is a switch of its own; thoughts are sent back as they came. Knows JSON answers, no schemas. Fields
 * that it does not know are ignored, so the answer's limit needs its old name.
 * Source  DeepSeek API documentation: thinking mode, chat completion, context caching, Anthropic API
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { OLD_LIMIT, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const deepseek: Provider = {
  ...compatible,
  name: 'deepseek',
  title: 'DeepSeek',
  url: 'https://api.deepseek.com',
  hosts: ['deepseek.com'],
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'anthropic-messages', path: '/anthropic/v1/messages' },
  ],
  passHeaders: ['anthropic-version', 'anthropic-beta'],
  keyVariables: ['DEEPSEEK_API_KEY'],
  models: /^deepseek-/,
  vendors: ['deepseek'],
  mayListOpenly: false,
  chat: {
    ...PLAIN_CHAT,
    reasoning: 'thinking_object',
    replaysThoughtsAs: 'reasoning_content',
    takesJsonSchema: false,
    cacheMarks: 'automatic',
    maxStops: 16,
  },
  quirks: [OLD_LIMIT, ...withoutEngineFields(['openai-chat'])],
};

/**
 * Groq. Refuses a few fields of OpenAI's and every one that it does not know.
 * Source  Groq documentation: OpenAI compatibility, reasoning
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { withoutChatFields, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const groq: Provider = {
  ...compatible,
  name: 'groq',
  title: 'Groq',
  url: 'https://api.groq.com',
  hosts: ['groq.com'],
  basePath: '/openai',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-responses', path: '/v1/responses' },
  ],
  keyShapes: ['gsk_'],
  hasPlainKeys: false,
  keyVariables: ['GROQ_API_KEY'],
  vendors: ['groq'],
  mayListOpenly: false,
  chat: {
    ...PLAIN_CHAT,
    maxTokensField: 'max_completion_tokens',
    reasoning: 'reasoning_effort',
    replaysThoughtsAs: 'reasoning',
  },
  quirks: [
    ...withoutEngineFields(['openai-chat', 'openai-responses'], ['include_reasoning']),
    ...withoutChatFields('logprobs', 'top_logprobs', 'logit_bias', 'messages[].name'),
  ],
};

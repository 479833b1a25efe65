/** Cerebras. Refuses a few fields of OpenAI's. Source: Cerebras inference documentation, OpenAI compatibility. */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { withoutChatFields, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const cerebras: Provider = {
  ...compatible,
  name: 'cerebras',
  title: 'Cerebras',
  url: 'https://api.cerebras.ai',
  hosts: ['cerebras.ai'],
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-completions', path: '/v1/completions' },
  ],
  keyShapes: ['csk-'],
  hasPlainKeys: false,
  keyVariables: ['CEREBRAS_API_KEY'],
  vendors: ['cerebras'],
  mayListOpenly: false,
  chat: { ...PLAIN_CHAT, maxTokensField: 'max_completion_tokens', reasoning: 'reasoning_effort' },
  quirks: [
    ...withoutEngineFields(['openai-chat', 'openai-completions']),
    ...withoutChatFields('frequency_penalty', 'presence_penalty', 'logit_bias'),
  ],
};

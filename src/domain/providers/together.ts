/** Together AI. Takes the sampling fields of engines. Source: Together AI documentation, OpenAI compatibility. */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { OLD_LIMIT, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const together: Provider = {
  ...compatible,
  name: 'together',
  title: 'Together AI',
  url: 'https://api.together.xyz',
  hosts: ['together.xyz', 'together.ai'],
  keyShapes: ['tgp_v1_'],
  keyVariables: ['TOGETHER_API_KEY'],
  vendors: ['together', 'together_ai'],
  mayListOpenly: false,
  chat: { ...PLAIN_CHAT, reasoning: 'reasoning_effort', replaysThoughtsAs: 'reasoning', takesEngineFields: true },
  quirks: [
    OLD_LIMIT,
    ...withoutEngineFields(['openai-chat'], ['top_k', 'min_p', 'repetition_penalty', 'chat_template_kwargs']),
  ],
};

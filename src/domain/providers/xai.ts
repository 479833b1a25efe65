/** xAI. Recommends its Responses API; chat completions return no thoughts that could be replayed. Source: xAI API reference. */
import { OPENAI_CHAT } from './chat-traits.ts';
import { withoutEngineFields } from './engine-fields.ts';
import { openai } from './openai.ts';
import type { FieldQuirk, Provider } from './provider.ts';

const REASONERS = /^grok-(3-mini|[4-9]|code)(?!.*non-reasoning)/;

/** Source: xAI reasoning guide; what the API answers: "Argument not supported on this model: stop". */
const REFUSED_BY_REASONERS = ['stop', 'presence_penalty', 'frequency_penalty'].map(
  (name): FieldQuirk => ({ protocol: 'openai-chat', name, act: 'remove', models: REASONERS }),
);

export const xai: Provider = {
  ...openai,
  name: 'xai',
  title: 'xAI',
  url: 'https://api.x.ai',
  hosts: ['x.ai'],
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-responses', path: '/v1/responses' },
  ],
  passHeaders: ['x-grok-conv-id'],
  keyShapes: ['xai-'],
  hasPlainKeys: false,
  keyVariables: ['XAI_API_KEY'],
  models: /^grok-/,
  vendors: ['xai', 'x-ai'],
  responses: { only: /-multi-agent/, forTools: /$^/, never: /$^/ },
  thoughts: 'xai',
  chat: OPENAI_CHAT,
  quirks: [...withoutEngineFields(['openai-chat', 'openai-responses']), ...REFUSED_BY_REASONERS],
};

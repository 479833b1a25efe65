/**
 * Mistral. Refuses every field that it does not know, some of OpenAI's among them; ids of tool calls have exactly nine
 * letters and digits. Streams end with usage without being asked.
 * Source  Mistral API reference; its error texts (`extra_forbidden`, code 3280)
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import { compatible } from './compatible.ts';
import { OLD_LIMIT, withoutChatFields, withoutEngineFields } from './engine-fields.ts';
import type { Provider } from './provider.ts';

export const mistral: Provider = {
  ...compatible,
  name: 'mistral',
  title: 'Mistral',
  url: 'https://api.mistral.ai',
  hosts: ['mistral.ai'],
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  keyVariables: ['MISTRAL_API_KEY'],
  models: /^(mistral-|open-mi[sx]|ministral-|codestral-|magistral-|devstral-|pixtral-|voxtral-)/,
  vendors: ['mistral', 'mistralai'],
  mayListOpenly: false,
  chat: { ...PLAIN_CHAT, takesStreamOptions: false, toolIds: { maxLength: 9, pattern: /^[a-zA-Z0-9]{9}$/ } },
  quirks: [
    ...withoutEngineFields(['openai-chat', 'openai-embeddings']),
    OLD_LIMIT,
    { protocol: 'openai-chat', name: 'seed', act: { rename: 'random_seed' } },
    ...withoutChatFields(
      'stream_options',
      'user',
      'safety_identifier',
      'store',
      'service_tier',
      'logit_bias',
      'logprobs',
      'top_logprobs',
      'modalities',
      'audio',
      'verbosity',
      'prompt_cache_retention',
      'web_search_options',
      'functions',
      'function_call',
      'messages[].name',
      'messages[].reasoning_content',
      'messages[].reasoning',
      'messages[].reasoning_details',
      'messages[].refusal',
      'messages[].annotations',
      'messages[].audio',
      'messages[].function_call',
    ),
  ],
};

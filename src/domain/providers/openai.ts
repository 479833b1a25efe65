/**
 * OpenAI. Refuses fields that it does not know (`unknown_parameter`); its reasoning models have the new name of the
 * answer's limit only.
 * Source  OpenAI API reference, reasoning guide
 */
import { OPENAI_CHAT } from './chat-traits.ts';
import { withoutChatFields, withoutEngineFields } from './engine-fields.ts';
import type { FieldQuirk, Provider } from './provider.ts';

const REASONING_MODELS = /^(o\d|gpt-5|codex-)/;

export const openaiQuirks: readonly FieldQuirk[] = [
  ...withoutEngineFields(['openai-chat', 'openai-responses', 'openai-completions', 'openai-embeddings']),
  // In messages that clients send back as they got them: what others tell of thoughts, and what OpenAI's own client adds.
  ...withoutChatFields('messages[].reasoning_content', 'messages[].reasoning', 'messages[].reasoning_details'),
  ...withoutChatFields('messages[].parsed'),
  { protocol: 'openai-chat', name: 'max_tokens', act: { rename: 'max_completion_tokens' }, models: REASONING_MODELS },
];

export const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  url: 'https://api.openai.com',
  hosts: ['openai.com'],
  basePath: '',
  query: '',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-responses', path: '/v1/responses' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
  ],
  keyHeader: 'authorization',
  headers: [],
  passHeaders: ['openai-organization', 'openai-project', 'openai-beta', 'idempotency-key'],
  keyShapes: ['sk-svcacct-', 'sk-admin-', 'sk-proj-'],
  hasPlainKeys: true,
  keyVariables: ['OPENAI_API_KEY'],
  models: /^(gpt-|chatgpt-|o\d|codex-|computer-use-|text-embedding-|dall-e-|whisper-|tts-|omni-|davinci-|babbage-|ft:)/,
  vendors: ['openai'],
  // Source: the pages of the models, and what the API answers for others: "This model is only supported in
  // v1/responses", "Function tools with reasoning_effort are not supported".
  responses: {
    only: /^(o\d+-pro|gpt-\d+(\.\d+)?-pro|codex-|computer-use-)|-codex|-deep-research/,
    forTools: /^gpt-(5\.([4-9]|\d\d)|[6-9]|\d\d)/,
    never: /-search-(preview|api)|-audio|^o1-mini/,
  },
  listing: { path: '/v1/models', form: 'openai' },
  mayListOpenly: false,
  thoughts: 'openai',
  chat: OPENAI_CHAT,
  quirks: openaiQuirks,
};

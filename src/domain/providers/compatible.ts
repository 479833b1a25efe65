/**
 * Any cloud that speaks OpenAI's API and is not known by name: the operator says where it is and what it is called. No
 * more is taken for granted than most of such servers have.
 */
import { PLAIN_CHAT } from './chat-traits.ts';
import type { Provider } from './provider.ts';

export const compatible: Provider = {
  name: 'compatible',
  title: 'OpenAI-compatible',
  url: undefined,
  hosts: [],
  basePath: '',
  query: '',
  apis: [
    { protocol: 'openai-chat', path: '/v1/chat/completions' },
    { protocol: 'openai-completions', path: '/v1/completions' },
    { protocol: 'openai-embeddings', path: '/v1/embeddings' },
    { protocol: 'rerank', path: '/v1/rerank' },
  ],
  keyHeader: 'authorization',
  headers: [],
  passHeaders: [],
  keyShapes: [],
  hasPlainKeys: true,
  keyVariables: [],
  models: undefined,
  vendors: ['compatible'],
  listing: { path: '/v1/models', form: 'openai' },
  mayListOpenly: true,
  thoughts: undefined,
  chat: PLAIN_CHAT,
  quirks: [],
};

/** The same under the name that an operator gave it. */
export function compatibleNamed(name: string): Provider {
  return { ...compatible, name, title: name, vendors: [name] };
}

/**
 * OpenAI's models at Azure. Two ways: the v1 API under /openai/v1, which takes the deployment as `model`; and the dated
 * one, where deployment and `api-version` are in the URL. A worker whose URL names a deployment or an `api-version` is
 * asked in the dated way. Its lists name models that could be deployed, not those that are, and are not read.
 * Source  Azure OpenAI reference: v1 API, API version lifecycle, data plane inference
 */
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';

export const azure: Provider = {
  ...openai,
  name: 'azure',
  title: 'Azure OpenAI',
  url: undefined,
  hosts: ['openai.azure.com', 'services.ai.azure.com', 'cognitiveservices.azure.com'],
  basePath: '/openai',
  keyHeader: 'api-key',
  passHeaders: [],
  keyShapes: [],
  keyVariables: ['AZURE_OPENAI_API_KEY'],
  vendors: ['azure'],
  listing: undefined,
};

export const azureDated: Provider = {
  ...azure,
  basePath: '/openai/deployments/{model}',
  query: '?api-version=2024-10-21',
  apis: [
    { protocol: 'openai-chat', path: '/chat/completions' },
    { protocol: 'openai-completions', path: '/completions' },
    { protocol: 'openai-embeddings', path: '/embeddings' },
  ],
};

/** Does the worker's URL ask for the dated API? */
export function isDated(url: string): boolean {
  return url.includes('/openai/deployments') || url.includes('?api-version=');
}

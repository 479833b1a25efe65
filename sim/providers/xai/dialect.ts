/**
 * xAI: OpenAI's chat completions and responses with a body of its own for errors, and reasoners that refuse penalties.
 * Source: xAI API reference and reasoning guide; error bodies as users report them.
 */

import type { Dialect } from '../dialect.ts';
import { checkBearer, openaiHeaders } from '../openai/dialect.ts';
import { openaiEndpoints } from '../openai/endpoints.ts';
import { type ChatProfile, OPENAI_PROFILE } from '../openai/profile.ts';
import type { RefusalWords } from '../refusal.ts';

/** Models that always reason: grok-4 and later unless they say not to, and the minis of grok-3. */
function isGrokReasoner(model: string): boolean {
  return /^grok-([4-9]|3-mini|code)/.test(model) && !model.includes('non-reasoning');
}

const XAI_PROFILE: ChatProfile = {
  ...OPENAI_PROFILE,
  fields: new Set([...OPENAI_PROFILE.fields, 'search_parameters', 'deferred']),
  messageFields: ['reasoning_content'],
  isReasoner: isGrokReasoner,
  reasonerRefuses: ['presence_penalty', 'frequency_penalty', 'stop'],
  reasoningField: 'reasoning_content',
  refusesEffort: false,
  mostIdLength: 256,
};

/** xAI's dialect. */
export function xaiDialect(): Dialect {
  return {
    serverName: 'cloudflare',
    endpoints: openaiEndpoints({
      basePath: '/v1',
      profile: XAI_PROFILE,
      owner: 'xai',
      hasResponses: true,
      hasEmbeddings: false,
      hasModels: true,
    }),
    checkHeaders: (keys, check) => checkBearer(keys, check, wrongKey),
    wordRefusal: xaiErrorBody,
    answerHeaders: openaiHeaders,
    notFound: () => ({ status: 404, message: 'The requested resource was not found.' }),
  };
}

const CODES: Readonly<Record<number, string>> = {
  400: 'Client specified an invalid argument',
  401: 'Unauthenticated',
  403: 'The caller does not have permission to execute the specified operation',
  404: 'Some requested entity was not found',
  429: 'Some resource has been exhausted',
  503: 'The service is currently unavailable',
};

/** xAI's body: a sentence for the status, and the message. */
function xaiErrorBody(words: RefusalWords): unknown {
  return { code: CODES[words.status] ?? 'Internal error', error: words.message };
}

/** A wrong key is a bad argument to xAI: 400, with the key's ends shown. */
function wrongKey(key: string): RefusalWords {
  const shown = `${key.slice(0, 2)}***${key.slice(-2)}`;
  return {
    status: 400,
    message: `Incorrect API key provided: ${shown}. You can obtain an API key from https://console.x.ai.`,
  };
}

/** OpenAI itself: chat completions, responses, embeddings and models below `/v1`, with a bearer token. */

import type { SeenKey } from '../credentials.ts';
import type { Dialect, HeaderCheck } from '../dialect.ts';
import type { RefusalWords } from '../refusal.ts';
import { openaiEndpoints } from './endpoints.ts';
import { incorrectKey, MISSING_KEY, openaiErrorBody, TWO_KEYS } from './errors.ts';
import { OPENAI_PROFILE } from './profile.ts';

/** OpenAI's dialect. */
export function openaiDialect(): Dialect {
  return {
    serverName: 'cloudflare',
    endpoints: openaiEndpoints({
      basePath: '/v1',
      profile: OPENAI_PROFILE,
      owner: 'system',
      hasResponses: true,
      hasEmbeddings: true,
      hasModels: true,
    }),
    checkHeaders: (keys, check) => checkBearer(keys, check, incorrectKey),
    wordRefusal: openaiErrorBody,
    answerHeaders: openaiHeaders,
    notFound: (method, path) => ({ status: 404, message: `Invalid URL (${method} ${path})` }),
  };
}

/** Request id and rate limits as OpenAI sends them on every answer. */
export function openaiHeaders(requestId: string): Readonly<Record<string, string>> {
  return {
    'x-request-id': requestId,
    'openai-processing-ms': '12',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
  };
}

/** Exactly one credential, a bearer token, and a known one. */
export function checkBearer(
  keys: readonly SeenKey[],
  check: HeaderCheck,
  wrong: (key: string) => RefusalWords,
): RefusalWords | undefined {
  const [key] = keys;
  if (key === undefined) return MISSING_KEY;
  if (keys.length > 1) return TWO_KEYS;
  const isBearer = String(check.headers['authorization'] ?? '').startsWith('Bearer ');
  if (key.header !== 'authorization' || !isBearer || key.value === '') return MISSING_KEY;
  return check.keys.length === 0 || check.keys.includes(key.value) ? undefined : wrong(key.value);
}

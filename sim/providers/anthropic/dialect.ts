/**
 * Anthropic: messages, count_tokens and models below `/v1`, with a key and `anthropic-version`.
 * The key stands in `x-api-key`, or is a bearer token, as newer documentation and Anthropic's own clients from 1.0 have it.
 * Source: Anthropic API reference, "Authentication", "Versions", "Beta headers", "Errors", "Rate limits".
 */

import { sendJson } from '../../http/answers.ts';
import type { SeenKey } from '../credentials.ts';
import type { Dialect, HeaderCheck, ProviderCall } from '../dialect.ts';
import { planAnswer, tokensOf } from '../plan.ts';
import { sendWorded } from '../play.ts';
import type { RefusalWords } from '../refusal.ts';
import { unitsOf } from '../transcript.ts';
import { type CheckContext, checkRequest, NEWEST_VERSION } from './check.ts';
import { wordMessage } from './encode.ts';
import { anthropicErrorBody } from './errors.ts';
import { answerModel, answerModels } from './models.ts';
import { readItems, readRequest } from './read.ts';

const VERSIONS = [NEWEST_VERSION, '2023-06-01', '2023-01-01'];

/** Anthropic's dialect. */
export function anthropicDialect(): Dialect {
  return {
    serverName: 'cloudflare',
    endpoints: [
      { name: '/v1/messages', method: 'POST', pattern: /^\/v1\/messages$/, answer: answerMessages },
      {
        name: '/v1/messages/count_tokens',
        method: 'POST',
        pattern: /^\/v1\/messages\/count_tokens$/,
        answer: answerCount,
      },
      { name: '/v1/models', method: 'GET', pattern: /^\/v1\/models$/, answer: answerModels },
      { name: '/v1/models/{id}', method: 'GET', pattern: /^\/v1\/models\/(?<model>[^/]+)$/, answer: answerModel },
    ],
    checkHeaders,
    wordRefusal: anthropicErrorBody,
    answerHeaders: (requestId) => ({
      'request-id': requestId,
      'anthropic-organization-id': 'org-simulated',
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-requests-remaining': '3999',
      'anthropic-ratelimit-requests-reset': '2030-01-01T00:00:00Z',
    }),
    notFound: () => ({ status: 404, message: 'Not Found' }),
  };
}

function checkHeaders(keys: readonly SeenKey[], check: HeaderCheck): RefusalWords | undefined {
  const [key] = keys;
  if (keys.length > 1) return { status: 401, message: 'More than one credential was provided; send exactly one.' };
  const isBearer = key?.header === 'authorization' && String(check.headers['authorization']).startsWith('Bearer ');
  const isKey = key?.header === 'x-api-key' || isBearer;
  if (!isKey || key.value === '') return { status: 401, message: 'x-api-key header is required' };
  if (check.keys.length > 0 && !check.keys.includes(key.value)) return { status: 401, message: 'invalid x-api-key' };
  const version = check.headers['anthropic-version'];
  if (version === undefined) return { status: 400, message: 'anthropic-version: header is required' };
  if (!VERSIONS.includes(String(version))) {
    return { status: 400, message: `anthropic-version: "${String(version)}" is not a valid version` };
  }
  return checkBetas(check);
}

/** Betas are names with a date; anything else is refused. */
function checkBetas(check: HeaderCheck): RefusalWords | undefined {
  const header = check.headers['anthropic-beta'];
  if (header === undefined) return undefined;
  const bad = betasOf(check).find((beta) => !/^[a-z0-9-]+-\d{4}-\d{2}-\d{2}$/.test(beta));
  if (bad === undefined) return undefined;
  return { status: 400, message: `Unexpected value(s) \`${bad}\` for the \`anthropic-beta\` header.` };
}

function betasOf({ headers }: Pick<HeaderCheck, 'headers'>): readonly string[] {
  return String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((beta) => beta.trim());
}

function contextOf({ options, sealer, exchange }: ProviderCall, purpose: CheckContext['purpose']): CheckContext {
  const version = String(exchange.request.headers['anthropic-version']);
  return { models: options.models, sealer, purpose, version };
}

function answerMessages(call: ProviderCall): void {
  const { body, exchange } = call;
  checkRequest(body, contextOf(call, 'create'));
  const betas = betasOf({ headers: exchange.request.headers });
  const asked = readRequest(
    body,
    betas.some((beta) => beta.startsWith('interleaved-thinking')),
  );
  sendWorded(call, body['stream'] === true, wordMessage(call, planAnswer(asked)));
}

function answerCount(call: ProviderCall): void {
  const { body } = call;
  checkRequest(body, contextOf(call, 'count'));
  const units = readItems(body).reduce((sum, item) => sum + unitsOf(item), 0);
  sendJson(call.exchange, { input_tokens: tokensOf(units) });
}

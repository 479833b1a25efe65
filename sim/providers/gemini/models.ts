/**
 * What Gemini models can and cannot, by name, and the paged list of them.
 * Source: Gemini API reference "Models", guides "Thinking" and "Thought signatures".
 */

import { sendJson } from '../../http/answers.ts';
import type { JsonRecord } from '../../json.ts';
import type { ProviderCall } from '../dialect.ts';
import { invalidArgument, noSuchModel } from './errors.ts';

/** Models whose calls must come back with their thought signature: generation 3 and later. */
export function needsSignatures(model: string): boolean {
  return /^gemini-([3-9]|\d\d)/.test(model);
}

/** Models that think unless told not to. */
export function isThinker(model: string): boolean {
  return needsSignatures(model) || model.startsWith('gemini-2.5');
}

/** Models that cannot be told not to think. */
export function alwaysThinks(model: string): boolean {
  return /^gemini-(2\.5|3).*-pro/.test(model);
}

/** Models that embed and do nothing else. */
export function isEmbedder(model: string): boolean {
  return model.includes('embedding');
}

const MOST_PER_PAGE = 1000;

/** `GET /v1beta/models`: pages by `pageSize` and `pageToken`. */
export function answerModels(call: ProviderCall): void {
  const { query } = call.exchange;
  const { models, pageSize } = call.options;
  const size = query.get('pageSize') === null ? pageSize : Number(query.get('pageSize'));
  if (!Number.isInteger(size) || size < 0) throw invalidArgument(`Invalid page size: ${String(query.get('pageSize'))}`);
  const token = query.get('pageToken') ?? '';
  const start = token === '' ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start)) throw invalidArgument('Invalid page token.');
  const end = start + Math.min(size === 0 ? pageSize : size, MOST_PER_PAGE);
  const next = end < models.length ? { nextPageToken: Buffer.from(String(end)).toString('base64url') } : {};
  sendJson(call.exchange, { models: models.slice(start, end).map(wordModel), ...next });
}

/** `GET /v1beta/models/{model}`. */
export function answerModel(call: ProviderCall): void {
  const model = call.params['model'] ?? '';
  if (!call.options.models.includes(model)) throw noSuchModel(model, 'getModel');
  sendJson(call.exchange, wordModel(model));
}

function wordModel(model: string): JsonRecord {
  const methods = isEmbedder(model)
    ? ['embedContent', 'countTextTokens', 'countTokens']
    : ['generateContent', 'countTokens', 'createCachedContent', 'batchGenerateContent'];
  return {
    name: `models/${model}`,
    version: '001',
    displayName: model,
    description: 'A simulated model.',
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: methods,
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    ...(isThinker(model) ? { thinking: true } : {}),
  };
}

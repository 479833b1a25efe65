/**
 * Gemini: models, generateContent, streamGenerateContent, countTokens and embeddings below `/v1beta`, with
 * `x-goog-api-key` or `?key=`.
 * Source: Gemini API reference, "All methods" and "API keys"; error bodies as users report them.
 */

import { sendJson } from '../../http/answers.ts';
import { isRecord, type JsonRecord, listOf, numberOf, recordOf, stringOf } from '../../json.ts';
import type { SeenKey } from '../credentials.ts';
import type { Dialect, Endpoint, HeaderCheck, ProviderCall } from '../dialect.ts';
import { vectorOf } from '../openai/lists.ts';
import { planAnswer, tokensOf } from '../plan.ts';
import { sendWorded } from '../play.ts';
import type { RefusalWords } from '../refusal.ts';
import { unitsOf } from '../transcript.ts';
import { checkGenerate } from './check.ts';
import { checkContents, partsOf } from './contents-check.ts';
import { wordContent } from './encode.ts';
import { geminiErrorBody, invalidArgument, noSuchModel, wrongField } from './errors.ts';
import { answerModel, answerModels, isEmbedder, isThinker } from './models.ts';
import { readGenerate, readItems } from './read.ts';
import { readMessage } from './read-json.ts';

const EMBEDDING_DIMENSIONS = 64;

/** Gemini's dialect. */
export function geminiDialect(): Dialect {
  return {
    serverName: 'scaffolding on HTTPServer2',
    endpoints: [
      method('generateContent', (call) => answerGenerate(call, false)),
      method('streamGenerateContent', (call) => answerGenerate(call, true)),
      method('countTokens', answerCount),
      method('embedContent', answerEmbed),
      method('batchEmbedContents', answerBatchEmbed),
      { name: '/v1beta/models', method: 'GET', pattern: /^\/v1(beta|alpha)?\/models$/, answer: answerModels },
      {
        name: '/v1beta/models/{id}',
        method: 'GET',
        pattern: /^\/v1(beta|alpha)?\/models\/(?<model>[^/:]+)$/,
        answer: answerModel,
      },
    ],
    checkHeaders,
    wordRefusal: geminiErrorBody,
    answerHeaders: () => ({ 'x-content-type-options': 'nosniff', 'server-timing': 'gfet4t7; dur=12' }),
    notFound: () => ({ status: 404, message: 'Requested entity was not found.' }),
  };
}

function method(name: string, answer: Endpoint['answer']): Endpoint {
  const pattern = new RegExp(`^/v1(beta|alpha)?/models/(?<model>[^/:]+):${name}$`);
  return { name: `/v1beta/models/{id}:${name}`, method: 'POST', pattern, answer };
}

function checkHeaders(keys: readonly SeenKey[], check: HeaderCheck): RefusalWords | undefined {
  const [key] = keys;
  if (keys.length > 1) {
    return { status: 401, message: 'Multiple authentication credentials received. Please pass only one.' };
  }
  if ((key?.header !== 'x-goog-api-key' && key?.header !== '?key') || key.value === '') return NO_KEY;
  return check.keys.length === 0 || check.keys.includes(key.value) ? undefined : WRONG_KEY;
}

const NO_KEY: RefusalWords = {
  status: 403,
  message:
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
};

const WRONG_KEY: RefusalWords = {
  status: 400,
  message: 'API key not valid. Please pass a valid API key.',
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
  ],
};

function modelOf(call: ProviderCall, operation: string): string {
  const model = call.params['model'] ?? '';
  const isFit = isEmbedder(model) === operation.startsWith('embed') || operation === 'countTokens';
  if (!call.options.models.includes(model) || !isFit) throw noSuchModel(model, operation);
  return model;
}

function answerGenerate(call: ProviderCall, isStream: boolean): void {
  const model = modelOf(call, 'generateContent');
  const body = readMessage(call.body, 'GenerateContentRequest');
  checkGenerate(body, model, call.sealer);
  const plan = planAnswer(readGenerate(body, model), isThinker(model));
  sendWorded(call, isStream, wordContent(call, plan, body));
}

function answerCount(call: ProviderCall): void {
  const model = modelOf(call, 'countTokens');
  const outer = readMessage(call.body, 'CountTokensRequest');
  const inner = outer['generateContentRequest'];
  if (isRecord(inner) && outer['contents'] !== undefined) {
    throw invalidArgument('Only one of contents and generate_content_request may be set.');
  }
  const body = isRecord(inner) ? inner : outer;
  checkContents(body['contents'], model, call.sealer);
  const totalTokens = tokensOf(readItems(body).reduce((sum, item) => sum + unitsOf(item), 0));
  sendJson(call.exchange, { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
}

function answerEmbed(call: ProviderCall): void {
  const model = modelOf(call, 'embedContent');
  const body = readMessage(call.body, 'EmbedContentRequest');
  sendJson(call.exchange, { embedding: embed(body, model) });
}

function answerBatchEmbed(call: ProviderCall): void {
  const model = modelOf(call, 'embedContent');
  const requests = listOf(readMessage(call.body, 'BatchEmbedContentsRequest')['requests']).map(recordOf);
  if (requests.length === 0) throw wrongField('requests', 'at least one request is required.');
  const wrong = requests.findIndex((request) => request['model'] !== `models/${model}`);
  if (wrong >= 0) {
    throw invalidArgument(
      `* BatchEmbedContentsRequest.requests[${wrong}].model: must match the model of the batch: models/${model}`,
    );
  }
  sendJson(call.exchange, { embeddings: requests.map((request) => embed(request, model)) });
}

function embed(body: JsonRecord, model: string): JsonRecord {
  const named = stringOf(body['model']);
  if (named !== undefined && named !== `models/${model}`)
    throw invalidArgument(`unexpected model name format: ${named}`);
  const text = partsOf(recordOf(body['content'])).map((part) => stringOf(part['text']) ?? '');
  if (text.join('') === '') throw wrongField('content', 'content is not specified');
  return { values: vectorOf(text.join(' '), numberOf(body['outputDimensionality']) ?? EMBEDDING_DIMENSIONS) };
}

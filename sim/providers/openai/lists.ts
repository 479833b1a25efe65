/** Models and embeddings in OpenAI's shapes. Source: OpenAI API reference, "Models" and "Create embeddings". */

import { sendJson } from '../../http/answers.ts';
import { isRecord, type JsonRecord, listOf, numberOf, shown, stringOf } from '../../json.ts';
import { createRandom, hashText } from '../../random.ts';
import type { ProviderCall } from '../dialect.ts';
import { tokensOf } from '../plan.ts';
import { invalidValue, missingParameter, noSuchModel, unknownParameter } from './errors.ts';

const CREATED = 1_715_367_049;
const DIMENSIONS = 64;
const MOST_INPUTS = 2048;
const EMBEDDING_FIELDS = new Set(['input', 'model', 'dimensions', 'encoding_format', 'user']);

/** `GET /models`: one page, always. */
export function answerModels(call: ProviderCall, owner: string): void {
  sendJson(call.exchange, { object: 'list', data: call.options.models.map((model) => wordModel(model, owner)) });
}

/** `GET /models/{model}`. */
export function answerModel(call: ProviderCall, owner: string): void {
  const model = call.params['model'] ?? '';
  if (!call.options.models.includes(model)) throw noSuchModel(model);
  sendJson(call.exchange, wordModel(model, owner));
}

function wordModel(id: string, owner: string): JsonRecord {
  return { id, object: 'model', created: CREATED, owned_by: owner };
}

/** `POST /embeddings`. */
export function answerEmbeddings(call: ProviderCall): void {
  const { body, options, exchange } = call;
  const unknown = Object.keys(body).find((name) => !EMBEDDING_FIELDS.has(name));
  if (unknown !== undefined) throw unknownParameter(unknown);
  const model = stringOf(body['model']);
  if (model === undefined) throw missingParameter('model');
  if (!options.models.includes(model)) throw noSuchModel(model);
  const inputs = readInputs(body['input']);
  const dimensions = numberOf(body['dimensions']) ?? DIMENSIONS;
  const format = body['encoding_format'];
  if (format !== undefined && format !== 'float' && format !== 'base64') {
    throw invalidValue('encoding_format', `'${shown(format)}' is not one of 'float' and 'base64'.`);
  }
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, dimensions);
    return { object: 'embedding', index, embedding: format === 'base64' ? base64Of(vector) : vector };
  });
  const tokens = tokensOf(inputs.reduce((sum, input) => sum + input.length, 0));
  sendJson(exchange, { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** A unit vector that follows from the text alone. */
export function vectorOf(text: string, dimensions: number): readonly number[] {
  const random = createRandom(hashText(text));
  const raw = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const length = Math.hypot(...raw);
  return raw.map((value) => Math.fround(value / length));
}

function base64Of(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}

function readInputs(input: unknown): readonly string[] {
  if (input === undefined) throw missingParameter('input');
  const isTokens = Array.isArray(input) && input.length > 0 && input.every((item) => typeof item === 'number');
  const list = Array.isArray(input) && !isTokens ? listOf(input) : [input];
  if (list.length === 0 || list.length > MOST_INPUTS) throw invalidValue('input', 'input cannot be an empty array.');
  return list.map((item) => {
    if (Array.isArray(item)) return item.map((token) => String(token).padStart(4, '0')).join('');
    if (typeof item === 'string' && item !== '' && !isRecord(item)) return item;
    throw invalidValue('input', 'input must be text or tokens, and not empty.');
  });
}

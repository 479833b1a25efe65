/**
 * OpenAI's embeddings over Gemini's `batchEmbedContents`.
 * Source: OpenAI API reference, embeddings; Gemini API reference, `models.batchEmbedContents`.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { EncodedAnswer, EncodedRequest, EncodeTarget } from '../hub/codec.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { RawJson } from '../hub/json-text.ts';
import { jsonBytes, raw } from '../hub/json-text.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import type { UnaryTranslation } from '../hub/unary-translation.ts';

/** In one batch. */
const MAX_TEXTS = 100;
/** English prose, for an estimate. */
const BYTES_PER_TOKEN = 4;

/** Texts only: token numbers are refused. Counts are estimated where Gemini gives none. */
export const embeddingsToGemini: UnaryTranslation = {
  from: 'openai-embeddings',
  to: 'gemini-embeddings',
  encodeRequest,
  encodeAnswer,
};

function encodeRequest(bytes: Buffer, { model }: EncodeTarget): EncodedRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const outputDimensionality = body.whole('dimensions');
  encodingOf(body);
  if (body.value('user') !== undefined) warnings.lost('user', 'has no place in this API');
  const name = model.startsWith('models/') ? model : `models/${model}`;
  const requests = textsOf(body).map((text) => ({ model: name, content: { parts: [{ text }] }, outputDimensionality }));
  body.ignore('model');
  body.finish();
  return { body: jsonBytes({ requests }), warnings: warnings.list };
}

function encodingOf(body: ObjectReader): 'float' | 'base64' {
  const encoding = body.text('encoding_format') ?? 'float';
  if (encoding === 'float' || encoding === 'base64') return encoding;
  throw body.refuse('encoding_format', 'must be float or base64');
}

/** Token numbers mean nothing to a model of another maker. */
function textsOf(body: ObjectReader): string[] {
  const input = body.value('input');
  if (input?.kind === 'string') return [input.string ?? ''];
  if (input?.kind !== 'array') throw body.refuse('input', 'must be a string or a list of strings');
  if (input.items.some(({ kind }) => kind === 'number' || kind === 'array'))
    throw body.refuse('input', 'has token numbers, which models of Gemini do not take: send the text');
  const texts = body.texts('input');
  if (texts.length === 0 || texts.length > MAX_TEXTS)
    throw body.refuse('input', `must have 1 to ${MAX_TEXTS} texts for this model`);
  return texts;
}

/** `requestBody` is the client's: it says in which form the numbers are wanted. */
function encodeAnswer(
  bytes: Buffer,
  { model, requestBody }: { readonly model: string; readonly requestBody: Buffer },
): EncodedAnswer {
  const warnings = new Warnings();
  const request = readBody(requestBody, new Warnings());
  const isBase64 = encodingOf(request) === 'base64';
  const answer = parseAnswer(bytes);
  const data = embeddingsOf(answer).map((values, index) => {
    const embedding = isBase64 ? base64Of(values) : numbersOf(values);
    return { object: 'embedding', index, embedding };
  });
  const tokens = tokensOf(answer, request, warnings);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { body: jsonBytes({ object: 'list', data, model, usage }), warnings: warnings.list };
}

function parseAnswer(bytes: Buffer): JsonNode {
  try {
    return parseNode(bytes.toString('utf8'));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw invalid();
  }
}

function invalid(): GatewayError {
  return new GatewayError('upstream_invalid_answer', 'The answer of the worker holds no embeddings.');
}

/** The numbers of each text; of a single `embedContent` too. */
function embeddingsOf(answer: JsonNode): (readonly JsonNode[])[] {
  const single = answer.get('embedding');
  const embeddings = answer.get('embeddings')?.items ?? (single ? [single] : []);
  const values = embeddings.map((each) => each.get('values')?.items ?? []);
  if (values.length === 0 || values.some((each) => each.length === 0)) throw invalid();
  if (values.some((each) => each.some(({ kind }) => kind !== 'number'))) throw invalid();
  return values;
}

/** As they were written. */
function numbersOf(values: readonly JsonNode[]): readonly RawJson[] {
  return values.map(({ text }) => raw(text));
}

/** 32-bit floats, the smallest byte first. */
function base64Of(values: readonly JsonNode[]): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, { scalar }] of values.entries()) bytes.writeFloatLE(Number(scalar), 4 * index);
  return bytes.toString('base64');
}

/** Gemini counts for some models only. */
function tokensOf(answer: JsonNode, request: ObjectReader, warnings: Warnings): number {
  const counted = answer.get('usageMetadata')?.get('promptTokenCount')?.scalar;
  if (typeof counted === 'number') return counted;
  warnings.changed('usage', 'is an estimate: the worker does not count');
  const bytes = textsOf(request).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/**
 * Gemini's `embedContent` and `batchEmbedContents` for workers that take tokens.
 * Source: Gemini API reference, "Embeddings".
 */
import { GatewayError } from '../../domain/errors.ts';
import { fittedVector } from '../hub/embedding-vector.ts';
import { jsonBytes } from '../hub/json-text.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { MAX_PROMPTS } from '../hub/plain-prompts.ts';
import { wholeIn } from '../hub/sampling-reader.ts';
import type { EmbedCodec, EmbedRequest, PlainPrompt } from '../hub/text-codec.ts';

export const geminiEmbedCodec: EmbedCodec = { decodeRequest, encodeAnswer };

interface One {
  readonly prompt: PlainPrompt;
  readonly dimensions: number | undefined;
}

function decodeRequest(...[bytes, facts]: Parameters<EmbedCodec['decodeRequest']>) {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const requests = body.objects('requests');
  const isBatch = body.value('requests') !== undefined;
  if (isBatch && (requests.length === 0 || requests.length > MAX_PROMPTS))
    throw body.refuse('requests', `must have 1 to ${MAX_PROMPTS} requests`);
  const all = isBatch ? requests.map(readOne) : [readOne(body)];
  const dimensions = all[0]?.dimensions;
  if (all.some((each) => each.dimensions !== dimensions))
    throw body.refuse('requests', 'must all have the same `outputDimensionality`');
  if (dimensions !== undefined)
    warnings.changed(
      'outputDimensionality',
      'is done by cutting the vectors, which serves only with models trained for it',
    );
  if (isBatch) body.finish();
  const prompts = all.map(({ prompt }) => prompt);
  const request: EmbedRequest = { model: facts.model ?? '', prompts, encoding: 'float', dimensions, isBatch };
  return { request, warnings: warnings.list };
}

/** Unknown members are told where they stand: what kind of text it is (`taskType`, `title`) reaches no engine. */
function readOne(holder: ObjectReader): One {
  const content = holder.object('content');
  if (!content) throw holder.refuse('content', 'is missing');
  const text = content.objects('parts').map(textOf).join('');
  content.ignore('role');
  content.finish();
  const dimensions = wholeIn(holder, 'outputDimensionality', { least: 1 });
  holder.ignore('model');
  holder.finish();
  return { prompt: { kind: 'text', text }, dimensions };
}

function textOf(part: ObjectReader): string {
  const text = part.textOf('text');
  part.finish();
  return text;
}

/** Throws `upstream_invalid_answer` for what is no vector for each text. */
function encodeAnswer(...[embeddings, { request }]: Parameters<EmbedCodec['encodeAnswer']>): Buffer {
  if (embeddings.length !== request.prompts.length) throw invalid();
  const vectors = embeddings.map(({ values }) => ({ values: fittedVector(values, request.dimensions) }));
  const [first] = vectors;
  if (!first) throw invalid();
  const promptTokenCount = embeddings.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  const answer = request.isBatch === true ? { embeddings: vectors } : { embedding: first };
  return jsonBytes({ ...answer, usageMetadata: { promptTokenCount } });
}

function invalid(): GatewayError {
  return new GatewayError('upstream_invalid_answer', 'The answer of the worker holds no embedding for each text.');
}

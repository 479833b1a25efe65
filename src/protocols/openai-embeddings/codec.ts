/**
 * Embeddings for workers that take tokens.
 * Source: OpenAI API reference, "Create embeddings": vectors as lists of numbers, or as base64 of 32-bit floats, the
 * smallest byte first.
 */
import { GatewayError } from '../../domain/errors.ts';
import { fittedVector } from '../hub/embedding-vector.ts';
import { jsonBytes } from '../hub/json-text.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { readPlainPrompts } from '../hub/plain-prompts.ts';
import { wholeIn } from '../hub/sampling-reader.ts';
import type { EmbedCodec, EmbedRequest } from '../hub/text-codec.ts';

export const embedCodec: EmbedCodec = { decodeRequest, encodeAnswer };

function decodeRequest(...[bytes, facts]: Parameters<EmbedCodec['decodeRequest']>) {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const given = readPlainPrompts(body, 'input');
  if (!given) throw body.refuse('input', 'is missing');
  const encoding = body.text('encoding_format') ?? 'float';
  if (encoding !== 'float' && encoding !== 'base64') throw body.refuse('encoding_format', 'must be float or base64');
  const dimensions = wholeIn(body, 'dimensions', { least: 1 });
  if (dimensions !== undefined)
    warnings.changed('dimensions', 'is done by cutting the vectors, which serves only with models trained for it');
  const request: EmbedRequest = {
    model: facts.model ?? body.text('model') ?? '',
    prompts: given.prompts,
    encoding,
    dimensions,
  };
  body.ignore('model', 'user');
  body.finish();
  return { request, warnings: warnings.list };
}

/** Throws `upstream_invalid_answer` for what is no vector for each input. */
function encodeAnswer(...[embeddings, { model, request }]: Parameters<EmbedCodec['encodeAnswer']>): Buffer {
  if (embeddings.length !== request.prompts.length) throw invalid();
  const data = embeddings.map(({ values }, index) => {
    const vector = fittedVector(values, request.dimensions);
    return { object: 'embedding', index, embedding: request.encoding === 'base64' ? base64Of(vector) : vector };
  });
  const tokens = embeddings.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
  return jsonBytes({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, 4 * index);
  return bytes.toString('base64');
}

function invalid(): GatewayError {
  return new GatewayError('upstream_invalid_answer', 'The answer of the worker holds no embedding for each input.');
}

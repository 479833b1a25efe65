/** POST /v1/embeddings: floats or base64, several inputs at once. */

import { sendError, sendJson } from '../http/answers.ts';
import { engineError, fieldRequired } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf } from '../json.ts';
import { readPrompts } from './completions.ts';
import type { EngineParts } from './generation.ts';
import { embed, readThen } from './pooling.ts';
import { createId, requireModel } from './request.ts';

/** Answers an embeddings request. */
export function answerEmbeddings(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  if (body['input'] === undefined) return sendError(exchange, fieldRequired('input'));
  const texts = readPrompts(body['input']);
  if (texts.length === 0) return sendError(exchange, engineError(400, 'Input cannot be empty'));
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const dimensions = countOf(body['dimensions'], 1) ?? parts.options.embeddingDimensions;
  const isBase64 = body['encoding_format'] === 'base64';
  readThen(parts, exchange, texts, (promptTokens) => {
    const data = texts.map((text, index) => {
      const vector = embed(model, text, dimensions);
      return { object: 'embedding', index, embedding: isBase64 ? base64Of(vector) : vector };
    });
    const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens, completion_tokens: 0 };
    sendJson(exchange, { ...head(parts), object: 'list', model, data, usage });
  });
}

/** vLLM numbers and dates embeddings, SGLang does not. */
function head(parts: EngineParts): object {
  if (parts.options.kind !== 'vllm') return {};
  return { id: createId(parts, 'embd-'), created: Math.floor(Date.now() / 1000) };
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
}

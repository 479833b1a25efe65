/** POST /v1/responses: the body's rules. The engine keeps no responses. Wording is in `responses-encoder.ts`. */

import { sendError } from '../http/answers.ts';
import { type EngineError, engineError, fieldRequired } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, type JsonRecord, stringOf } from '../json.ts';
import { renderResponses } from '../text/render.ts';
import { requiredToolCall } from '../text/tool-call.ts';
import { type EngineParts, runGeneration } from './generation.ts';
import { exactLength, planGeneration, requireModel } from './request.ts';
import { ResponsesEncoder } from './responses-encoder.ts';

/** Answers an OpenAI responses request. */
export function answerResponses(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const problem = responsesProblem(body);
  if (problem !== undefined) return sendError(exchange, problem);
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const limit = countOf(body['max_output_tokens'], 1);
  const generation = planGeneration(parts, { ...body, n: 1 }, model, {
    idPrefix: 'resp_',
    prompts: [renderResponses(body)],
    length: exactLength(parts, body, limit),
    toolCall: requiredToolCall(body),
  });
  runGeneration(parts, exchange, generation, new ResponsesEncoder(generation, body));
}

function responsesProblem(body: JsonRecord): EngineError | undefined {
  const input = body['input'];
  if (typeof input !== 'string' && !Array.isArray(input)) return fieldRequired('input');
  const previous = stringOf(body['previous_response_id']);
  if (previous === undefined) return undefined;
  return engineError(404, `Response with id '${previous}' not found.`, 'response_id');
}

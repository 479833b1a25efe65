/** POST /v1/messages and /v1/messages/count_tokens: the bodies' rules. Wording is in `messages-encoder.ts`. */

import { countTokens } from '../core/tokens.ts';
import { sendError, sendJson } from '../http/answers.ts';
import { type EngineError, engineError, fieldRequired } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, type JsonRecord } from '../json.ts';
import { renderMessages } from '../text/render.ts';
import { requiredToolCall } from '../text/tool-call.ts';
import { type EngineParts, runGeneration } from './generation.ts';
import { MessagesEncoder } from './messages-encoder.ts';
import { naturalLength, planGeneration, requireModel } from './request.ts';

/** Answers an Anthropic messages request. */
export function answerMessages(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const limit = countOf(body['max_tokens'], 1);
  const problem = messagesProblem(body) ?? (limit === undefined ? fieldRequired('max_tokens') : undefined);
  if (problem !== undefined) return sendError(exchange, problem);
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const generation = planGeneration(parts, { ...body, n: 1 }, model, {
    idPrefix: 'msg_',
    prompts: [renderMessages(body)],
    length: naturalLength(parts, body, limit),
    toolCall: requiredToolCall(body),
  });
  runGeneration(parts, exchange, generation, new MessagesEncoder(parts.options.kind, generation));
}

/** Answers how many tokens a messages request would read. */
export function answerCountTokens(parts: EngineParts, exchange: Exchange): void {
  const problem = messagesProblem(exchange.json);
  if (problem !== undefined) return sendError(exchange, problem);
  if (requireModel(parts, exchange) === undefined) return;
  sendJson(exchange, { input_tokens: countTokens(renderMessages(exchange.json)) });
}

function messagesProblem(body: JsonRecord): EngineError | undefined {
  const messages = body['messages'];
  if (!Array.isArray(messages)) return fieldRequired('messages');
  return messages.length === 0 ? engineError(400, 'Messages cannot be empty.') : undefined;
}

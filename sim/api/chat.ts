/** POST /v1/chat/completions: the body's rules. The wording of answers is in `chat-encoder.ts`. */

import { sendError } from '../http/answers.ts';
import { engineError, fieldRequired } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { countOf, type JsonRecord } from '../json.ts';
import { renderChat } from '../text/render.ts';
import { requiredToolCall } from '../text/tool-call.ts';
import { createChatEncoder } from './chat-encoder.ts';
import { type EngineParts, runGeneration } from './generation.ts';
import { exactLength, planGeneration, requireModel } from './request.ts';

/** Answers a chat request. */
export function answerChat(parts: EngineParts, exchange: Exchange): void {
  const { json: body } = exchange;
  const problem = chatProblem(body);
  if (problem !== undefined) return sendError(exchange, problem);
  const model = requireModel(parts, exchange);
  if (model === undefined) return;
  const limit = countOf(body['max_completion_tokens'], 1) ?? countOf(body['max_tokens'], 1);
  const generation = planGeneration(parts, body, model, {
    idPrefix: parts.options.kind === 'vllm' ? 'chatcmpl-' : '',
    prompts: [renderChat(body)],
    length: exactLength(parts, body, limit),
    toolCall: requiredToolCall(body),
  });
  runGeneration(parts, exchange, generation, createChatEncoder(parts, generation));
}

function chatProblem(body: JsonRecord) {
  const messages = body['messages'];
  if (!Array.isArray(messages)) return fieldRequired('messages');
  if (messages.length === 0) return engineError(400, 'Messages cannot be empty.');
  return undefined;
}

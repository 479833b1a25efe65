/** The list of protocols: one line each. */
import type { ProtocolName } from '../domain/call.ts';
import { anthropicCountTokens, anthropicMessages } from './anthropic-messages/index.ts';
import { gemini, geminiCountTokens, geminiEmbeddings } from './gemini/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';
import { openaiResponses } from './openai-responses/index.ts';
import type { Protocol } from './protocol.ts';
import { sglangGenerate } from './sglang-generate/index.ts';
import { classify, openaiEmbeddings, rerank, score } from './unary.ts';

export const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  'openai-embeddings': openaiEmbeddings,
  'anthropic-messages': anthropicMessages,
  'anthropic-count-tokens': anthropicCountTokens,
  gemini,
  'gemini-count-tokens': geminiCountTokens,
  'gemini-embeddings': geminiEmbeddings,
  'sglang-generate': sglangGenerate,
  rerank,
  score,
  classify,
};

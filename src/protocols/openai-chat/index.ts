/** OpenAI chat completions as the gateway sees them on their way through. */
import { ChoicesTap } from '../choices-tap.ts';
import { openaiDialect } from '../dialect.ts';
import { openaiChatCodec } from './codec.ts';
import { promptReader } from '../prompt.ts';
import type { Protocol } from '../protocol.ts';
import { lastObject, usageFromOpenAi } from '../usage.ts';

/** Delta fields that hold something a client waits for; `role` alone does not. Source: OpenAI, SGLang and vLLM chunks. */
const CONTENT_FIELDS = ['content', 'reasoning_content', 'reasoning', 'refusal', 'tool_calls', 'function_call', 'audio'];

function isFilled(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

function hasContent(choice: Record<string, unknown>): boolean {
  const delta = choice['delta'];
  if (typeof delta !== 'object' || delta === null) return false;
  return CONTENT_FIELDS.some((field) => isFilled((delta as Record<string, unknown>)[field]));
}

export const openaiChat: Protocol = {
  name: 'openai-chat',
  dialect: openaiDialect,
  idPrefix: 'chatcmpl-',
  modelOptional: false,
  codec: openaiChatCodec,
  createTap: () => new ChoicesTap(hasContent),
  ...promptReader({
    // SGLang takes `input_ids` for the whole prompt; a response format constrains what comes out, not what goes in.
    content: ['input_ids', 'tools', 'functions', 'documents', 'messages'],
    salt: [
      ...['lora_path', 'chat_template', 'chat_template_kwargs', 'reasoning_effort', 'reasoning'],
      ...['mm_processor_kwargs', 'cache_salt', 'extra_key', 'session_params'],
    ],
  }),
  readUsage: (body) => usageFromOpenAi(lastObject(body, '"usage"')),
};

/**
 * A request of the hub written as a body of the Messages API, members in this order: model, max_tokens, system,
 * messages, tools, tool_choice, thinking, output_config, temperature, top_p, top_k, stop_sequences, metadata,
 * service_tier, stream, then what only this API has. Source: Anthropic API reference, Messages; structured outputs.
 */
import type { GenerationRequest, ResponseFormat } from '../../domain/generation.ts';
import type { EncodedRequest, EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonBytes, raw } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import type { Writer } from './encode-block.ts';
import { limitCacheMarks, renderBlock } from './encode-block.ts';
import { Conversation } from './encode-messages.ts';
import { encodeExtras, encodeSampling, encodeStop, encodeTier, encodeUser, reportMissing } from './encode-sampling.ts';
import { planThinking } from './encode-thinking.ts';
import { encodeToolChoice, isForced, toolBlocks } from './encode-tools.ts';
import { fitSchema } from './fit-schema.ts';
import { modelTraits } from './model-traits.ts';

/** Throws `invalid_request` for names of tools that the API refuses. */
export function encodeRequest(request: GenerationRequest, target: EncodeTarget): EncodedRequest {
  const warnings = new Warnings();
  const writer: Writer = { target, traits: modelTraits(target.model), warnings };
  const tools = toolBlocks(request, writer);
  const conversation = new Conversation(request.turns, writer);
  const format = encodeFormat(request.responseFormat, conversation, writer);
  const facts = { isForced: isForced(request), mayThinkOn: conversation.mayThinkOn };
  const plan = planThinking(request, writer, facts);
  conversation.close(writer.traits.takesPrefill && !plan.isThinking);
  const sampling = encodeSampling(request, writer, plan.isThinking);
  const extras = encodeExtras(request, writer);
  reportMissing(request, writer);
  const shared = [...tools, ...conversation.systemBlocks];
  const others = 'cache_control' in extras ? 1 : 0;
  limitCacheMarks({ shared, conversation: conversation.messageBlocks, others }, warnings);
  const body = {
    model: target.model,
    max_tokens: plan.maxTokens,
    system: conversation.system,
    messages: conversation.messages,
    tools: tools.length === 0 ? undefined : tools.map((tool) => renderBlock(tool)),
    tool_choice: encodeToolChoice(request, tools.length, writer),
    thinking: plan.thinking,
    output_config: plan.effort || format ? { effort: plan.effort, format } : undefined,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    stop_sequences: encodeStop(request, writer),
    metadata: encodeUser(request, writer),
    service_tier: encodeTier(request, writer),
    stream: request.isStream || undefined,
    ...extras,
  };
  return { body: jsonBytes(body), warnings: warnings.list };
}

const JSON_ONLY = 'Answer with one JSON object and nothing else: no words around it, no code fence.';

/** A schema where the model takes one; else, and for JSON of any shape, it is asked for in the system prompt. */
function encodeFormat(
  format: ResponseFormat | undefined,
  conversation: Conversation,
  { traits, warnings }: Writer,
): JsonOut | undefined {
  if (!format || format.type === 'text') return undefined;
  const schemaText = format.type === 'json_schema' ? format.schemaText : undefined;
  if (schemaText === undefined || !traits.takesSchemas) {
    warnings.changed('response_format', 'is asked for in the system prompt, which does not guarantee it');
    conversation.instruct(schemaText === undefined ? JSON_ONLY : `${JSON_ONLY} It must fit this schema: ${schemaText}`);
    return undefined;
  }
  if (format.type === 'json_schema' && format.description !== undefined)
    warnings.lost('response_format.description', 'has no counterpart in this API');
  const { text, changes } = traits.isClaude ? fitSchema(schemaText) : { text: schemaText, changes: [] };
  if (changes.length > 0) warnings.changed('response_format.schema', `is sent ${changes.join(', ')}`);
  return { type: 'json_schema', schema: raw(text) };
}

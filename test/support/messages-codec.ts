/** The codec of the Messages API as its tests use it: objects in, objects out. */
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type {
  GenerationRequest,
  Part,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '../../src/domain/generation.ts';
import { anthropic } from '../../src/domain/providers/anthropic.ts';
import type { Provider } from '../../src/domain/providers/provider.ts';
import { anthropicMessagesCodec } from '../../src/protocols/anthropic-messages/codec.ts';
import type { AnswerFacts, DecodeFacts } from '../../src/protocols/hub/codec.ts';

export const OLD_MODEL = 'claude-sonnet-4-5';

/** A request with nothing set but what is given. */
export function requestWith(fields: Partial<GenerationRequest> = {}): GenerationRequest {
  const plain = decodeMessages({ model: 'm', messages: [] }).request;
  return { ...plain, maxTokens: 9_000, turns: [userTurn('Hi.')], ...fields };
}

export function text(value: string): TextPart {
  return { type: 'text', text: value, cache: undefined, signature: undefined };
}

export function turn(role: Turn['role'], ...parts: readonly Part[]): Turn {
  return { role, parts, isPlain: false, name: undefined };
}

export function userTurn(value: string): Turn {
  return { ...turn('user', text(value)), isPlain: true };
}

export function call(callId: string, name = 'get_weather', argumentsText = '{}'): ToolCallPart {
  return { type: 'tool_call', callId, name, argumentsText, signature: undefined, cache: undefined };
}

export function result(callId: string, value = '18'): ToolResultPart {
  return {
    type: 'tool_result',
    callId,
    name: undefined,
    parts: [text(value)],
    isPlain: true,
    isError: false,
    responseText: undefined,
    cache: undefined,
  };
}

export function decodeMessages(body: unknown) {
  const facts = { model: undefined, isStream: undefined, headers: {} };
  return anthropicMessagesCodec.decodeRequest(Buffer.from(JSON.stringify(body)), facts);
}

export interface EncodedMessages {
  readonly body: Record<string, unknown>;
  readonly text: string;
  /** `kind: field reason`. */
  readonly warnings: readonly string[];
}

export function encodeMessages(
  request: GenerationRequest,
  model = OLD_MODEL,
  provider: Provider | undefined = anthropic,
): EncodedMessages {
  const encoded = anthropicMessagesCodec.encodeRequest(request, { provider, model, maxOutputTokens: undefined });
  return {
    body: JSON.parse(encoded.body.toString()) as Record<string, unknown>,
    text: encoded.body.toString(),
    warnings: encoded.warnings.map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`),
  };
}

/** The same for an engine that speaks the API. */
export function encodeForEngine(request: GenerationRequest): EncodedMessages {
  const target = { provider: undefined, model: 'qwen3', maxOutputTokens: undefined };
  const encoded = anthropicMessagesCodec.encodeRequest(request, target);
  const warnings = encoded.warnings.map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`);
  return {
    body: JSON.parse(encoded.body.toString()) as Record<string, unknown>,
    text: encoded.body.toString(),
    warnings,
  };
}

export function decodeFacts(): DecodeFacts {
  let count = 0;
  return {
    newId: (prefix) => {
      count += 1;
      return `${prefix}${count}`;
    },
  };
}

export function decodeStream(chunks: readonly Buffer[]): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const decoder = anthropicMessagesCodec.createDecoder(decodeFacts());
  for (const chunk of chunks) decoder.push(chunk, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

export function answerFacts(request: GenerationRequest = requestWith()): AnswerFacts {
  return { model: 'asked', createdSeconds: 1_700_000_000, ...decodeFacts(), request, isEventStream: true };
}

export interface EncodedStream {
  readonly text: string;
  readonly fields: readonly string[];
}

export function encodeStream(events: readonly GenerationEvent[]): EncodedStream {
  const encoder = anthropicMessagesCodec.createEncoder(answerFacts());
  const frames: Buffer[] = [];
  for (const event of events) encoder.push(event, (frame) => frames.push(frame));
  encoder.end((frame) => frames.push(frame));
  return { text: Buffer.concat(frames).toString(), fields: encoder.warnings.map(({ field }) => field) };
}

export function encodeWhole(events: readonly GenerationEvent[]) {
  const { body, warnings } = anthropicMessagesCodec.encodeAnswer(events, answerFacts());
  return {
    body: JSON.parse(body.toString()) as Record<string, unknown>,
    bytes: body,
    fields: warnings.map(({ field }) => field),
  };
}

/**
 * A protocol of a few lines for tests of what carries a translation: a request is its JSON, an answer the hub's events
 * as JSON, one in each `data:` line. Every name of a protocol may be given to it.
 */
import { GatewayError } from '../../src/domain/errors.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { GenerationRequest, TranslationWarning } from '../../src/domain/generation.ts';
import type { Codec, EventEncoder } from '../../src/protocols/hub/codec.ts';
import { SseDecoder } from '../../src/protocols/hub/sse-decoder.ts';
import type { Protocol } from '../../src/protocols/protocol.ts';

export const EMPTY_REQUEST: GenerationRequest = {
  model: 'm',
  isStream: false,
  wantsUsage: true,
  turns: [],
  tools: [],
  toolChoice: undefined,
  mayCallInParallel: undefined,
  responseFormat: undefined,
  reasoning: { mode: undefined, effort: undefined, budgetTokens: undefined, summary: undefined },
  maxTokens: undefined,
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  minP: undefined,
  stop: [],
  seed: undefined,
  frequencyPenalty: undefined,
  presencePenalty: undefined,
  choices: 1,
  wantsLogprobs: false,
  topLogprobs: undefined,
  logitBiasText: undefined,
  user: undefined,
  metadataText: undefined,
  serviceTier: undefined,
  verbosity: undefined,
  promptCacheKey: undefined,
  store: undefined,
  extras: [],
};

export interface TinyOptions {
  /** How often its two ways were walked. */
  readonly counts?: { decoded: number; encoded: number };
  /** What each encoded request lost. */
  readonly losses?: readonly TranslationWarning[];
  /** What each encoded answer lost. */
  readonly answerLosses?: readonly TranslationWarning[];
  /** Urls that the target cannot fetch. */
  readonly needsBytes?: boolean;
  readonly refuse?: GatewayError;
}

interface WireError {
  readonly type: 'error';
  readonly code: 'upstream_error' | 'rate_limited' | 'invalid_request';
  readonly message: string;
}

function readEvent(text: string): GenerationEvent {
  const event = JSON.parse(text) as GenerationEvent | WireError;
  if (event.type !== 'error' || !('code' in event)) return event;
  return { type: 'error', error: new GatewayError(event.code, event.message) };
}

/** The frame of an event as the tiny protocols write it. */
export function tinyFrame(event: GenerationEvent | WireError): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

export const text = (words: string): GenerationEvent => ({
  type: 'text-delta',
  choice: 0,
  text: words,
  logprobs: undefined,
});
export const START: GenerationEvent = { type: 'start', id: 'a', model: 'm', createdSeconds: undefined };
export const FINISH: GenerationEvent = {
  type: 'finish',
  choice: 0,
  reason: 'stop',
  stopSequence: undefined,
  detail: undefined,
};
export const END: GenerationEvent = { type: 'end' };

export function tinyCodec(protocol: Codec['protocol'], options: TinyOptions = {}): Codec {
  const { counts, losses = [], answerLosses = [], needsBytes = false, refuse } = options;
  const write = (event: GenerationEvent) => Buffer.from(`${protocol}: ${JSON.stringify(event)}\n\n`);
  return {
    protocol,
    streamType: () => 'text/event-stream; charset=utf-8',
    decodeRequest: (body) => {
      if (counts) counts.decoded += 1;
      const given = JSON.parse(body.toString()) as Partial<GenerationRequest>;
      return { request: { ...EMPTY_REQUEST, ...given }, warnings: [] };
    },
    encodeRequest: (request, { model }) => {
      if (counts) counts.encoded += 1;
      if (refuse) throw refuse;
      return { body: Buffer.from(JSON.stringify({ ...request, model, wire: protocol })), warnings: losses };
    },
    needsBytes: ({ kind }) => needsBytes && kind === 'url',
    createDecoder: () =>
      new SseDecoder({
        frame: ({ data }, emit) => emit(readEvent(data)),
        end: () => undefined,
      }),
    decodeAnswer: (body) => {
      const parsed = JSON.parse(body.toString()) as { readonly events?: readonly unknown[] };
      if (!parsed.events) throw new GatewayError('upstream_invalid_answer', 'There are no events.');
      return parsed.events.map((event) => readEvent(JSON.stringify(event)));
    },
    createEncoder: (): EventEncoder => ({
      push: (event, emit) => emit(write(event)),
      end: () => undefined,
      encodeError: (error) => Buffer.from(`${protocol} error: ${error.message}\n\n`),
      warnings: answerLosses,
    }),
    encodeAnswer: (events) => ({
      body: Buffer.from(JSON.stringify({ wire: protocol, events })),
      warnings: answerLosses,
    }),
    readFailure: (_status, body) => {
      if (!body.toString().startsWith('{')) return undefined;
      const { message, retryAfterMs } = JSON.parse(body.toString()) as { message: string; retryAfterMs?: number };
      return { kind: 'other', message, type: undefined, code: 'tiny', param: undefined, retryAfterMs };
    },
  };
}

/** The protocol with a tiny codec in place of its own. */
export function withTiny(protocol: Protocol, options: TinyOptions = {}): Protocol {
  return { ...protocol, codec: tinyCodec(protocol.name, options) };
}

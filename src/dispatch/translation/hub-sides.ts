/** The two ends of an answer that goes through the hub, and what is read off it on its way. */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { Usage } from '../../domain/usage.ts';
import type { AnswerFacts, Codec, DecodeFacts } from '../../protocols/hub/codec.ts';
import type { Protocol } from '../../protocols/protocol.ts';

/** Looks at every event on its way. */
export interface EventWatch {
  event(event: GenerationEvent): void;
}

export interface HubSides {
  readonly worker: Protocol;
  readonly client: Protocol;
  readonly workerCodec: Codec;
  readonly clientCodec: Codec;
  readonly answerFacts: AnswerFacts;
  readonly decodeFacts: DecodeFacts;
  readonly isStream: boolean;
  /** A new one for each attempt. */
  watch(): EventWatch | undefined;
}

/** The counts of a call from its last `usage` event. */
export function usageOf(events: readonly GenerationEvent[]): Usage | undefined {
  const last = events.findLast((event) => event.type === 'usage');
  return last?.type === 'usage' ? recordedUsage(last) : undefined;
}

export function recordedUsage({ usage }: Extract<GenerationEvent, { type: 'usage' }>): Usage {
  const { inputTokens, outputTokens, cachedInputTokens } = usage;
  return { inputTokens, outputTokens, cachedInputTokens };
}

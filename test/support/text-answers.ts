/** Makes what the ends of completions and `/generate` are given: facts, events, and the frames they emit. */
import type { RequestFacts } from '../../src/protocols/hub/codec.ts';
import type { ShownToken, TextAnswerFacts, TextCodec, TextEvent } from '../../src/protocols/hub/text-codec.ts';
import { eventsOf } from './event-stream.ts';

export const REQUEST_FACTS: RequestFacts = { model: undefined, isStream: undefined, headers: {} };

export function bodyOf(members: object): Buffer {
  return Buffer.from(JSON.stringify(members));
}

export function answerFacts(codec: TextCodec, members: object): TextAnswerFacts {
  return {
    model: 'asked',
    createdSeconds: 9,
    requestId: 'id-1',
    newId: (prefix) => `${prefix}new`,
    request: codec.decodeRequest(bodyOf(members), REQUEST_FACTS).request,
    elapsedSeconds: () => 0.5,
    weightVersion: undefined,
  };
}

/** The data of the frames, parsed where it is JSON. */
export function framesOf(codec: TextCodec, events: readonly TextEvent[], facts: TextAnswerFacts): unknown[] {
  const encoder = codec.createEncoder(facts);
  const parts: Buffer[] = [];
  for (const event of events) encoder.push(event, (part) => parts.push(part));
  encoder.end((part) => parts.push(part));
  return eventsOf(Buffer.concat(parts).toString()).map(({ data }) => (data === '[DONE]' ? data : JSON.parse(data)));
}

export function wholeOf(codec: TextCodec, events: readonly TextEvent[], facts: TextAnswerFacts): unknown {
  return JSON.parse(codec.encodeAnswer(events, facts).body.toString());
}

export function promptEvent(prompt: number, text: string, more: { tokens?: ShownToken[]; tokenCount?: number } = {}) {
  return { type: 'prompt', prompt, text, tokens: more.tokens, tokenCount: more.tokenCount } satisfies TextEvent;
}

type At = readonly [prompt: number, choice: number];

export function textEvent([prompt, choice]: At, text: string, more: { ids?: number[]; tokens?: ShownToken[] } = {}) {
  return { type: 'text', prompt, choice, text, ids: more.ids ?? [1], tokens: more.tokens } satisfies TextEvent;
}

export function finishEvent([prompt, choice]: At, change: Partial<Extract<TextEvent, { type: 'finish' }>> = {}) {
  return {
    type: 'finish',
    prompt,
    choice,
    reason: 'stop',
    matchedStop: undefined,
    promptTokens: 5,
    completionTokens: 2,
    cachedTokens: 0,
    reasoningTokens: undefined,
    ...change,
  } satisfies TextEvent;
}

export const END: TextEvent = { type: 'end' };

export function shown(id: number, text: string, logprob?: number, top: ShownToken['top'] = []): ShownToken {
  return { id, text, logprob, top };
}

/** What an answer says, however it was cut into events: for comparing answers of one content. */
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import { GatewayError } from '../../src/domain/errors.ts';

/** Deltas that follow one another joined, choice by choice; heartbeats left out. */
export function contentOf(events: readonly GenerationEvent[]): Record<string, GenerationEvent[]> {
  const lists: Record<string, GenerationEvent[]> = {};
  for (const event of events) {
    if (event.type === 'heartbeat') continue;
    const list = (lists['choice' in event ? `choice ${event.choice}` : 'answer'] ??= []);
    const last = list.at(-1);
    const joined = last && join(last, event);
    if (joined) list[list.length - 1] = joined;
    else list.push(event);
  }
  return lists;
}

function join(last: GenerationEvent, next: GenerationEvent): GenerationEvent | undefined {
  if (last.type === 'usage' && next.type === 'usage') return next;
  if (last.type === 'text-delta' && next.type === 'text-delta') {
    const logprobs = [...(last.logprobs ?? []), ...(next.logprobs ?? [])];
    return { ...next, text: last.text + next.text, logprobs: logprobs.length > 0 ? logprobs : undefined };
  }
  if (last.type === 'reasoning-delta' && next.type === 'reasoning-delta')
    return { ...next, text: last.text + next.text };
  if (last.type === 'refusal-delta' && next.type === 'refusal-delta') return { ...next, text: last.text + next.text };
  if (last.type === 'tool-call-delta' && next.type === 'tool-call-delta' && last.callId === next.callId)
    return { ...next, argumentsDelta: last.argumentsDelta + next.argumentsDelta };
  return undefined;
}

/** As fixtures hold them: errors by code and message, no members that are undefined. */
export function plainEvents(events: readonly GenerationEvent[]): unknown {
  return JSON.parse(
    JSON.stringify(events, (_key, value: unknown) =>
      value instanceof GatewayError ? { code: value.code, message: value.message } : value,
    ),
  );
}

/** Ids that count up: the same in every run. */
export function countedIds(): (prefix: string) => string {
  let count = 0;
  return (prefix) => {
    count += 1;
    return `${prefix}${count}`;
  };
}

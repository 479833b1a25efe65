/** Reads an event stream as it comes, event by event. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

export interface FleetStreamEvent {
  readonly id: string;
  readonly event: string;
  // The tests say what they expect of it.
  readonly data: Record<string, unknown> & { readonly worker?: Record<string, unknown> };
}

export interface EventReader {
  /** The next event; rejects when the stream ends before it. */
  next(): Promise<FleetStreamEvent>;
  /** Reads on until one fits. */
  until(fits: (event: FleetStreamEvent) => boolean): Promise<FleetStreamEvent>;
  /** Reads to the end; the events that were left. */
  rest(): Promise<FleetStreamEvent[]>;
  close(): void;
}

export async function readEvents(t: TestContext, url: string): Promise<EventReader> {
  const gone = new AbortController();
  t.after(() => gone.abort());
  const reply = await fetch(url, { signal: gone.signal });
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get('content-type') ?? '', /^text\/event-stream/);
  const events = parse(reply.body as AsyncIterable<Uint8Array>);
  const next = async () => {
    const { value, done } = await events.next();
    if (done) throw new Error('the stream has ended');
    return value;
  };
  return {
    next,
    until: async (fits) => {
      for (;;) {
        const event = await next();
        if (fits(event)) return event;
      }
    },
    rest: async () => {
      const left: FleetStreamEvent[] = [];
      for await (const event of events) left.push(event);
      return left;
    },
    close: () => gone.abort(),
  };
}

async function* parse(body: AsyncIterable<Uint8Array>): AsyncGenerator<FleetStreamEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      if (frame.startsWith(':')) continue;
      const fields = Object.fromEntries(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
      );
      yield { id: fields['id'] ?? '', event: fields['event'] ?? '', data: JSON.parse(fields['data'] ?? '') };
    }
  }
}

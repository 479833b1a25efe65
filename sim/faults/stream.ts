/**
 * Faults on event streams: sinks that stand between an endpoint's encoder and the wire.
 *
 *   encoder -> CutSink (strikes after k events) | PacedSink (late, slow or behind heartbeats) -> EventStream
 */

import { type EventSink, EventStream } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fault } from './fault.ts';
import { PacedSink } from './paced-sink.ts';

/** How an API says in its stream that it failed. */
export type ErrorFrames = (message: string, code: number) => readonly string[];

/** Opens the event stream of an answer, spoiled by the exchange's fault if that fault concerns streams. */
export function openSink(exchange: Exchange, contentType: string, errorFrames: ErrorFrames): EventSink {
  const { fault } = exchange;
  const type = fault?.kind === 'wrong_content_type' ? fault.contentType : contentType;
  const stream = new EventStream(exchange, { 'content-type': type });
  return fault === undefined ? stream : spoil(stream, fault, errorFrames);
}

function spoil(stream: EventStream, fault: Fault, errorFrames: ErrorFrames): EventSink {
  const { exchange } = stream;
  switch (fault.kind) {
    case 'wrong_content_type':
      exchange.fired(fault.kind);
      return stream;
    case 'close_idle':
      exchange.fired(fault.kind);
      exchange.closeAfterAnswer();
      return stream;
    case 'slow':
    case 'heartbeats':
      exchange.fired(fault.kind);
      return new PacedSink(stream, fault);
    case 'reset_before_first_byte':
    case 'hang_before_first_byte':
      return strikeAtOnce(stream, fault);
    default: {
      const strike = strikeOf(stream, fault, errorFrames);
      return strike === undefined ? stream : new CutSink(stream, strike);
    }
  }
}

function strikeAtOnce(stream: EventStream, fault: Fault): EventSink {
  const { exchange } = stream;
  exchange.fired(fault.kind);
  stream.flushHeaders();
  if (fault.kind === 'reset_before_first_byte') exchange.afterFlush(() => exchange.reset());
  return SILENT;
}

const SILENT: EventSink = { flushHeaders: () => undefined, event: () => undefined, end: () => undefined };

interface Strike {
  /** Events let through first. */
  readonly after: number;
  /** Strikes right behind that event, not only when the next one comes. */
  readonly isEager: boolean;
  /** Does it; `next` is the frame held back, if there is one. True when the stream may go on. */
  act(next: string | undefined): boolean;
}

function strikeOf(stream: EventStream, fault: Fault, errorFrames: ErrorFrames): Strike | undefined {
  const { exchange } = stream;
  const over = (after: number, isEager: boolean, act: (next: string | undefined) => void): Strike => ({
    after,
    isEager,
    act: (next) => {
      exchange.fired(fault.kind);
      act(next);
      return false;
    },
  });
  switch (fault.kind) {
    case 'reset_after':
      return over(fault.events, !fault.fin, (next) => endBadly(stream, fault, next));
    case 'kill_after':
      return over(fault.events, true, () => flushThen(stream, () => exchange.host.kill()));
    case 'hang_after':
      return over(fault.events, true, () => stream.flushHeaders());
    case 'error_event':
      return over(fault.events, false, () => {
        for (const frame of errorFrames(fault.message, fault.code)) stream.event(frame);
        stream.end();
      });
    case 'truncated_json':
      return over(1, false, (next) => {
        if (next !== undefined) stream.event(next.slice(0, Math.floor(next.length / 2)));
        stream.end();
      });
    case 'short_body':
      return over(Number.POSITIVE_INFINITY, false, () => exchange.closeWithFin());
    case 'malformed_sse':
      return {
        after: fault.events,
        isEager: false,
        act: () => {
          exchange.fired(fault.kind);
          stream.event(fault.text);
          return true;
        },
      };
    default:
      return undefined;
  }
}

function endBadly(stream: EventStream, fault: Extract<Fault, { kind: 'reset_after' }>, next: string | undefined): void {
  if (fault.clean) {
    stream.end();
  } else if (fault.fin) {
    stream.partialEvent(next ?? ': cut\n\n');
    stream.exchange.closeWithFin();
  } else {
    flushThen(stream, () => stream.exchange.reset());
  }
}

function flushThen(stream: EventStream, act: () => void): void {
  stream.flushHeaders();
  stream.exchange.markCut();
  stream.exchange.afterFlush(act);
}

/** Lets `after` events through, then strikes once. */
class CutSink implements EventSink {
  readonly #stream: EventStream;
  readonly #strike: Strike;
  #sent = 0;
  #state: 'before' | 'struck' | 'over' = 'before';

  constructor(stream: EventStream, strike: Strike) {
    this.#stream = stream;
    this.#strike = strike;
  }

  flushHeaders(): void {
    this.#stream.flushHeaders();
  }

  event(frame: string): void {
    if (this.#state === 'before' && this.#sent >= this.#strike.after) this.#act(frame);
    if (this.#state === 'over') return;
    this.#stream.event(frame);
    this.#sent++;
    if (this.#state === 'before' && this.#strike.isEager && this.#sent === this.#strike.after) this.#act(undefined);
  }

  end(): void {
    const isDue = this.#sent === this.#strike.after || this.#strike.after === Number.POSITIVE_INFINITY;
    if (this.#state === 'before' && !this.#strike.isEager && isDue) this.#act(undefined);
    if (this.#state !== 'over') this.#stream.end();
  }

  #act(next: string | undefined): void {
    this.#state = this.#strike.act(next) ? 'struck' : 'over';
  }
}

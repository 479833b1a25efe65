/**
 * An event sink that is late on purpose: slow first byte, pauses between events, or heartbeats before content.
 * Keeps at most one timer per stream, cleared when the exchange ends.
 */

import type { EventSink, EventStream } from '../http/event-stream.ts';
import type { Fault } from './fault.ts';

const END = Symbol('end');
const HEARTBEAT = ': heartbeat\n\n';

/** Holds frames back in order and lets them out by the clock. Times in real ms, unaffected by the engine's speed. */
export class PacedSink implements EventSink {
  readonly #stream: EventStream;
  readonly #queue: (string | typeof END)[] = [];
  readonly #firstMs: number;
  readonly #gapMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isFirst = true;

  constructor(stream: EventStream, fault: Extract<Fault, { kind: 'slow' | 'heartbeats' }>) {
    this.#stream = stream;
    this.#firstMs = fault.kind === 'slow' ? fault.firstByteMs : 0;
    this.#gapMs = fault.kind === 'slow' ? fault.interEventMs : 0;
    stream.exchange.onEnd(() => clearTimeout(this.#timer));
    if (fault.kind === 'heartbeats') this.#beat(fault.everyMs, fault.count);
  }

  /** Nothing leaves before its time, headers included. */
  flushHeaders(): void {}

  event(frame: string): void {
    this.#queue.push(frame);
    this.#arm();
  }

  end(): void {
    this.#queue.push(END);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#queue.length === 0 || !this.#stream.exchange.isOpen) return;
    const delayMs = this.#isFirst ? this.#firstMs : this.#gapMs;
    if (delayMs === 0) this.#drain();
    else this.#timer = setTimeout(() => this.#releaseOne(), delayMs);
  }

  #releaseOne(): void {
    this.#timer = undefined;
    this.#isFirst = false;
    this.#write();
    if (this.#queue[0] === END || this.#gapMs === 0) this.#drain();
    else this.#arm();
  }

  #drain(): void {
    this.#isFirst = false;
    if (this.#gapMs === 0) while (this.#queue.length > 0) this.#write();
    else this.#write();
    this.#arm();
  }

  #write(): void {
    const next = this.#queue.shift();
    if (next === END) this.#stream.end();
    else if (next !== undefined) this.#stream.event(next);
  }

  #beat(everyMs: number, left: number): void {
    if (left === 0) {
      this.#timer = undefined;
      this.#arm();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#stream.event(HEARTBEAT);
      this.#beat(everyMs, left - 1);
    }, everyMs);
  }
}

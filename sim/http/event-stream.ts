/**
 * Server-sent events on one answer, one write per event.
 * The chunked framing is written here and not by node:http: a frame then costs one string instead of four writes,
 * and faults can leave a chunk unfinished.
 */

import type { AnswerHeaders, Exchange } from './exchange.ts';

/** Where an endpoint's encoder puts its events. Frames are complete: `data: …\n\n`. */
export interface EventSink {
  /** Sends the headers alone, for engines that do so before their first token. */
  flushHeaders(): void;
  event(frame: string): void;
  end(): void;
}

/** The plain, faultless sink. */
export class EventStream implements EventSink {
  readonly exchange: Exchange;
  readonly #isChunked: boolean;

  constructor(exchange: Exchange, headers: AnswerHeaders) {
    const { request, response } = exchange;
    this.exchange = exchange;
    this.#isChunked = request.httpVersion !== '1.0';
    response.writeHead(200, this.#isChunked ? { ...headers, 'transfer-encoding': 'chunked' } : headers);
    response.chunkedEncoding = false;
    exchange.host.counters.streamOpened();
    exchange.onEnd(() => exchange.host.counters.streamClosed());
  }

  flushHeaders(): void {
    this.exchange.response.flushHeaders();
  }

  event(frame: string): void {
    if (this.exchange.isOpen) this.exchange.response.write(this.#isChunked ? chunk(frame) : frame);
  }

  /** Writes the beginning of a chunk that promises the whole frame. */
  partialEvent(frame: string): void {
    const whole = chunk(frame);
    this.exchange.response.write(whole.slice(0, Math.max(4, Math.floor(whole.length / 2))));
  }

  end(): void {
    if (this.exchange.isOpen) this.exchange.response.end(this.#isChunked ? '0\r\n\r\n' : '');
  }
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

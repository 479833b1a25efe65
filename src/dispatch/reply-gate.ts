/** What the client gets of an answer: nothing until it is committed, then every byte as it comes. */
import type { Clock } from '../base/clock.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { KeyMask } from '../domain/key-mask.ts';
import type { ReplyWriter } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import { replyHeaders } from './reply-headers.ts';

interface GateParts {
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** For an answer with the status of an error. */
  readonly mask: KeyMask;
}

/** Holds the worker back while the client is slow. */
export interface Throttle {
  pause(): void;
}

export class ReplyGate {
  status = 0;
  headers: HeaderList = [];
  isCommitted = false;
  /** A write was not taken, and `drained` has not come since. */
  isPaused = false;
  heldBytes = 0;
  #held: Buffer[] = [];
  readonly #writer: ReplyWriter;
  readonly #record: CallRecord;
  readonly #clock: Clock;
  readonly #throttle: Throttle;
  readonly #mask: KeyMask;

  constructor(writer: ReplyWriter, record: CallRecord, { clock, throttle, mask }: GateParts) {
    this.#writer = writer;
    this.#record = record;
    this.#clock = clock;
    this.#throttle = throttle;
    this.#mask = mask;
  }

  get isGood(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.heldBytes += bytes.length;
  }

  takeHeld(): Buffer {
    const held = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.dropHeld();
    return held;
  }

  dropHeld(): void {
    this.#held = [];
    this.heldBytes = 0;
  }

  /** The head goes out, and nothing can be taken back. Returns what was held, for the answer to write. */
  commit(length: 'unknown' | 'as_sent'): Buffer {
    this.#writeHead(length);
    this.isCommitted = true;
    return this.takeHeld();
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#record.sentBytes += bytes.length;
    if (this.#writer.write(this.#shown(bytes)) || this.isPaused) return;
    this.isPaused = true;
    this.#throttle.pause();
  }

  /** A whole answer at once, head and all. */
  writeWhole(body: Buffer): void {
    this.#writeHead(body.length);
    this.end(body);
  }

  end(last?: Buffer): void {
    if (last) this.#record.sentBytes += last.length;
    this.#writer.end(last && this.#shown(last));
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#writer.destroy();
  }

  #writeHead(length: number | 'unknown' | 'as_sent'): void {
    this.#record.headAt = this.#clock.now();
    this.#record.status = this.status;
    const headers = this.status < 400 ? this.headers : this.#mask.headers(this.headers);
    this.#writer.head(this.status, replyHeaders(headers, this.#record, length));
  }

  #shown(bytes: Buffer): Buffer {
    return this.status < 400 ? bytes : this.#mask.bytes(bytes);
  }
}

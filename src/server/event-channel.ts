/**
 * One client of an event stream: frames written as they come, held back while the client is slow, and the client cut
 * off when it falls too far behind. Owns the backlog of that client.
 */
import type { ReplyWriter } from '../domain/ports.ts';

/** What waits for a client beyond this is more than it will ever read. */
const MAX_BACKLOG_BYTES = 1024 * 1024;

export class EventChannel {
  readonly #writer: ReplyWriter;
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  #isSlow = false;
  #isOver = false;
  #lastId = 0;

  constructor(writer: ReplyWriter) {
    this.#writer = writer;
    writer.onDrain(() => this.#flush());
  }

  /** False once the client has been cut off. */
  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** One event; ids count up from 1. Cost O(data). */
  send(event: string, data: unknown): void {
    this.#lastId += 1;
    this.#write(`id: ${this.#lastId}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** A sign of life that clients ignore. */
  beat(): void {
    if (!this.#isSlow) this.#write(': still here\n\n');
  }

  #write(frame: string): void {
    if (this.#isOver) return;
    const bytes = Buffer.from(frame);
    if (!this.#isSlow) {
      this.#isSlow = !this.#writer.write(bytes);
      return;
    }
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    if (this.#backlogBytes <= MAX_BACKLOG_BYTES) return;
    this.#isOver = true;
    this.#backlog = [];
    this.#writer.destroy();
  }

  #flush(): void {
    const waiting = this.#backlog;
    this.#backlog = [];
    this.#backlogBytes = 0;
    this.#isSlow = waiting.length > 0 && !this.#writer.write(Buffer.concat(waiting));
  }
}

/**
 * One keep-alive connection of the load client: writes the same request again and again, checks every answer.
 * Shapes  new LoadConnection(plan, observer) · start() · stop()
 * Units   ms of performance.now()
 * Cost    two clock reads per request, no allocation besides Node's own write; reads go to one shared buffer
 * Errors  a wrong, short, late or torn answer is told to the observer, then the connection is opened anew
 */
import { connect, type Socket } from 'node:net';
import { MessageReader } from './message-reader.ts';
import { DONE_FRAME } from './wire.ts';

export interface Plan {
  readonly port: number;
  readonly request: Buffer;
  readonly stream: boolean;
  /** SSE frames of a streamed answer, or 0. */
  readonly frames: number;
  /** Bytes of the whole answer: the gateway passes bytes through untouched, so any other number is a failure. Undefined: it writes its own. */
  readonly bodyBytes: number | undefined;
}

export interface Observer {
  answered(latencyMs: number, firstByteMs: number): void;
  failed(reason: string): void;
}

/** Reads are handled before the next one starts, so that all connections can share their buffer. */
const SHARED = Buffer.allocUnsafe(256 * 1024);
const LF = 10;
const MAX_FAILURES_IN_A_ROW = 20;

export class LoadConnection {
  readonly #plan: Plan;
  readonly #observer: Observer;
  #socket: Socket | undefined;
  #reader: MessageReader | undefined;
  #isStopping = false;
  #isWaiting = false;
  #failuresInARow = 0;
  #sentAt = 0;
  #readAt = 0;
  #firstByteAt = 0;
  #status = '';
  #bytes = 0;
  #newlines = 0;
  readonly #tail = Buffer.alloc(DONE_FRAME.length);
  #onStopped: (() => void) | undefined;

  constructor(plan: Plan, observer: Observer) {
    this.#plan = plan;
    this.#observer = observer;
  }

  /** Resolves once the first request is written. */
  start(): Promise<void> {
    this.#reader = new MessageReader('response', {
      head: (head) => {
        this.#status = head.slice(9, 12);
      },
      body: (bytes, start, end) => this.#onBody(bytes, start, end),
      end: () => this.#onEnd(),
    });
    return new Promise((resolve) => {
      const socket = connect({
        port: this.#plan.port,
        host: '127.0.0.1',
        noDelay: true,
        onread: { buffer: SHARED, callback: (length) => this.#onRead(length) },
      });
      this.#socket = socket;
      socket.on('connect', () => {
        this.#send();
        resolve();
      });
      socket.on('error', (error) => this.#fail(error.message, socket));
      socket.on('close', () => {
        this.#fail('closed before the answer was complete', socket);
        resolve();
      });
    });
  }

  /** Lets the open request finish; resolves when the connection is closed. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return new Promise((resolve) => {
      this.#onStopped = resolve;
      if (!this.#isWaiting) this.#leave();
    });
  }

  /** Gives the open request up as failed. */
  abandon(): void {
    if (this.#isWaiting) this.#fail('no answer in time', this.#socket);
    this.#leave();
  }

  #send(): void {
    this.#bytes = 0;
    this.#newlines = 0;
    this.#firstByteAt = 0;
    this.#isWaiting = true;
    this.#sentAt = performance.now();
    this.#socket?.write(this.#plan.request);
  }

  #onRead(length: number): boolean {
    this.#readAt = performance.now();
    try {
      this.#reader?.push(SHARED, length);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error), this.#socket);
    }
    return true;
  }

  #onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#firstByteAt === 0) this.#firstByteAt = this.#readAt;
    this.#bytes += end - start;
    if (!this.#plan.stream) return;
    for (let at = bytes.indexOf(LF, start); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) this.#newlines++;
    if (this.#bytes + DONE_FRAME.length >= (this.#plan.bodyBytes ?? 0)) this.#keepTail(bytes, start, end);
  }

  #keepTail(bytes: Buffer, start: number, end: number): void {
    const fresh = Math.min(end - start, this.#tail.length);
    this.#tail.copyWithin(0, fresh);
    bytes.copy(this.#tail, this.#tail.length - fresh, end - fresh, end);
  }

  #onEnd(): void {
    const wrong = this.#wrongness();
    if (wrong !== undefined) {
      this.#fail(wrong, this.#socket);
      return;
    }
    this.#failuresInARow = 0;
    this.#isWaiting = false;
    this.#observer.answered(this.#readAt - this.#sentAt, this.#firstByteAt - this.#sentAt);
    if (this.#isStopping) this.#leave();
    else this.#send();
  }

  #wrongness(): string | undefined {
    if (!this.#isWaiting) return 'an answer nobody asked for';
    if (this.#status !== '200') return `status ${this.#status}`;
    if (this.#plan.stream && this.#newlines !== 2 * this.#plan.frames) return `${this.#newlines / 2} SSE frames`;
    if (this.#plan.stream && !this.#tail.equals(DONE_FRAME)) return 'no [DONE] at the end';
    const { bodyBytes } = this.#plan;
    if (bodyBytes !== undefined && this.#bytes !== bodyBytes) return `${this.#bytes} bytes, not ${bodyBytes}`;
    return undefined;
  }

  #fail(reason: string, socket: Socket | undefined): void {
    if (socket === undefined || socket !== this.#socket) return;
    this.#socket = undefined;
    this.#isWaiting = false;
    this.#observer.failed(reason);
    socket.destroy();
    if (this.#isStopping || ++this.#failuresInARow > MAX_FAILURES_IN_A_ROW) this.#leave();
    else setTimeout(() => this.#restart(), 10 * this.#failuresInARow);
  }

  #restart(): void {
    if (!this.#isStopping) void this.start();
  }

  #leave(): void {
    this.#isStopping = true;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#onStopped?.();
  }
}

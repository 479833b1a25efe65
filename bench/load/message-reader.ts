/**
 * Reads HTTP/1.1 messages from a byte stream cut anywhere: as little parsing as a benchmark can do with.
 * Shapes  push(bytes, end) → sink.head(text) · sink.body(bytes, start, end)* · sink.end(), again and again
 * Units   bytes; body pieces point into the pushed buffer and are valid only during the call
 * Cost    one indexOf and one string per head, one pass over chunk lines, bodies are not copied
 * Errors  throws on a head over 16 KB, a bad length or chunk line, or a response without any length
 * Owner   one connection. Not for production: no obs-fold, no upgrade, trailers are skipped unread
 */
export interface MessageSink {
  /** Start line and headers, latin1, without the empty line. */
  head(head: string): void;
  body(bytes: Buffer, start: number, end: number): void;
  end(): void;
}

const STATE = { head: 0, sized: 1, chunkLine: 2, chunk: 3, chunkEnd: 4, trailers: 5 } as const;
type State = (typeof STATE)[keyof typeof STATE];

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 16 * 1024;
const CHUNKED = -1;
const LF = 10;
const CR = 13;

export class MessageReader {
  readonly #kind: 'request' | 'response';
  readonly #sink: MessageSink;
  #state: State = STATE.head;
  #carry = '';
  #left = 0;
  #lineIsEmpty = true;
  #sizeIsOver = false;
  #lastHead = '';
  #lastFraming = 0;

  constructor(kind: 'request' | 'response', sink: MessageSink) {
    this.#kind = kind;
    this.#sink = sink;
  }

  /** True between two messages. */
  get isIdle(): boolean {
    return this.#state === STATE.head && this.#carry === '';
  }

  push(bytes: Buffer, end: number = bytes.length): void {
    let at = 0;
    while (at < end) at = this.#step(bytes, at, end);
  }

  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case STATE.head:
        return this.#readHead(bytes, at, end);
      case STATE.sized:
      case STATE.chunk:
        return this.#readBody(bytes, at, end);
      case STATE.chunkLine:
        return this.#readChunkLine(bytes, at, end);
      case STATE.chunkEnd:
        return this.#skipLine(bytes, at, end);
      case STATE.trailers:
        return this.#readTrailers(bytes, at, end);
    }
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#carry === '') {
      const stop = bytes.indexOf(HEAD_END, at);
      if (stop !== -1 && stop + 4 <= end) {
        this.#open(bytes.toString('latin1', at, stop));
        return stop + 4;
      }
    }
    const carried = this.#carry.length;
    const text = this.#carry + bytes.toString('latin1', at, end);
    const stop = text.indexOf('\r\n\r\n');
    if (stop === -1) {
      if (text.length > MAX_HEAD_BYTES) throw new Error('head is too long');
      this.#carry = text;
      return end;
    }
    this.#carry = '';
    this.#open(text.slice(0, stop));
    return at + stop + 4 - carried;
  }

  #open(head: string): void {
    // Heads of one target repeat, apart from the date once a second: comparing is cheaper than parsing.
    if (head !== this.#lastHead) {
      this.#lastFraming = framingOf(head, this.#kind);
      this.#lastHead = head;
    }
    this.#sink.head(head);
    if (this.#lastFraming === CHUNKED) this.#startChunkLine();
    else if (this.#lastFraming === 0) this.#finish();
    else {
      this.#left = this.#lastFraming;
      this.#state = STATE.sized;
    }
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + this.#left);
    this.#left -= stop - at;
    this.#sink.body(bytes, at, stop);
    if (this.#left === 0) {
      if (this.#state === STATE.sized) this.#finish();
      else this.#state = STATE.chunkEnd;
    }
    return stop;
  }

  #startChunkLine(): void {
    this.#left = 0;
    this.#lineIsEmpty = true;
    this.#sizeIsOver = false;
    this.#state = STATE.chunkLine;
  }

  #readChunkLine(bytes: Buffer, at: number, end: number): number {
    for (let index = at; index < end; index++) {
      const byte = bytes[index] ?? 0;
      if (byte === LF) {
        if (this.#lineIsEmpty) throw new Error('chunk without a size');
        this.#lineIsEmpty = true;
        this.#state = this.#left === 0 ? STATE.trailers : STATE.chunk;
        return index + 1;
      }
      this.#readSizeByte(byte);
    }
    return end;
  }

  #readSizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (this.#sizeIsOver) return;
    if (digit !== -1) {
      this.#left = this.#left * 16 + digit;
      this.#lineIsEmpty = false;
    } else if (byte === CR || byte === 0x3b) this.#sizeIsOver = true;
    else throw new Error(`byte ${byte} in a chunk size`);
  }

  #skipLine(bytes: Buffer, at: number, end: number): number {
    const byte = bytes[at];
    if (byte !== CR && byte !== LF) throw new Error('chunk is longer than its size');
    if (byte === LF) this.#startChunkLine();
    else if (at + 1 < end && bytes[at + 1] === LF) {
      this.#startChunkLine();
      return at + 2;
    }
    return at + 1;
  }

  #readTrailers(bytes: Buffer, at: number, end: number): number {
    for (let index = at; index < end; index++) {
      const byte = bytes[index];
      if (byte === LF) {
        if (this.#lineIsEmpty) {
          this.#finish();
          return index + 1;
        }
        this.#lineIsEmpty = true;
      } else if (byte !== CR) this.#lineIsEmpty = false;
    }
    return end;
  }

  #finish(): void {
    this.#state = STATE.head;
    this.#sink.end();
  }
}

function framingOf(head: string, kind: 'request' | 'response'): number {
  const lower = head.toLowerCase();
  if (/\r\ntransfer-encoding:[^\r]*chunked/.test(lower)) return CHUNKED;
  const length = /\r\ncontent-length:\s*([^\s]*)/.exec(lower)?.[1];
  if (length === undefined) {
    if (kind === 'request') return 0;
    throw new Error(`response without a length: ${head.slice(0, 200)}`);
  }
  if (!/^\d+$/.test(length)) throw new Error(`content-length is ${length}`);
  return Number(length);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

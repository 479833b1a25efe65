/**
 * Messages in the bytes of a stream: a flag, four bytes of length, the message (gRPC over HTTP/2, "Length-Prefixed-Message").
 * Shapes  framed(message) → bytes to send; framer.push(chunk, target) → FrameFault | undefined
 * Cost    a message that is whole in one chunk is handed on as a view of it; only a cut one is copied, once
 * Errors  a fault ends the stream: what follows it cannot be framed
 */

export const PREFIX_BYTES = 5;
/** A cut message's buffer starts no larger than this: what a prefix claims is paid for only as the bytes come. */
const FIRST_BODY_BYTES = 256 * 1024;

export interface FrameTarget {
  /** One message; `bytes` are the framer's own and end with the call. False: no more is wanted. */
  frame(bytes: Uint8Array): boolean;
}

export interface FrameFault {
  readonly kind: 'compressed' | 'flag' | 'too_large';
  readonly lengthBytes: number;
}

export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

export class Framer {
  readonly #maxBytes: number;
  /** Bytes of the prefix that are here; the flag and the length as far as they are read. */
  #prefixBytes = 0;
  #flag = 0;
  #length = 0;
  /** The message that is being put together, and how much of it is here. */
  #body: Buffer | undefined;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Some bytes of a message are here and others are not. */
  get isInside(): boolean {
    return this.#prefixBytes > 0;
  }

  push(chunk: Buffer, target: FrameTarget): FrameFault | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefixBytes === 0 && chunk.length - at >= PREFIX_BYTES) {
        this.#flag = chunk[at] as number;
        this.#length = chunk.readUInt32BE(at + 1);
        this.#prefixBytes = PREFIX_BYTES;
        at += PREFIX_BYTES;
      } else if (this.#prefixBytes < PREFIX_BYTES) {
        at = this.#readPrefix(chunk, at);
        if (this.#prefixBytes < PREFIX_BYTES) return undefined;
      }
      if (this.#flag !== 0) return { kind: this.#flag === 1 ? 'compressed' : 'flag', lengthBytes: this.#length };
      if (this.#length > this.#maxBytes) return { kind: 'too_large', lengthBytes: this.#length };
      const end = at + this.#length - this.#filled;
      if (end > chunk.length) {
        if (at < chunk.length) this.#keep(chunk.subarray(at));
        return undefined;
      }
      const message = this.#body === undefined ? chunk.subarray(at, end) : this.#complete(chunk.subarray(at, end));
      at = end;
      this.#reset();
      if (!target.frame(message)) return undefined;
    }
    // A message without bytes is complete with its prefix, so nothing is left over here but a cut one.
    return undefined;
  }

  #readPrefix(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && this.#prefixBytes < PREFIX_BYTES) {
      const byte = chunk[at++] as number;
      if (this.#prefixBytes === 0) this.#flag = byte;
      else this.#length = this.#length * 256 + byte;
      this.#prefixBytes++;
    }
    return at;
  }

  #keep(part: Buffer): void {
    const needed = this.#filled + part.length;
    if (this.#body === undefined) {
      this.#body = Buffer.allocUnsafe(Math.min(this.#length, Math.max(FIRST_BODY_BYTES, needed)));
    } else if (needed > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#length, Math.max(2 * this.#body.length, needed)));
      this.#body.copy(larger, 0, 0, this.#filled);
      this.#body = larger;
    }
    part.copy(this.#body, this.#filled);
    this.#filled = needed;
  }

  #complete(part: Buffer): Buffer {
    this.#keep(part);
    return (this.#body as Buffer).subarray(0, this.#filled);
  }

  #reset(): void {
    this.#prefixBytes = 0;
    this.#flag = 0;
    this.#length = 0;
    this.#body = undefined;
    this.#filled = 0;
  }
}

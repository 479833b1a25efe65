/**
 * The cheap way through an event stream whose content has begun: whole frames pass, a cut frame waits for its rest,
 * and the last few kilobytes are remembered, because what matters at the end (finish, usage, terminator) stands there.
 * Cost  O(1) for a chunk that ends with a frame, which nearly all do; else one search and one copy.
 * Bound a cut frame longer than MAX_FRAME_BYTES passes in pieces; the memory of the end is WINDOW_BYTES and a chunk.
 */
import type { FrameListener } from './sse.ts';
import { MAX_FRAME_BYTES, SseFramer } from './sse.ts';

const LF = 0x0a;
const CR = 0x0d;
/** Room for the last frames of any protocol that is read by its end: finish, usage, terminator. */
const WINDOW_BYTES = 2 * 1024;
const EMPTY: Buffer = Buffer.alloc(0);

/** Does a blank line end here, i.e. do the bytes before `end` finish a frame? */
function isFrameEnd(bytes: Buffer, end: number): boolean {
  const last = bytes[end - 1];
  const before = bytes[end - 2];
  if (last === LF) return before === LF || (before === CR && (bytes[end - 3] === LF || bytes[end - 3] === CR));
  return last === CR && before === CR;
}

/** The index after the last frame in the bytes, or 0. */
function lastFrameEnd(bytes: Buffer): number {
  for (let end = bytes.length; end > 1; end -= 1) if (isFrameEnd(bytes, end)) return end;
  return 0;
}

/** Bytes that may be kept for long: a small view of a large read must not keep the read alive. */
function ownCopy(view: Buffer): Buffer {
  return view.buffer.byteLength > 2 * view.length ? Buffer.from(view) : view;
}

export class SseTail {
  #carry: Buffer = EMPTY;
  /** The last bytes, copied: chunks that were kept instead would grow old, and cost 1 KB of heap for each event. */
  readonly #window: Buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #windowBytes = 0;

  /** The bytes that may pass now: everything up to the end of the last whole frame. */
  push(chunk: Buffer): Buffer {
    this.#remember(chunk);
    if (this.#carry.length === 0 && isFrameEnd(chunk, chunk.length)) return chunk;
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const end = bytes.length > MAX_FRAME_BYTES ? bytes.length : lastFrameEnd(bytes);
    this.#carry = end === bytes.length ? EMPTY : ownCopy(bytes.subarray(end));
    return bytes.subarray(0, end);
  }

  /** Reads the frames at the end of the stream; the first one may be a fragment without a field name. */
  readLastFrames(emit: FrameListener): void {
    const framer = new SseFramer();
    framer.push(this.#window.subarray(0, this.#windowBytes), emit);
    const rest = framer.takeRest();
    if (rest.length > 0) emit(rest, true);
  }

  /** The bytes of an unfinished frame. */
  takeRest(): Buffer {
    const rest = this.#carry;
    this.#carry = EMPTY;
    return rest;
  }

  #remember(chunk: Buffer): void {
    if (chunk.length >= WINDOW_BYTES) {
      chunk.copy(this.#window, 0, chunk.length - WINDOW_BYTES);
      this.#windowBytes = WINDOW_BYTES;
      return;
    }
    const kept = Math.min(this.#windowBytes, WINDOW_BYTES - chunk.length);
    if (kept < this.#windowBytes) this.#window.copyWithin(0, this.#windowBytes - kept, this.#windowBytes);
    chunk.copy(this.#window, kept);
    this.#windowBytes = kept + chunk.length;
  }
}

/**
 * Finds the frames of an event stream in its bytes, for everyone who must look into one.
 * Input  chunks, cut anywhere; lines may end in LF, CRLF or CR; a byte order mark may come first.
 * Output each frame as a Buffer that ends after its blank line; the concatenation of all frames and the rest is the
 *        input, byte for byte. A frame is a view of the chunk when it lies within one, else a copy.
 * Bound  a frame longer than `maxFrameBytes` is given out in pieces (`isWhole` false), so that memory stays bounded.
 * Source WHATWG HTML, "Server-sent events", parsing an event stream.
 */
const LF = 0x0a;
const CR = 0x0d;

export type FrameListener = (frame: Buffer, isWhole: boolean) => void;

/** Frames up to this size are kept together. */
export const MAX_FRAME_BYTES = 64 * 1024;

export class SseFramer {
  readonly #maxFrameBytes: number;
  #carry: Buffer[] = [];
  #carryBytes = 0;
  /** Nothing but the end of a line has been seen since the line began. */
  #atLineStart = true;
  /** The last byte was a CR that ended a line: an LF right after it belongs to the same line end. */
  #afterCr = false;
  #isOversize = false;
  #hasContent = false;

  constructor(maxFrameBytes = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes held because their frame is not whole yet. */
  get heldBytes(): number {
    return this.#carryBytes;
  }

  push(chunk: Buffer, emit: FrameListener): void {
    let frameStart = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) {
        this.#atLineStart = false;
        this.#hasContent = true;
        this.#afterCr = false;
        continue;
      }
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        continue;
      }
      this.#afterCr = byte === CR;
      if (!this.#atLineStart || !this.#hasContent) {
        this.#atLineStart = true;
        continue;
      }
      // A blank line after content: the frame ends here. An LF that completes a CRLF belongs to it.
      let end = at + 1;
      if (byte === CR && chunk[end] === LF) {
        end += 1;
        at += 1;
        this.#afterCr = false;
      }
      this.#finish(chunk.subarray(frameStart, end), emit);
      frameStart = end;
    }
    if (frameStart < chunk.length) this.#hold(chunk.subarray(frameStart), emit);
  }

  /** The bytes of an unfinished frame at the end of the input; the framer is empty afterwards. */
  takeRest(): Buffer {
    const rest = this.#carry.length === 1 ? (this.#carry[0] as Buffer) : Buffer.concat(this.#carry);
    this.#carry = [];
    this.#carryBytes = 0;
    return rest;
  }

  #finish(tail: Buffer, emit: FrameListener): void {
    this.#hasContent = false;
    this.#atLineStart = true;
    const isWhole = !this.#isOversize;
    this.#isOversize = false;
    if (this.#carryBytes === 0) return emit(tail, isWhole);
    this.#carry.push(tail);
    emit(this.takeRest(), isWhole);
  }

  #hold(rest: Buffer, emit: FrameListener): void {
    this.#carry.push(rest);
    this.#carryBytes += rest.length;
    if (this.#carryBytes <= this.#maxFrameBytes) return;
    this.#isOversize = true;
    emit(this.takeRest(), false);
  }
}

export interface FrameView {
  /** The `event:` field, or empty. */
  readonly event: string;
  /** The `data:` lines joined by LF, or undefined when the frame has none (a comment, a retry). */
  readonly data: string | undefined;
}

/** Reads a frame as text. Costs a decode and a split: for the frames that must be understood, not for every one. */
export function readFrame(frame: Buffer): FrameView {
  let event = '';
  let data: string | undefined;
  const text = frame.toString('utf8').replace(/^\uFEFF/, '');
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
  }
  return { event, data };
}

/** The text of a `data:` payload as a JSON object, or undefined when it is none. */
export function readJson(data: string | undefined): Record<string, unknown> | undefined {
  if (data === undefined || !data.startsWith('{')) return undefined;
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch {
    // Not JSON: the frame is of no known kind, which the caller treats as content; the bytes pass on unchanged.
    return undefined;
  }
}

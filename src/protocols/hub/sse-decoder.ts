/** The way of every event-stream decoder: bytes, cut anywhere, to whole frames as text. */
import type { Transform } from '../../base/transform.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { FrameView } from '../sse.ts';
import { readFrame, SseFramer } from '../sse.ts';

const LF = 0x0a;
const CR = 0x0d;
/** A frame may hold a picture. Beyond this the stream is not one that we want to hold. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** What a protocol makes of the frames of one stream. */
export interface FrameReader {
  /** A frame that has data. Throws nothing: what cannot be read becomes an `error` event. */
  frame(view: FrameView & { readonly data: string }, emit: (event: GenerationEvent) => void): void;
  /** The bytes have ended; `end` is emitted here by APIs whose streams have no terminator. */
  end(emit: (event: GenerationEvent) => void): void;
}

export class SseDecoder implements Transform<Buffer, GenerationEvent> {
  readonly #framer = new SseFramer(MAX_FRAME_BYTES);
  readonly #reader: FrameReader;
  #isTooLong = false;

  constructor(reader: FrameReader) {
    this.#reader = reader;
  }

  push(chunk: Buffer, emit: (event: GenerationEvent) => void): void {
    this.#framer.push(chunk, (frame, isWhole) => {
      if (this.#isTooLong) return;
      if (isWhole) return this.#read(frame, emit);
      this.#isTooLong = true;
      emit({ type: 'error', error: new GatewayError('upstream_invalid_answer', 'An event is longer than 32 MiB.') });
    });
  }

  /** A frame without its blank line at the end of the bytes counts: some servers leave it out. */
  end(emit: (event: GenerationEvent) => void): void {
    const rest = this.#framer.takeRest();
    if (this.#isTooLong) return;
    // The second half of a line end that was cut is no frame.
    if (rest.some((byte) => byte !== LF && byte !== CR)) this.#read(rest, emit);
    this.#reader.end(emit);
  }

  #read(frame: Buffer, emit: (event: GenerationEvent) => void): void {
    const { event, data } = readFrame(frame);
    if (data === undefined) emit({ type: 'heartbeat' });
    else this.#reader.frame({ event, data }, emit);
  }
}

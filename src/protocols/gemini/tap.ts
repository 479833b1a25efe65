/**
 * Gemini's streams on their way through. An event stream of responses that has no terminator: it is complete when a
 * candidate has said why it ended or the prompt was refused. Without `alt=sse` the stream is one JSON array, which
 * passes as a body.
 * Source: Gemini API reference, `streamGenerateContent`.
 */
import type { GatewayError } from '../../domain/errors.ts';
import type { Usage } from '../../domain/usage.ts';
import { inBandFailure, isClientFault, isRateLimit } from '../choices-tap.ts';
import { geminiErrorObject } from '../dialect.ts';
import type { FrameKind, StreamTap } from '../protocol.ts';
import { readFrame, readJson } from '../sse.ts';
import { hasValue, lastObject, usageFromGemini } from '../usage.ts';

const FINISH = '"finishReason"';
const USAGE = '"usageMetadata"';

/** The last response can be longer than the end that is remembered, so every frame is looked at. */
export class GeminiTap implements StreamTap {
  isComplete = false;
  readonly endTellsAll = false;
  failure: string | undefined;
  isRateLimited = false;
  #sawContent = false;
  /** The last frame that had counts; read when they are asked for. */
  #counted: Buffer | undefined;
  /** The end of the piece before, while a response comes in pieces. */
  #pieceBefore: Buffer | undefined;
  /** One of those pieces had a finish. */
  #isEnding = false;

  get usage(): Usage | undefined {
    return this.#counted && usageFromGemini(lastObject(this.#counted, USAGE));
  }

  frame(frame: Buffer): FrameKind {
    if (this.#pieceBefore) return this.#piece(frame);
    if (frame.includes(USAGE)) this.#counted = frame;
    if (this.#sawContent && isLineEnd(frame.at(-1)) && !CLOSE_LOOKS.some((name) => frame.includes(name)))
      return frame[0] === COLON ? 'heartbeat' : 'content';
    return this.#readClosely(frame);
  }

  encodeError(error: GatewayError): Buffer {
    return encodeGeminiError(error);
  }

  #readClosely(frame: Buffer): FrameKind {
    const view = readFrame(frame);
    if (view.data === undefined) return 'heartbeat';
    const json = readJson(view.data);
    if (!json) return this.#piece(frame);
    const failure = inBandFailure(json, view.event);
    if (failure !== undefined) return this.#failed(json, failure);
    if (isBlocked(json) || candidatesOf(json).some(({ finishReason }) => typeof finishReason === 'string')) {
      this.isComplete = true;
      return this.#content();
    }
    return candidatesOf(json).some(hasParts) ? this.#content() : 'prelude';
  }

  /** Not JSON: a response that is too long to be read at once, or one that is cut. It is whole where its line ends. */
  #piece(piece: Buffer): FrameKind {
    const joined = this.#pieceBefore ? Buffer.concat([this.#pieceBefore, piece]) : piece;
    if (joined.includes(USAGE)) this.#counted = joined;
    this.#isEnding ||= hasValue(joined, FINISH);
    if (isLineEnd(piece.at(-1))) {
      this.isComplete ||= this.#isEnding;
      this.#isEnding = false;
      this.#pieceBefore = undefined;
    } else this.#pieceBefore = Buffer.from(joined.subarray(-OVERLAP_BYTES));
    return this.#content();
  }

  #failed(json: Record<string, unknown>, failure: string): FrameKind {
    this.failure = failure;
    this.isRateLimited = isRateLimit(json);
    if (!isClientFault(json)) return 'error';
    this.isComplete = true;
    return this.#content();
  }

  #content(): FrameKind {
    this.#sawContent = true;
    return 'content';
  }
}

/** Frames that may end the stream. */
const CLOSE_LOOKS = [FINISH, '"blockReason"', '"error"'];
/** Room for a finish and the counts where a response is cut between them. */
const OVERLAP_BYTES = 1_024;

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d;
}

const COLON = 0x3a;

/** Answers in one piece: token counts, embeddings. The end of the bytes is the end of the answer. */
export class GeminiWholeTap implements StreamTap {
  readonly usage = undefined;
  readonly isComplete = true;
  readonly endTellsAll = true;
  readonly failure = undefined;
  readonly isRateLimited = false;

  frame(): FrameKind {
    return 'content';
  }

  encodeError(error: GatewayError): Buffer {
    return encodeGeminiError(error);
  }
}

function encodeGeminiError(error: GatewayError): Buffer {
  return Buffer.from(`data: ${JSON.stringify({ error: geminiErrorObject(error) })}\n\n`);
}

function candidatesOf(json: Record<string, unknown>): Record<string, unknown>[] {
  const candidates = json['candidates'];
  return Array.isArray(candidates) ? candidates.filter(isObject) : [];
}

function isBlocked({ promptFeedback }: Record<string, unknown>): boolean {
  return isObject(promptFeedback) && typeof promptFeedback['blockReason'] === 'string';
}

/** A part that holds something: the first chunk of a stream may have an empty text. */
function hasParts({ content }: Record<string, unknown>): boolean {
  const parts = isObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) && parts.filter(isObject).some((part) => part['text'] !== '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

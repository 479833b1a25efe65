/**
 * The Protocol contract: what the gateway must know of an API whose bytes it passes through. One value per API, in
 * the list of `protocols/index.ts`. No I/O; a tap is a synchronous state machine that lives as long as its stream.
 */
import type { ProtocolName } from '../domain/call.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import type { Usage } from '../domain/usage.ts';
import type { Dialect } from './dialect.ts';
import type { Codec } from './hub/codec.ts';
import type { EmbedCodec, TextCodec } from './hub/text-codec.ts';

/**
 * What one event-stream frame means for the call:
 * `heartbeat` the worker is alive, nothing more · `prelude` an opening that holds no content yet ·
 * `content` something the client waits for · `error` the worker reports a failure in-band · `end` the stream's own terminator.
 */
export type FrameKind = 'heartbeat' | 'prelude' | 'content' | 'error' | 'end';

/** Watches the frames of one stream beside their passing. */
export interface StreamTap {
  /** Classifies the next frame; an error frame's text is kept in `failure`. */
  frame(frame: Buffer): FrameKind;
  /** The last usage that the worker reported. */
  readonly usage: Usage | undefined;
  /** True once the stream has said that it is complete: an end without it is a cut. */
  readonly isComplete: boolean;
  /** True: once content has begun, only the end of the stream need be read (see SseTail). */
  readonly endTellsAll: boolean;
  /** The worker's own words about an in-band error. */
  readonly failure: string | undefined;
  /** That error says that the worker takes no more for now, as a 429 does. */
  readonly isRateLimited: boolean;
  /** The frames that end this stream when it broke, so that no client takes it for complete. */
  encodeError(error: GatewayError): Buffer;
}

/** Watches one JSON array that grows beside its passing. */
export interface ArrayTap {
  push(chunk: Buffer): void;
  /** True once the bytes are known to be an array. */
  readonly isArray: boolean;
  /** It has begun and is not closed: an end here is a cut. */
  readonly isCut: boolean;
  /** What ends the array when it broke; undefined where it can take no item. */
  encodeError(error: GatewayError): Buffer | undefined;
}

export interface Protocol {
  readonly name: ProtocolName;
  readonly dialect: Dialect;
  /** Prefix of request ids that the gateway makes for this API. */
  readonly idPrefix: string;
  /** True when a body without `model` is usual for this API. */
  readonly modelOptional: boolean;
  /** Both ends for translation; undefined: its calls reach only workers that speak it. */
  readonly codec: Codec | undefined;
  /** Both ends for workers that take tokens, of APIs that complete plain prompts. */
  readonly text?: TextCodec;
  /** The same for embeddings. */
  readonly embed?: EmbedCodec;
  createTap(): StreamTap;
  /** A stream may also be one JSON array that grows: it passes as it comes, though it has no events. */
  createArrayTap?(): ArrayTap;
  /**
   * What the engine will read of this request, cut into hashed blocks; `model` is the canonical id. Never throws: of a
   * body that is not as its API says, all bytes count as prompt.
   */
  readPrompt(body: Buffer, model: string): PromptBlocks;
  /** Hash of the first `tokens` tokens of it, or of all of it when it is shorter. */
  hashPrefix(body: Buffer, model: string, tokens: number): number;
  /** Usage from a whole answer, or from its last bytes. */
  readUsage(body: Buffer): Usage | undefined;
}

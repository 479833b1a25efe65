/**
 * The contract of a protocol's two ends: `decode` from its wire to the hub, `encode` from the hub to its wire. Every
 * protocol that can be translated has one, in its own folder. Pure and synchronous; a decoder or an encoder of a
 * stream lives as long as the stream and is never shared.
 *
 * As client of a worker   encodeRequest, then createDecoder (stream) or decodeAnswer (whole), readFailure
 * As server to a client   decodeRequest, then createEncoder (stream) or encodeAnswer (whole)
 */
import type { Transform } from '../../base/transform.ts';
import type { ProtocolName } from '../../domain/call.ts';
import type { GatewayError } from '../../domain/errors.ts';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { GenerationRequest, MediaSource, TranslationWarning } from '../../domain/generation.ts';
import type { Provider } from '../../domain/providers/provider.ts';

/** What a client's request says beside its body. */
export interface RequestFacts {
  /** From the path where the API has it there (Gemini); else undefined and the body says. */
  readonly model: string | undefined;
  readonly isStream: boolean | undefined;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface DecodedRequest {
  readonly request: GenerationRequest;
  readonly warnings: readonly TranslationWarning[];
}

/** For whom a request is written. */
export interface EncodeTarget {
  /** Undefined: a self-hosted engine. */
  readonly provider: Provider | undefined;
  /** What the worker calls the model. */
  readonly model: string;
  /** Longest answer that the model gives, where it is known. */
  readonly maxOutputTokens: number | undefined;
}

export interface EncodedRequest {
  readonly body: Buffer;
  readonly warnings: readonly TranslationWarning[];
}

/** What an encoder of an answer needs to know of the call. */
export interface AnswerFacts {
  /** The model as the client named it. */
  readonly model: string;
  readonly createdSeconds: number;
  /** For answers whose worker gave no id, and for items that have ids of their own: a new one at each call, e.g. `msg_…`. */
  newId(prefix: string): string;
  readonly request: GenerationRequest;
  /** Gemini: an event stream (`alt=sse`), else a JSON array. */
  readonly isEventStream: boolean;
}

/** What a decoder of an answer needs to know. */
export interface DecodeFacts {
  /** For tool calls that came without an id. */
  newId(prefix: string): string;
}

/** What a worker's error means for what is to be done next. */
export type FailureKind =
  /** The key has no credit or quota left: this worker and key have to rest. */
  | 'quota'
  | 'rate_limited'
  | 'overloaded'
  /** The prompt does not fit the model's context. */
  | 'context'
  /** The content was refused: nobody else is to be asked. */
  | 'refused'
  | 'other';

/** An error body of a worker, read. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** The provider's own type or code, for the client that understands it; undefined when it gives none. */
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly param: string | undefined;
  /** Told in the body (Gemini's RetryInfo). */
  readonly retryAfterMs: number | undefined;
}

/** Encodes events as they come. Emits whole frames. */
export interface EventEncoder extends Transform<GenerationEvent, Buffer> {
  /** Ends a stream that broke, so that no client takes it for complete; nothing may be pushed afterwards. */
  encodeError(error: GatewayError): Buffer;
  /** What the client's API could not be told so far. */
  readonly warnings: readonly TranslationWarning[];
}

export interface EncodedAnswer {
  readonly body: Buffer;
  readonly warnings: readonly TranslationWarning[];
}

export interface Codec {
  readonly protocol: ProtocolName;
  /** Content type of a stream to the client. */
  streamType(facts: AnswerFacts): string;
  /** Throws `invalid_json` or `invalid_request`. */
  decodeRequest(body: Buffer, facts: RequestFacts): DecodedRequest;
  /** Throws `invalid_request` for what the target would refuse and no change can mend, naming the field. */
  encodeRequest(request: GenerationRequest, target: EncodeTarget): EncodedRequest;
  /** Which sources the target cannot fetch by itself: they are fetched first and come again as `base64`. */
  needsBytes(source: MediaSource, type: 'image' | 'file' | 'audio', target: EncodeTarget): boolean;
  /** Bytes of the event stream, cut anywhere, to events. */
  createDecoder(facts: DecodeFacts): Transform<Buffer, GenerationEvent>;
  /** A whole good answer. Throws `upstream_invalid_answer`. */
  decodeAnswer(body: Buffer, facts: DecodeFacts): GenerationEvent[];
  createEncoder(facts: AnswerFacts): EventEncoder;
  encodeAnswer(events: readonly GenerationEvent[], facts: AnswerFacts): EncodedAnswer;
  /** An error answer of a worker that speaks this; undefined when the body is not as this API's errors are. */
  readFailure(status: number, body: Buffer): Failure | undefined;
}

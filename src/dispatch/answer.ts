/**
 * The contract between an attempt and what reads the answer: an attempt has the exchange, the clocks and the outcome; an
 * `Answer` knows what the bytes mean, as a stream of events or as one body; a `ReplyGate` has what the client gets.
 */
import type { Clock } from '../base/clock.ts';
import type { TurnEnd } from '../base/turn-end.ts';
import type { GatewayError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { KeyMask } from '../domain/key-mask.ts';
import type { CallRecord } from '../domain/record.ts';
import type { Usage } from '../domain/usage.ts';
import type { ErrorKind } from '../protocols/error-body.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { ReplyGate } from './reply-gate.ts';

/** Bytes held back before an answer is committed. */
export const HOLD_BYTES = 64 * 1024;

/** A complete answer of a worker that was not shown to the client, kept in case that it is the last one. */
export interface HeldAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

export type AttemptOutcome =
  | { readonly kind: 'served'; readonly status: number }
  | { readonly kind: 'broken'; readonly error: GatewayError }
  | { readonly kind: 'client_gone' }
  | {
      readonly kind: 'failed';
      readonly error: GatewayError;
      readonly answer: HeldAnswer | undefined;
      readonly retryAfterMs: number | undefined;
      /** What the worker's error said, see failure.ts; left out where there was none to read. */
      readonly reason?: ErrorKind | undefined;
      /** No worker of the model is to be asked again. */
      readonly isFinal?: boolean;
    };

/** Reads what a worker sends after its head. Commits the answer when it is fit to be shown. */
export interface Answer {
  data(chunk: Buffer): void;
  /** The worker has sent all of it. */
  end(): void;
  tick(nowMs: number): void;
  /** What tells the client that an answer broke which it has in part; undefined: only the end of the connection can. */
  encodeError(error: GatewayError): Buffer | undefined;
  /** Of a stream, as far as it has told; a body tells the record when it ends. */
  readonly usage: Usage | undefined;
}

/** What an answer tells its attempt. */
export interface AnswerHost {
  readonly isOver: boolean;
  contentBegins(): void;
  /** Nothing was shown: another worker may try. */
  fail(error: GatewayError): void;
  /** Fails when nothing was shown, else breaks what the client has. */
  error(error: GatewayError): void;
  finish(outcome: AttemptOutcome): void;
}

export interface AnswerParts {
  readonly host: AnswerHost;
  readonly gate: ReplyGate;
  readonly protocol: Protocol;
  readonly record: CallRecord;
  readonly workerId: string;
  readonly clock: Clock;
  /** For writes that can wait for the rest of a turn. */
  readonly turnEnd: TurnEnd;
  /** For what a worker says when it refuses. */
  readonly mask: KeyMask;
}

/**
 * One attempt on one worker: sends, watches the answer, and decides when it is fit to be shown.
 *
 *   waiting --first content / whole answer--> committed --end--> served
 *      |                                          '--error--> broken (an error in-band, or the connection cut)
 *      '--error, retryable status, timeout--> failed (nothing reached the client: another worker may try)
 *
 * Until it commits nothing reaches the client. Memory: at most HOLD_BYTES are held, then it commits.
 */
import type { Clock } from '../base/clock.ts';
import type { Call } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { headerOf } from '../domain/headers.ts';
import type { Backend, CallWatch, Exchange, ExchangeSink, ReplyWriter, UpstreamRequest } from '../domain/ports.ts';
import type { Worker } from '../domain/worker.ts';
import type { Protocol, StreamTap } from '../protocols/protocol.ts';
import { SseFramer } from '../protocols/sse.ts';
import { SseTail } from '../protocols/sse-tail.ts';
import type { ClockOptions, Phase } from '../resilience/clocks.ts';
import { isRetryableStatus, parseRetryAfter } from '../resilience/retry.ts';
import { invalidAnswer, looksLikeEvents } from './answer-check.ts';
import { replyHeaders } from './reply-headers.ts';
import type { Ticker, Ticking } from './ticker.ts';
import { Watchdog } from './watchdog.ts';

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
    };

/** What is sent to whom, and who else hears of it. */
export interface AttemptSubject {
  readonly call: Call;
  readonly worker: Worker;
  readonly watch: CallWatch | undefined;
}

export interface AttemptDeps {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly clocks: ClockOptions;
  readonly ticker: Ticker;
}

const EMPTY: Buffer = Buffer.alloc(0);
/** Bytes held back before an answer is committed. */
const HOLD_BYTES = 64 * 1024;
/** The opening of a stream (a role, `message_start`) is held for its first content, but never longer than this. */
const PRELUDE_HOLD_MS = 2_000;
/** An error body longer than this is not kept: the gateway's own error stands for it. */
const MAX_ERROR_BYTES = 1024 * 1024;
/** Of a long unary answer the end is kept, for the usage that stands there. */
const TAIL_BYTES = 8 * 1024;

export class Attempt implements ExchangeSink, Ticking {
  listIndex = -1;
  readonly #call: Call;
  readonly #worker: Worker;
  readonly #watch: CallWatch | undefined;
  readonly #protocol: Protocol;
  readonly #writer: ReplyWriter;
  readonly #deps: AttemptDeps;
  readonly #settle: (outcome: AttemptOutcome) => void;
  #exchange: Exchange | undefined;
  readonly #watchdog: Watchdog;
  #preludeSince = 0;
  #status = 0;
  #headers: HeaderList = [];
  #tap: StreamTap | undefined;
  /** Reads each frame of a stream until its content has begun, or to its end when the tap wants that. */
  #framer: SseFramer | undefined;
  /** Takes over from the framer once content has begun. */
  #sseTail: SseTail | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #tail: Buffer = EMPTY;
  #isCommitted = false;
  #isOver = false;
  #isPaused = false;
  /** The worker reported an error after content: the client has it, and the call did not succeed. */
  #brokeInBand = false;

  constructor(
    { call, worker, watch }: AttemptSubject,
    protocol: Protocol,
    writer: ReplyWriter,
    deps: AttemptDeps,
    settle: (outcome: AttemptOutcome) => void,
  ) {
    this.#call = call;
    this.#worker = worker;
    this.#watch = watch;
    this.#protocol = protocol;
    this.#writer = writer;
    this.#deps = deps;
    this.#settle = settle;
    const times = { startedAt: call.record.startedAt, isStream: call.stream };
    this.#watchdog = new Watchdog(deps.clocks, times, deps.clock);
  }

  start(request: UpstreamRequest): void {
    this.#deps.ticker.add(this);
    this.#exchange = this.#deps.backend.send(this.#worker.address, request, this);
    if (this.#isOver) this.#exchange.abort();
  }

  /** The client left. */
  clientGone(): void {
    this.#finish({ kind: 'client_gone' });
  }

  /** The client can take more. */
  drained(): void {
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#watchdog.resumed();
    this.#exchange?.resume();
  }

  tick(nowMs: number): void {
    // Another entry of the same tick may have ended this one.
    if (this.#isOver) return;
    if (this.#preludeSince > 0 && nowMs - this.#preludeSince >= PRELUDE_HOLD_MS && !this.#isCommitted) this.#commit();
    const expired = this.#watchdog.expired(nowMs);
    if (expired) this.#expired(expired);
  }

  /** Ends the attempt from above, e.g. at the end of the shutdown's grace. */
  cancel(error: GatewayError): void {
    this.error(error);
  }

  head(status: number, headers: HeaderList): void {
    this.#status = status;
    this.#headers = headers;
    if (status >= 300 && status < 400) {
      const text = `Worker ${this.#worker.id} answered with a redirect (${status}); redirects are not followed.`;
      return this.error(new GatewayError('upstream_invalid_answer', text));
    }
    this.#watchdog.enter(this.#isGood && this.#call.stream ? 'first_content' : 'streaming');
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#watchdog.touch();
    if (this.#sseTail) return this.#passOn(this.#sseTail.push(chunk));
    if (!this.#tap && this.#isFirstData() && this.#isEventStream(chunk)) {
      this.#framer = new SseFramer(HOLD_BYTES);
      this.#tap = this.#protocol.createTap();
    }
    if (this.#framer) this.#dataOfStream(this.#framer, chunk);
    else this.#dataOfBody(chunk);
  }

  end(): void {
    if (this.#isOver) return;
    if (this.#tap) this.#endOfStream(this.#tap);
    else this.#endOfBody();
  }

  error(error: GatewayError): void {
    if (this.#isOver) return;
    if (!this.#isCommitted) return this.#fail(error);
    if (this.#tap) {
      const frames = this.#tap.encodeError(error);
      this.#call.record.sentBytes += frames.length;
      this.#writer.end(frames);
    } else {
      this.#writer.destroy();
    }
    this.#finish({ kind: 'broken', error });
  }

  get #isGood(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  #isFirstData(): boolean {
    return !this.#isCommitted && this.#heldBytes === 0;
  }

  #isEventStream(chunk: Buffer): boolean {
    if (!this.#isGood || headerOf(this.#headers, 'content-encoding') !== undefined) return false;
    const contentType = headerOf(this.#headers, 'content-type') ?? '';
    return contentType.startsWith('text/event-stream') || (this.#call.stream && looksLikeEvents(chunk));
  }

  #dataOfStream(framer: SseFramer, chunk: Buffer): void {
    framer.push(chunk, this.#onFrame);
    if (this.#isOver || this.#heldBytes === 0) return;
    // All frames that one read brought leave in one write.
    if (this.#isCommitted) {
      this.#passOn(this.#takeHeld());
      return this.#switchToTail();
    }
    if (this.#call.record.firstContentAt > 0 || this.#tap?.isComplete || this.#heldBytes > HOLD_BYTES) this.#commit();
    else if (this.#preludeSince === 0) this.#preludeSince = this.#deps.clock.now();
  }

  /** Bound once: a closure per chunk would be garbage per chunk. */
  readonly #onFrame = (frame: Buffer): void => {
    if (this.#isOver || !this.#tap) return;
    const kind = this.#tap.frame(frame);
    if (kind === 'error') {
      if (this.#call.record.firstContentAt === 0 && !this.#isCommitted) return this.#failInBand();
      this.#brokeInBand = true;
    }
    this.#hold(frame);
    if (kind === 'content' && this.#call.record.firstContentAt === 0) this.#contentBegins();
  };

  #contentBegins(): void {
    this.#call.record.firstContentAt = this.#deps.clock.now();
    this.#watch?.firstContent();
    this.#watchdog.enter('streaming');
  }

  /** From here on frames need not be read one by one. */
  #switchToTail(): void {
    if (!this.#framer || !this.#tap?.endTellsAll || this.#call.record.firstContentAt === 0) return;
    const rest = this.#framer.takeRest();
    this.#framer = undefined;
    this.#sseTail = new SseTail();
    if (rest.length > 0) this.#passOn(this.#sseTail.push(rest));
  }

  #passOn(bytes: Buffer): void {
    if (bytes.length > 0) this.#write(bytes);
  }

  /** The worker reported a failure inside its stream before any content: as good as an error status. */
  #failInBand(): void {
    const text = `Worker ${this.#worker.id} reported an error: ${this.#tap?.failure ?? 'no message'}`;
    this.#fail(new GatewayError('upstream_error', text));
  }

  #dataOfBody(chunk: Buffer): void {
    if (this.#isCommitted) {
      this.#keepTail(chunk);
      return this.#write(chunk);
    }
    this.#hold(chunk);
    if (isRetryableStatus(this.#status)) {
      if (this.#heldBytes > MAX_ERROR_BYTES) this.#failWithAnswer(undefined);
    } else if (this.#heldBytes > HOLD_BYTES) {
      this.#commit();
    }
  }

  #keepTail(chunk: Buffer): void {
    const joined = chunk.length >= TAIL_BYTES ? chunk : Buffer.concat([this.#tail, chunk]);
    // A copy: a view would keep the whole chunk alive.
    this.#tail = Buffer.from(joined.subarray(Math.max(0, joined.length - TAIL_BYTES)));
  }

  #endOfStream(tap: StreamTap): void {
    const rest = this.#framer?.takeRest() ?? this.#sseTail?.takeRest() ?? EMPTY;
    if (this.#sseTail) this.#readEnd(tap, this.#sseTail);
    else if (rest.length > 0 && tap.frame(rest) === 'error') this.#brokeInBand = true;
    if (!tap.isComplete && !this.#brokeInBand) {
      // The unfinished frame is dropped: it would swallow the error that follows it.
      const text = `Worker ${this.#worker.id} ended its stream before it was complete.`;
      return this.error(new GatewayError('upstream_broken', text));
    }
    if (rest.length > 0) this.#hold(rest);
    if (!this.#isCommitted) this.#commit();
    else if (rest.length > 0) this.#write(this.#takeHeld());
    this.#writer.end();
    if (!this.#brokeInBand) return this.#finish({ kind: 'served', status: this.#status });
    const text = `Worker ${this.#worker.id} reported an error in its stream: ${tap.failure ?? 'no message'}`;
    this.#finish({ kind: 'broken', error: new GatewayError('upstream_error', text) });
  }

  #readEnd(tap: StreamTap, tail: SseTail): void {
    tail.readLastFrames((frame) => {
      if (tap.frame(frame) === 'error') this.#brokeInBand = true;
    });
  }

  #endOfBody(): void {
    const { record } = this.#call;
    if (this.#isCommitted) {
      record.usage = this.#protocol.readUsage(this.#tail);
      this.#writer.end();
      return this.#finish({ kind: 'served', status: this.#status });
    }
    const body = this.#takeHeld();
    if (isRetryableStatus(this.#status)) return this.#failWithAnswer(body);
    const problem = invalidAnswer(this.#status, headerOf(this.#headers, 'content-type'), body);
    if (problem) return this.#fail(new GatewayError('upstream_invalid_answer', `Worker ${this.#worker.id} ${problem}`));
    record.firstContentAt = this.#deps.clock.now();
    if (this.#isGood) record.usage = this.#protocol.readUsage(body);
    this.#writeHead(body.length);
    record.sentBytes += body.length;
    this.#writer.end(body);
    this.#finish({ kind: 'served', status: this.#status });
  }

  #failWithAnswer(body: Buffer | undefined): void {
    const error = new GatewayError('upstream_error', `Worker ${this.#worker.id} answered ${this.#status}.`);
    const answer = body && { status: this.#status, headers: this.#headers, body };
    this.#finish({ kind: 'failed', error, answer, retryAfterMs: this.#retryAfterMs() });
  }

  #retryAfterMs(): number | undefined {
    const exact = Number(headerOf(this.#headers, 'retry-after-ms') ?? Number.NaN);
    if (Number.isFinite(exact) && exact >= 0) return exact;
    return parseRetryAfter(headerOf(this.#headers, 'retry-after'), this.#deps.clock.wallTime());
  }

  #fail(error: GatewayError): void {
    this.#finish({ kind: 'failed', error, answer: undefined, retryAfterMs: undefined });
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #takeHeld(): Buffer {
    const held = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #commit(): void {
    this.#writeHead(undefined);
    this.#isCommitted = true;
    const held = this.#takeHeld();
    if (!this.#tap) this.#keepTail(held);
    if (held.length > 0) this.#write(held);
    this.#switchToTail();
  }

  #writeHead(contentLength: number | undefined): void {
    const { record } = this.#call;
    record.headAt = this.#deps.clock.now();
    record.status = this.#status;
    const length = contentLength ?? (this.#tap ? 'unknown' : 'as_sent');
    this.#writer.head(this.#status, replyHeaders(this.#headers, record, length));
  }

  #write(bytes: Buffer): void {
    this.#call.record.sentBytes += bytes.length;
    if (this.#writer.write(bytes) || this.#isPaused) return;
    this.#isPaused = true;
    this.#watchdog.paused();
    this.#exchange?.pause();
  }

  #expired(phase: Phase | 'slow_client'): void {
    if (phase === 'slow_client') {
      this.#writer.destroy();
      return this.#finish({ kind: 'client_gone' });
    }
    this.error(new GatewayError('upstream_timeout', `Worker ${this.#worker.id} ${SILENCE[phase]}.`));
  }

  #finish(outcome: AttemptOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deps.ticker.delete(this);
    if (this.#tap && !this.#call.record.usage) this.#call.record.usage = this.#tap.usage;
    this.#held = [];
    // After a proper end this does nothing; in every other case it closes the worker's connection at once.
    this.#exchange?.abort();
    this.#settle(outcome);
  }
}

const SILENCE: Readonly<Record<Phase, string>> = {
  headers: 'did not begin to answer in time',
  first_content: 'sent no content in time',
  streaming: 'fell silent in the middle of its answer',
};

/**
 * One attempt on one worker: sends, watches the clocks, and ends once with an outcome.
 *
 *   waiting --first content / whole answer--> committed --end--> served
 *      |                                          '--error--> broken (an error in-band, or the connection cut)
 *      '--error, retryable status, timeout--> failed (nothing reached the client: another worker may try)
 *
 * Until it commits nothing reaches the client. Memory: at most HOLD_BYTES are held, then it commits. What the bytes of
 * an answer mean is for stream-answer.ts and body-answer.ts, see answer.ts.
 */
import type { Clock } from '../base/clock.ts';
import type { TurnEnd } from '../base/turn-end.ts';
import type { Call } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import { headerOf } from '../domain/headers.ts';
import { KeyMask } from '../domain/key-mask.ts';
import type { Backend, CallWatch, Exchange, ExchangeSink, ReplyWriter, UpstreamRequest } from '../domain/ports.ts';
import type { TokenExchange } from '../domain/token-generation.ts';
import type { Worker } from '../domain/worker.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { ClockOptions, Phase } from '../resilience/clocks.ts';
import type { Answer, AnswerHost, AnswerParts, AttemptOutcome } from './answer.ts';
import { looksLikeEvents } from './answer-check.ts';
import { BodyAnswer } from './body-answer.ts';
import type { BeginTokens, TokenHost } from './tokens/token-answer.ts';
import type { AnswerReader } from './translation/outbound.ts';
import type { Throttle } from './reply-gate.ts';
import { ReplyGate } from './reply-gate.ts';
import { StreamAnswer } from './stream-answer.ts';
import type { Ticker, Ticking } from './ticker.ts';
import { Watchdog } from './watchdog.ts';

/** What is sent to whom, and who else hears of it. */
export interface AttemptSubject {
  readonly call: Call;
  readonly worker: Worker;
  readonly watch: CallWatch | undefined;
  /** What the worker is asked with. */
  readonly key?: string | undefined;
  /** Reads an answer that does not pass as it is. */
  readonly reader?: AnswerReader | undefined;
}

export interface AttemptDeps {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly clocks: ClockOptions;
  readonly ticker: Ticker;
  readonly turnEnd: TurnEnd;
}

export class Attempt implements ExchangeSink, Ticking, AnswerHost, Throttle, TokenHost {
  listIndex = -1;
  isOver = false;
  readonly #call: Call;
  readonly #worker: Worker;
  readonly #watch: CallWatch | undefined;
  readonly #reader: AnswerReader | undefined;
  readonly #mask: KeyMask;
  readonly #gate: ReplyGate;
  readonly #parts: AnswerParts;
  readonly #deps: AttemptDeps;
  readonly #settle: (outcome: AttemptOutcome) => void;
  readonly #watchdog: Watchdog;
  #exchange: Exchange | TokenExchange | undefined;
  /** Made when the first bytes show what it is. */
  #answer: Answer | undefined;

  constructor(
    { call, worker, watch, key, reader }: AttemptSubject,
    protocol: Protocol,
    writer: ReplyWriter,
    deps: AttemptDeps,
    settle: (outcome: AttemptOutcome) => void,
  ) {
    this.#call = call;
    this.#worker = worker;
    this.#watch = watch;
    this.#reader = reader;
    this.#deps = deps;
    this.#settle = settle;
    const { record } = call;
    const { clock, turnEnd } = deps;
    this.#mask = new KeyMask(key, call);
    this.#gate = new ReplyGate(writer, record, { clock, throttle: this, mask: this.#mask });
    this.#parts = {
      host: this,
      gate: this.#gate,
      protocol,
      record,
      workerId: worker.id,
      clock,
      turnEnd,
      mask: this.#mask,
    };
    const times = { startedAt: record.startedAt, isStream: call.stream };
    this.#watchdog = new Watchdog(deps.clocks, times, clock);
  }

  start(request: UpstreamRequest): void {
    this.#deps.ticker.add(this);
    this.#exchange = this.#deps.backend.send(this.#worker.address, request, this);
    if (this.isOver) this.#exchange.abort();
  }

  /** The same for a worker that takes tokens. */
  startTokens(begin: BeginTokens): void {
    this.#deps.ticker.add(this);
    this.#gate.status = 200;
    const { answer, exchange } = begin(this.#parts, this);
    this.#answer = answer;
    this.#exchange = exchange;
    if (this.isOver) exchange.abort();
  }

  /** A worker that takes tokens has taken the call. Without a stream nothing comes before all is done: no new phase. */
  begun(): void {
    if (this.#call.stream) this.#watchdog.enter('first_content');
  }

  touch(): void {
    this.#watchdog.touch();
  }

  answerStopped(prompt: number, choice: number): void {
    const exchange = this.#exchange;
    if (exchange && 'stop' in exchange) exchange.stop(prompt, choice);
  }

  failedByWorker(error: GatewayError, mayRetry: boolean): void {
    if (this.isOver) return;
    if (this.#gate.isCommitted) return this.error(error);
    const { retryAfterSeconds } = error;
    const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
    this.finish({ kind: 'failed', error, answer: undefined, retryAfterMs, isFinal: !mayRetry });
  }

  /** The client left. */
  clientGone(): void {
    this.finish({ kind: 'client_gone' });
  }

  /** The client cannot take more for now. */
  pause(): void {
    this.#watchdog.paused();
    this.#exchange?.pause();
  }

  /** The client can take more. */
  drained(): void {
    if (!this.#gate.isPaused || this.isOver) return;
    this.#gate.isPaused = false;
    this.#watchdog.resumed();
    this.#exchange?.resume();
  }

  tick(nowMs: number): void {
    // Another entry of the same tick may have ended this one.
    if (this.isOver) return;
    this.#answer?.tick(nowMs);
    const expired = this.#watchdog.expired(nowMs);
    if (expired) this.#expired(expired);
  }

  /** Ends the attempt from above, e.g. at the end of the shutdown's grace. */
  cancel(error: GatewayError): void {
    this.error(error);
  }

  head(status: number, headers: HeaderList): void {
    this.#gate.status = status;
    this.#gate.headers = headers;
    if (status >= 300 && status < 400) {
      const text = `Worker ${this.#worker.id} answered with a redirect (${status}); redirects are not followed.`;
      return this.error(new GatewayError('upstream_invalid_answer', text));
    }
    this.#watchdog.enter(this.#gate.isGood && this.#call.stream ? 'first_content' : 'streaming');
  }

  data(chunk: Buffer): void {
    if (this.isOver) return;
    this.#watchdog.touch();
    // Nothing shows in no bytes.
    if (!this.#answer && chunk.length === 0) return;
    try {
      this.#answer ??= this.#answerOf(this.#isEventStream(chunk));
      this.#answer.data(chunk);
    } catch (thrown) {
      this.error(unreadable(thrown, this.#worker.id));
    }
  }

  end(): void {
    if (this.isOver) return;
    try {
      this.#answer ??= this.#answerOf(false);
      this.#answer.end();
    } catch (thrown) {
      this.error(unreadable(thrown, this.#worker.id));
    }
  }

  error(thrown: GatewayError): void {
    if (this.isOver) return;
    if (!this.#gate.isCommitted) return this.fail(thrown);
    const error = this.#mask.error(thrown);
    const frames = this.#answer?.encodeError(error);
    if (frames) this.#gate.end(frames);
    else this.#gate.destroy();
    this.finish({ kind: 'broken', error });
  }

  contentBegins(): void {
    this.#call.record.firstContentAt = this.#deps.clock.now();
    this.#watch?.firstContent();
    this.#watchdog.enter('streaming');
  }

  fail(error: GatewayError): void {
    this.finish({ kind: 'failed', error, answer: undefined, retryAfterMs: undefined });
  }

  finish(outcome: AttemptOutcome): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#deps.ticker.delete(this);
    this.#call.record.usage ??= this.#answer?.usage;
    this.#gate.dropHeld();
    // After a proper end this does nothing; in every other case it closes the worker's connection at once.
    this.#exchange?.abort();
    this.#settle(withoutKey(outcome, this.#mask));
  }

  #answerOf(isEventStream: boolean): Answer {
    if (this.#reader) return this.#reader.read(this.#parts, isEventStream);
    return isEventStream ? new StreamAnswer(this.#parts) : new BodyAnswer(this.#parts);
  }

  #isEventStream(chunk: Buffer): boolean {
    const { headers, isGood } = this.#gate;
    if (!isGood || headerOf(headers, 'content-encoding') !== undefined) return false;
    const contentType = headerOf(headers, 'content-type') ?? '';
    return contentType.startsWith('text/event-stream') || (this.#call.stream && looksLikeEvents(chunk));
  }

  #expired(phase: Phase | 'slow_client'): void {
    if (phase === 'slow_client') {
      this.#gate.destroy();
      return this.finish({ kind: 'client_gone' });
    }
    this.error(new GatewayError('upstream_timeout', `Worker ${this.#worker.id} ${SILENCE[phase]}.`));
  }
}

/**
 * What the reading of an answer throws is the end of its call, which would have none otherwise.
 * Too deep for the stack or too long for a text: that is the answer's doing. All else is a fault of the gateway.
 */
function unreadable(thrown: unknown, workerId: string): GatewayError {
  if (!(thrown instanceof RangeError)) return GatewayError.from(thrown);
  const text = `Worker ${workerId} sent an answer that is too deep or too long to be read.`;
  return new GatewayError('upstream_invalid_answer', text, { cause: thrown });
}

/** What becomes of the words of a worker that has failed is decided before this: they are read as they came. */
function withoutKey(outcome: AttemptOutcome, mask: KeyMask): AttemptOutcome {
  if (outcome.kind !== 'failed' && outcome.kind !== 'broken') return outcome;
  const error = mask.error(outcome.error);
  if (outcome.kind === 'broken') return { ...outcome, error };
  const { answer } = outcome;
  if (!answer) return { ...outcome, error };
  const { status, headers, body } = answer;
  return { ...outcome, error, answer: { status, headers: mask.headers(headers), body: mask.bytes(body) } };
}

const SILENCE: Readonly<Record<Phase, string>> = {
  headers: 'did not begin to answer in time',
  first_content: 'sent no content in time',
  streaming: 'fell silent in the middle of its answer',
};

/** The client's side of an answer: the only place that writes a response. */
import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { ReplyWriter } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import { gatewayHeaders } from '../dispatch/reply-headers.ts';
import type { Dialect } from '../protocols/dialect.ts';

/** What a 401 asks for (RFC 6750 §3). */
export const CHALLENGE = 'Bearer realm="gateway"';

interface ErrorFacts {
  readonly dialect: Dialect;
  /** `headAt` must be set. */
  readonly record: CallRecord;
  /** The request was not read to its end. */
  readonly closeAfter: boolean;
  /** The method that the path knows, for a 405. */
  readonly allow?: string;
}

/** Hears that the head of an answer is being written. */
export interface HeadListener {
  committed(): void;
}

/** Whoever works for a call at one time or another may want to hear that its client left; more than this is a leak. */
const MAX_GONE_LISTENERS = 8;

export class HttpReply implements ReplyWriter {
  readonly #response: ServerResponse;
  /** Headers that every answer of the edge carries, e.g. CORS. */
  readonly #extra: HeaderList;
  #isGone = false;
  readonly #onGone: (() => void)[] = [];
  #onHead: HeadListener | undefined;
  #onDrain: (() => void) | undefined;
  #isWaiting = false;

  constructor(response: ServerResponse, extra: HeaderList) {
    this.#response = response;
    this.#extra = extra;
    response.on('close', () => {
      if (response.writableFinished) return;
      this.#isGone = true;
      for (const listener of this.#onGone) listener();
    });
  }

  get isGone(): boolean {
    return this.#isGone || this.#response.destroyed;
  }

  get hasHead(): boolean {
    return this.#response.headersSent;
  }

  onGone(listener: () => void): void {
    if (this.#onGone.length >= MAX_GONE_LISTENERS) throw new Error('Too many listen for the client of one call.');
    this.#onGone.push(listener);
  }

  onHead(listener: HeadListener): void {
    this.#onHead = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  head(status: number, headers: HeaderList): void {
    this.#onHead?.committed();
    if (this.isGone) return;
    if (this.#extra.length > 0) headers.push(...this.#extra);
    this.#response.writeHead(status, headers);
  }

  write(chunk: Buffer): boolean {
    if (this.isGone || this.#response.write(chunk)) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#response.once('drain', () => {
        this.#isWaiting = false;
        this.#onDrain?.();
      });
    }
    return false;
  }

  end(chunk?: Buffer): void {
    if (!this.isGone) this.#response.end(chunk);
  }

  destroy(): void {
    this.#response.destroy();
  }

  /** The gateway's own error in the client's dialect. */
  error(error: GatewayError, { dialect, record, closeAfter, allow }: ErrorFacts): void {
    const body = dialect.encodeError(error, record.requestId);
    const headers: HeaderList = ['content-type', 'application/json', 'content-length', String(body.length)];
    headers.push('x-smg-error-code', error.code, ...gatewayHeaders(record));
    if (allow !== undefined) headers.push('allow', allow);
    if (error.status === 401) headers.push('www-authenticate', CHALLENGE);
    if (error.retryAfterSeconds !== undefined) headers.push('retry-after', String(error.retryAfterSeconds));
    if (error.headers) headers.push(...error.headers);
    if (closeAfter) headers.push('connection', 'close');
    this.head(error.status, headers);
    this.end(body);
  }
}

/**
 * One request and its answer on the wire: the plain acts (answer whole, cut, reset, close) and their bookkeeping.
 * Decides nothing: faults and endpoints choose the act. Each exchange is counted exactly once when it ends.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Counters } from '../control/stats.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import type { JsonRecord } from '../json.ts';
import type { EngineError } from './errors.ts';

/** What an exchange may ask of the engine or provider it belongs to. */
export interface ExchangeHost {
  /** The `server` header of its answers. */
  readonly serverName: string;
  readonly counters: Counters;
  /** True once the engine was killed or closed: it, not the client, then ends what is open. */
  readonly isEnded: boolean;
  /** Ends the whole engine abruptly. */
  kill(): void;
  /** Stops listening, as if the process were gone. */
  refuse(): void;
  /** The JSON body it answers that error with on that path. */
  wordError(path: string, error: EngineError): unknown;
}

/** Header names (lower case) and values of an answer. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** A request in progress. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly host: ExchangeHost;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  body: Buffer = Buffer.alloc(0);
  /** The parsed body; empty until (and unless) it is JSON. */
  json: JsonRecord = {};
  /** The fault this request suffers. */
  fault: Fault | undefined = undefined;
  #isOpen = true;
  #isCut = false;
  readonly #onGone: (() => void)[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, host: ExchangeHost) {
    const target = request.url ?? '/';
    const queryStart = target.indexOf('?');
    this.request = request;
    this.response = response;
    this.host = host;
    this.method = request.method ?? 'GET';
    this.path = queryStart < 0 ? target : target.slice(0, queryStart);
    this.query = new URLSearchParams(queryStart < 0 ? '' : target.slice(queryStart + 1));
    // Servers name themselves and send no Connection header; without a keep-alive hint, clients must expect idle closes.
    response.setHeader('server', host.serverName);
    response.removeHeader('connection');
    response.once('close', () => this.#close());
  }

  /** False once the answer is complete or the connection is gone. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs `react` when the exchange ends, for whatever reason; at once when it already has. */
  onEnd(react: () => void): void {
    if (this.#isOpen) this.#onGone.push(react);
    else react();
  }

  /** Counts a fault, at the moment it takes effect. */
  fired(kind: FaultKind): void {
    this.host.counters.faultFired(kind);
  }

  /** Sends a whole answer with its length. */
  answer(status: number, headers: AnswerHeaders, body: Buffer): void {
    this.response.writeHead(status, { ...headers, 'content-length': String(body.length) });
    this.response.end(body);
  }

  /** Sends headers that promise `promised` bytes, and then only `body`; the exchange stays open. */
  answerPartly(status: number, headers: AnswerHeaders, body: Buffer, promised: number): void {
    this.response.writeHead(status, { ...headers, 'content-length': String(promised) });
    if (body.length > 0) this.response.write(body);
    else this.response.flushHeaders();
  }

  /** Runs `act` once everything written so far is in the kernel's hands. */
  afterFlush(act: () => void): void {
    const { socket } = this.request;
    // Node corks a response's writes until the next tick; an empty write behind them reports when all are out.
    setImmediate(() => (socket.destroyed ? act() : socket.write('', () => act())));
  }

  /** Ends the connection with RST. */
  reset(): void {
    this.#isCut = true;
    this.request.socket.resetAndDestroy();
  }

  /** Ends the connection with FIN after what was written, without ending the answer. */
  closeWithFin(): void {
    this.#isCut = true;
    this.afterFlush(() => this.request.socket.destroy());
  }

  /** Closes the connection when the answer is complete, though no header said so. */
  closeAfterAnswer(): void {
    this.response.once('finish', () => this.request.socket.end());
  }

  /** Notes that the engine, not the client, is about to end this. */
  markCut(): void {
    this.#isCut = true;
  }

  #close(): void {
    this.#isOpen = false;
    const isCut = this.#isCut || (this.host.isEnded && !this.response.writableFinished);
    const isComplete = this.response.writableFinished && !isCut;
    this.host.counters.requestEnded(isComplete ? 'completed' : isCut ? 'cut' : 'aborted');
    for (const react of this.#onGone.splice(0)) react();
  }
}

/**
 * One order under way on one engine: a stream for each prompt (or answer, where the engine gives one at a time), so many
 * at once, told to one sink. Ends once: with all streams, with the first that fails, or by its holder; whatever streams
 * are left then are dropped on both sides.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { Exchange } from '../../domain/ports.ts';
import type { TokenOrder, TokenSink } from '../../domain/token-generation.ts';
import type { Aborts } from './aborts.ts';
import { metadataOf } from './call-metadata.ts';
import { AnswerReader } from './engines/answer-reader.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './engines/token-engine.ts';
import type { Channel, RpcFailure, RpcOptions, RpcSink, RpcStream } from './rpc.ts';
import { failedOf, mayStillRun } from './status.ts';

/** A batch of thousands of prompts must not fill an engine's queue, nor all streams of a connection. */
const MAX_STREAMS = 64;

export interface GenerationParts {
  readonly workerId: string;
  readonly engine: TokenEngine;
  readonly channel: Channel;
  readonly aborts: Aborts;
}

/** One stream of the order, before it runs. */
interface Plan {
  readonly call: GenerateCall;
  readonly prompt: number;
  readonly firstChoice: number;
}

interface Running {
  readonly requestId: string;
  readonly reader: AnswerReader;
  stream: RpcStream | undefined;
}

/** The id of the order for its only stream; else with what tells streams apart. */
function plansOf(engine: TokenEngine, order: TokenOrder): readonly Plan[] {
  const { choices } = order.sampling;
  const perStream = Math.min(choices, engine.maxChoices);
  const streams = Math.ceil(choices / perStream);
  return order.prompts.flatMap((prompt, at) =>
    Array.from({ length: streams }, (_, nth) => {
      const ofPrompt = order.prompts.length > 1 ? `-p${at}` : '';
      const requestId = `${order.requestId}${ofPrompt}${streams > 1 ? `-n${nth}` : ''}`;
      const firstChoice = nth * perStream;
      const call = { requestId, prompt, order, choices: Math.min(perStream, choices - firstChoice) };
      return { call, prompt: at, firstChoice };
    }),
  );
}

export class Generation implements Exchange {
  readonly #parts: GenerationParts;
  readonly #order: TokenOrder;
  readonly #sink: TokenSink;
  readonly #options: RpcOptions;
  readonly #plans: readonly Plan[];
  readonly #running = new Set<Running>();
  /** One message may hold a chunk and an end, and whoever hears the chunk may end it all. */
  readonly #guarded: Pick<TokenSink, 'chunk' | 'finished'> = {
    chunk: (chunk) => {
      if (!this.#isOver) this.#sink.chunk(chunk);
    },
    finished: (finish) => {
      if (!this.#isOver) this.#sink.finished(finish);
    },
  };
  #next = 0;
  #hasBegun = false;
  #hasMessage = false;
  #isPaused = false;
  #isOver = false;

  constructor(parts: GenerationParts, order: TokenOrder, sink: TokenSink) {
    this.#parts = parts;
    this.#order = order;
    this.#sink = sink;
    this.#plans = plansOf(parts.engine, order);
    // The limits of a call are kept by whoever placed it.
    this.#options = { timeoutMs: undefined, metadata: metadataOf(order) };
  }

  start(): void {
    while (!this.#isOver && this.#next < this.#plans.length && this.#running.size < MAX_STREAMS) this.#open();
  }

  pause(): void {
    this.#isPaused = true;
    for (const { stream } of this.#running) stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const { stream } of this.#running) stream?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#drop('The gateway does not wait for it any more');
  }

  #open(): void {
    const plan = this.#plans[this.#next++];
    if (!plan) return;
    const { call, prompt, firstChoice } = plan;
    const place = { prompt, firstChoice, choices: call.choices, isStream: this.#order.isStream };
    const reader = new AnswerReader(this.#parts.engine.habits, place, this.#guarded);
    const running: Running = { requestId: call.requestId, reader, stream: undefined };
    this.#running.add(running);
    const { channel, engine } = this.#parts;
    const stream = channel.stream(engine.generate, call, this.#options, this.#sinkFor(running));
    running.stream = stream;
    if (this.#isPaused) stream.pause();
  }

  #sinkFor(running: Running): RpcSink<EngineMessage> {
    return {
      begun: () => {
        if (this.#isOver || this.#hasBegun) return;
        this.#hasBegun = true;
        this.#sink.begun();
      },
      message: (message) => this.#read(running, message),
      end: () => this.#ended(running),
      failed: (failure) => this.#failed(running, failure),
    };
  }

  #read(running: Running, message: EngineMessage): void {
    if (this.#isOver) return;
    this.#hasMessage = true;
    try {
      running.reader.push(message);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      this.#drop('Its answer cannot be read');
      this.#sink.error(thrown, false);
    }
  }

  #ended(running: Running): void {
    if (this.#isOver) return;
    this.#running.delete(running);
    this.start();
    if (this.#running.size > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#sink.end();
  }

  #failed(running: Running, failure: RpcFailure): void {
    if (this.#isOver) return;
    // Its connection may be gone without the engine knowing that nobody reads.
    if (!mayStillRun(failure)) this.#running.delete(running);
    const { error, mayRetry } = failedOf(this.#parts.workerId, failure, this.#hasMessage);
    this.#drop('Its stream broke');
    this.#sink.error(error, mayRetry);
  }

  /** Ends everything; tells the engine of each stream that is not complete. */
  #drop(reason: string): void {
    this.#isOver = true;
    const requestIds = [...this.#running].filter(({ reader }) => !reader.isComplete).map(({ requestId }) => requestId);
    for (const { stream } of this.#running) stream?.cancel();
    this.#running.clear();
    const { engine, channel, aborts } = this.#parts;
    aborts.send({ engine, channel, requestIds, reason, metadata: this.#options.metadata });
  }
}

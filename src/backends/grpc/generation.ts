/**
 * One order under way on one engine: a stream for each prompt (or answer, where the engine gives one at a time), so many
 * at once, told to one sink. Ends once: with all streams, with the first that fails, or by its holder; whatever streams
 * are left then are dropped on both sides.
 */
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TokenExchange, TokenOrder, TokenSink } from '../../domain/token-generation.ts';
import type { Aborts } from './aborts.ts';
import { metadataOf } from './call-metadata.ts';
import { AnswerReader } from './engines/answer-reader.ts';
import type { AnswerPlace } from './engines/answer-reader.ts';
import type { EngineMessage, GenerateCall, TokenEngine } from './engines/token-engine.ts';
import type { Channel, RpcFailure, RpcOptions, RpcSink, RpcStream } from './rpc.ts';
import type { RunningExchange, RunningExchanges } from './running-exchanges.ts';
import { failedOf, mayStillRun, removedError } from './status.ts';

/** A batch of thousands of prompts must not fill an engine's queue, nor all streams of a connection. */
const MAX_STREAMS = 64;
/** How long an engine that knows the stop strings may take to say that it has met one, too. */
const OWN_STOP_MS = 50;

export interface GenerationParts {
  readonly workerId: string;
  readonly engine: TokenEngine;
  readonly channel: Channel;
  readonly aborts: Aborts;
  readonly clock: Clock;
  /** Of the same worker. */
  readonly exchanges: RunningExchanges;
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
  readonly plan: Plan;
  /** Answers that are over for whoever reads them. */
  stopped: number;
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
      const call = {
        requestId,
        prompt,
        order: seededFor(order, firstChoice),
        choices: Math.min(perStream, choices - firstChoice),
      };
      return { call, prompt: at, firstChoice };
    }),
  );
}

/** One seed in several streams would make their answers the same; engines that give several number it as well. */
function seededFor(order: TokenOrder, firstChoice: number): TokenOrder {
  const { sampling } = order;
  if (firstChoice === 0 || sampling.seed === undefined) return order;
  return { ...order, sampling: { ...sampling, seed: sampling.seed + firstChoice } };
}

export class Generation implements RunningExchange, TokenExchange {
  readonly #parts: GenerationParts;
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
  readonly #bounds: Pick<AnswerPlace, 'isStream' | 'maxTokens'>;
  #next = 0;
  #hasBegun = false;
  #hasMessage = false;
  #isPaused = false;
  #isReading = false;
  #isOver = false;
  /** Over for its holder, while the bytes that are being read may still say that the engine is done. */
  #isLeaving = false;

  constructor(parts: GenerationParts, order: TokenOrder, sink: TokenSink) {
    this.#parts = parts;
    this.#sink = sink;
    this.#plans = plansOf(parts.engine, order);
    this.#bounds = { isStream: order.isStream, maxTokens: order.sampling.maxTokens };
    // The limits of a call are kept by whoever placed it.
    this.#options = { timeoutMs: undefined, metadata: metadataOf(order) };
  }

  start(): void {
    this.#parts.exchanges.add(this);
    this.#openMore();
  }

  #openMore(): void {
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
    const reason = 'The gateway does not wait for it any more';
    if (!this.#isReading || this.#isComplete()) return this.#drop(reason);
    // A stop string found here is often the end of the engine's answer, too, which comes right behind it.
    this.#isOver = true;
    this.#isLeaving = true;
    const { engine, clock } = this.#parts;
    if (engine.lacks.includes('stop')) setImmediate(() => this.#drop(reason));
    else clock.setTimer(() => this.#drop(reason), OWN_STOP_MS);
  }

  /** Of several streams those go on that somebody reads; the only one ends with all of it. */
  stop(prompt: number, choice: number): void {
    if (this.#isOver || this.#plans.length === 1 || !this.#parts.engine.lacks.includes('stop')) return;
    const running = [...this.#running].find(({ plan }) => isOf(plan, prompt, choice));
    if (!running) return;
    running.stopped += 1;
    if (running.stopped < running.plan.call.choices) return;
    this.#tell([running], 'Its answers have met a stop string');
    this.#ended(running);
  }

  #isComplete(): boolean {
    return [...this.#running].every(({ reader }) => reader.isComplete);
  }

  workerRemoved(): void {
    if (this.#isOver) return;
    this.#drop('Its worker was removed');
    this.#sink.error(removedError(this.#parts.workerId), !this.#hasMessage);
  }

  #open(): void {
    const plan = this.#plans[this.#next++];
    if (!plan) return;
    const { call, prompt, firstChoice } = plan;
    const place = { prompt, firstChoice, choices: call.choices, ...this.#bounds };
    const reader = new AnswerReader(this.#parts.engine.habits, place, this.#guarded);
    const running: Running = { requestId: call.requestId, reader, plan, stopped: 0, stream: undefined };
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
    if (this.#isOver && !this.#isLeaving) return;
    this.#hasMessage = true;
    this.#isReading = true;
    try {
      running.reader.push(message);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      if (this.#isOver) return;
      this.#drop('Its answer cannot be read');
      this.#sink.error(thrown, false);
    } finally {
      this.#isReading = false;
    }
  }

  #ended(running: Running): void {
    if (this.#isOver && !this.#isLeaving) return;
    this.#running.delete(running);
    if (this.#isOver) return;
    this.#openMore();
    if (this.#running.size > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#parts.exchanges.delete(this);
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
    this.#isLeaving = false;
    this.#parts.exchanges.delete(this);
    this.#tell([...this.#running], reason);
    this.#running.clear();
  }

  /** Streams that nobody reads any more: an engine is told of those that it has not completed. */
  #tell(streams: readonly Running[], reason: string): void {
    const requestIds = streams.filter(({ reader }) => !reader.isComplete).map(({ requestId }) => requestId);
    for (const { stream, reader } of streams) {
      if (reader.isComplete) stream?.leaveToEnd();
      else stream?.cancel();
    }
    const { engine, channel, aborts } = this.#parts;
    aborts.send({ engine, channel, requestIds, reason, metadata: this.#options.metadata });
  }
}

function isOf({ call, prompt, firstChoice }: Plan, ofPrompt: number, choice: number): boolean {
  return prompt === ofPrompt && choice >= firstChoice && choice < firstChoice + call.choices;
}

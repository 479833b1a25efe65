/** Embeddings of an order's prompts: one call for each, so many at once; all of them or an error. */
import type { EmbedOrder, EmbedSink, Embedding } from '../../domain/token-generation.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Aborts } from './aborts.ts';
import { metadataOf } from './call-metadata.ts';
import type { EmbedCall, TokenEngine } from './engines/token-engine.ts';
import type { Channel, RpcFailure, RpcMethod, RpcOptions, RpcStream } from './rpc.ts';
import type { RunningExchange, RunningExchanges } from './running-exchanges.ts';
import { failedOf, mayStillRun, removedError } from './status.ts';

const MAX_CALLS = 64;

export interface EmbeddingParts {
  readonly workerId: string;
  readonly engine: TokenEngine;
  readonly method: RpcMethod<EmbedCall, Embedding>;
  readonly channel: Channel;
  readonly aborts: Aborts;
  /** Of the same worker. */
  readonly exchanges: RunningExchanges;
}

interface Running {
  readonly requestId: string;
  stream: RpcStream | undefined;
}

export class EmbeddingExchange implements RunningExchange {
  readonly #parts: EmbeddingParts;
  readonly #order: EmbedOrder;
  readonly #sink: EmbedSink;
  readonly #options: RpcOptions;
  readonly #embeddings: (Embedding | undefined)[];
  readonly #running = new Set<Running>();
  #next = 0;
  #isOver = false;

  constructor(parts: EmbeddingParts, order: EmbedOrder, sink: EmbedSink) {
    this.#parts = parts;
    this.#order = order;
    this.#sink = sink;
    this.#embeddings = order.prompts.map(() => undefined);
    this.#options = { timeoutMs: undefined, metadata: metadataOf(order) };
  }

  start(): void {
    this.#parts.exchanges.add(this);
    this.#openMore();
  }

  #openMore(): void {
    while (!this.#isOver && this.#next < this.#order.prompts.length && this.#running.size < MAX_CALLS) this.#open();
  }

  /** One message each: there is nothing to hold back. */
  pause(): void {}

  resume(): void {}

  abort(): void {
    if (!this.#isOver) this.#drop('The gateway does not wait for it any more');
  }

  workerRemoved(): void {
    if (this.#isOver) return;
    this.#drop('Its worker was removed');
    this.#sink.error(removedError(this.#parts.workerId), true);
  }

  /** As a stream of one message, because those can be cancelled. */
  #open(): void {
    const at = this.#next++;
    const prompt = this.#order.prompts[at];
    if (!prompt) return;
    const requestId = this.#order.prompts.length > 1 ? `${this.#order.requestId}-p${at}` : this.#order.requestId;
    const running: Running = { requestId, stream: undefined };
    this.#running.add(running);
    const stream = this.#parts.channel.stream(this.#parts.method, { requestId, prompt }, this.#options, {
      begun: () => undefined,
      message: (embedding) => {
        this.#embeddings[at] = embedding;
      },
      end: () => this.#ended(running),
      failed: (failure) => this.#failed(running, failure),
    });
    running.stream = stream;
  }

  #ended(running: Running): void {
    if (this.#isOver) return;
    this.#running.delete(running);
    this.#openMore();
    if (this.#running.size > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#parts.exchanges.delete(this);
    const embeddings = this.#embeddings.filter((each) => each !== undefined);
    if (embeddings.length === this.#embeddings.length) this.#sink.embedded(embeddings);
    else
      this.#sink.error(new GatewayError('upstream_invalid_answer', 'The worker answered without an embedding.'), false);
  }

  #failed(running: Running, failure: RpcFailure): void {
    if (this.#isOver) return;
    if (!mayStillRun(failure)) this.#running.delete(running);
    const { error, mayRetry } = failedOf(this.#parts.workerId, failure, false);
    this.#drop('Its call broke');
    this.#sink.error(error, mayRetry);
  }

  #drop(reason: string): void {
    this.#isOver = true;
    this.#parts.exchanges.delete(this);
    const requestIds = [...this.#running].map(({ requestId }) => requestId);
    for (const { stream } of this.#running) stream?.cancel();
    this.#running.clear();
    const { engine, channel, aborts } = this.#parts;
    aborts.send({ engine, channel, requestIds, reason, metadata: this.#options.metadata });
  }
}

/** How orders travel to engines behind gRPC: refused here if the engine cannot be asked for them, else sent. */
import type { Clock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { Exchange } from '../../domain/ports.ts';
import type {
  EmbedOrder,
  EmbedSink,
  Sampling,
  TokenBackend,
  TokenExchange,
  TokenOrder,
  TokenSink,
  TokenWorker,
} from '../../domain/token-generation.ts';
import type { Engine, TokenEngineName, WorkerAddress } from '../../domain/worker.ts';
import { Aborts } from './aborts.ts';
import type { AbortCounts } from './aborts.ts';
import { EmbeddingExchange } from './embedding.ts';
import { tokenEngines } from './engines/index.ts';
import type { TokenEngine } from './engines/token-engine.ts';
import { Generation } from './generation.ts';
import { ExchangesByWorker } from './running-exchanges.ts';
import type { ChannelPool } from './rpc.ts';

export class GrpcTokenBackend implements TokenBackend {
  readonly #channels: Pick<ChannelPool, 'channelTo'>;
  readonly #clock: Clock;
  readonly #aborts: Aborts;
  readonly #exchanges = new ExchangesByWorker();

  constructor(channels: Pick<ChannelPool, 'channelTo'>, clock: Clock) {
    this.#channels = channels;
    this.#clock = clock;
    this.#aborts = new Aborts(clock);
  }

  /** Requests that engines were told to drop, by engine. */
  get abortCounts(): ReadonlyMap<TokenEngineName, Readonly<AbortCounts>> {
    return this.#aborts.counts;
  }

  /** Resolves when the engines have heard of everything that they were told to drop. */
  abortsTaken(): Promise<void> {
    return this.#aborts.settled();
  }

  problem(engine: Engine, order: TokenOrder): GatewayError | undefined {
    const spoken = findEngine(engine);
    if (!spoken) return unknownEngine(engine);
    const refusal = spoken.refusalOf(order);
    return refusal === undefined ? undefined : new GatewayError('not_translatable', `The engine ${engine} ${refusal}.`);
  }

  embedProblem(engine: Engine): GatewayError | undefined {
    const spoken = findEngine(engine);
    if (!spoken) return unknownEngine(engine);
    if (spoken.embed) return undefined;
    return new GatewayError('not_translatable', `The engine ${engine} has no embeddings over gRPC.`);
  }

  /** Throws what `problem` gives. */
  generate({ address, engine }: TokenWorker, order: TokenOrder, sink: TokenSink): TokenExchange {
    const problem = this.problem(engine, order);
    if (problem) throw problem;
    const spoken = engineNamed(engine);
    const channel = this.#channels.channelTo(address.url);
    const parts = {
      workerId: address.id,
      engine: spoken,
      channel,
      clock: this.#clock,
      aborts: this.#aborts,
      exchanges: this.#exchanges.of(address.url),
    };
    const generation = new Generation(parts, order, sink);
    generation.start();
    return generation;
  }

  embed({ address, engine }: TokenWorker, order: EmbedOrder, sink: EmbedSink): Exchange {
    const spoken = engineNamed(engine);
    const method = spoken.embed;
    if (!method) throw this.embedProblem(engine) ?? unknownEngine(engine);
    const channel = this.#channels.channelTo(address.url);
    const parts = {
      workerId: address.id,
      engine: spoken,
      method,
      channel,
      aborts: this.#aborts,
      exchanges: this.#exchanges.of(address.url),
    };
    const exchange = new EmbeddingExchange(parts, order, sink);
    exchange.start();
    return exchange;
  }

  /** The worker is gone: what still runs on it ends, and its engine is told. Before its channel is forgotten. */
  forget({ url }: WorkerAddress): void {
    this.#exchanges.cut(url);
  }

  lacks(engine: Engine): readonly (keyof Sampling)[] {
    return engineNamed(engine).lacks;
  }
}

/** Throws `not_translatable` for an engine that takes no tokens. */
export function engineNamed(engine: Engine): TokenEngine {
  const spoken = findEngine(engine);
  if (!spoken) throw unknownEngine(engine);
  return spoken;
}

function findEngine(engine: Engine): TokenEngine | undefined {
  return tokenEngines.find(({ name }) => name === engine);
}

function unknownEngine(engine: Engine): GatewayError {
  return new GatewayError('not_translatable', `The engine ${engine} is not known to take tokens over gRPC.`);
}

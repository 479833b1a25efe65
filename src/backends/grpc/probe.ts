/**
 * Small questions and orders to engines behind gRPC, outside of any call. An engine is known by its own service: a server
 * of another one answers UNIMPLEMENTED.
 */
import type { Clock } from '../../base/clock.ts';
import type { DetectedEngine, EngineDescription, EngineHealth, EngineProber } from '../../domain/engine-prober.ts';
import type { EngineLoad } from '../../domain/engine-load.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { TokenWorker } from '../../domain/token-generation.ts';
import type { WorkerAddress } from '../../domain/worker.ts';
import { metadataOf } from './call-metadata.ts';
import type { TimedDescription } from './engines/description.ts';
import { tokenEngines } from './engines/index.ts';
import type { Outcome } from './engines/token-engine.ts';
import type { Channel, ChannelPool, RpcMethod, RpcOptions } from './rpc.ts';
import { engineNamed } from './send.ts';
import { StartTimes } from './start-times.ts';
import { errorOf, isUnimplemented } from './status.ts';

/** What the engine may take for a flush beyond the time that it waits for its requests to end. */
const FLUSH_GRACE_MS = 45_000;
const PROFILE_TIMEOUT_MS = 630_000;

export class GrpcProber implements EngineProber {
  readonly #channels: Pick<ChannelPool, 'channelTo' | 'forget'>;
  readonly #clock: Pick<Clock, 'wallTime'>;
  readonly #starts = new StartTimes();

  constructor(channels: Pick<ChannelPool, 'channelTo' | 'forget'>, clock: Pick<Clock, 'wallTime'>) {
    this.#channels = channels;
    this.#clock = clock;
  }

  /** One after the other, so that a server is asked no more than it takes. Health is not looked at here. */
  async detect(worker: WorkerAddress, timeoutMs: number): Promise<DetectedEngine> {
    const options = optionsFor(worker, timeoutMs);
    for (const { name, health } of tokenEngines) {
      try {
        return { engine: name, health: await this.#channels.channelTo(worker.url).unary(health, undefined, options) };
      } catch (thrown) {
        if (isUnimplemented(thrown)) continue;
        this.#channels.forget(worker.url);
        throw errorOf(worker.id, thrown);
      }
    }
    // Nobody else goes there; the next try opens a connection of its own.
    this.#channels.forget(worker.url);
    const names = tokenEngines.map(({ name }) => name).join(', ');
    throw new GatewayError('upstream_unreachable', `A gRPC server is there, but it is none of ${names}`);
  }

  health(worker: TokenWorker, timeoutMs: number): Promise<EngineHealth> {
    return this.#ask(worker, engineNamed(worker.engine).health, undefined, timeoutMs);
  }

  async describe(worker: TokenWorker, timeoutMs: number): Promise<EngineDescription> {
    const { address } = worker;
    try {
      const channel = this.#channels.channelTo(address.url);
      const told = await engineNamed(worker.engine).describe(channel, optionsFor(address, timeoutMs));
      return this.#dated(address, told);
    } catch (thrown) {
      throw errorOf(address.id, thrown);
    }
  }

  async loads(worker: TokenWorker, timeoutMs: number): Promise<EngineLoad | undefined> {
    const method = engineNamed(worker.engine).loads;
    if (!method) return undefined;
    try {
      return await this.#channels
        .channelTo(worker.address.url)
        .unary(method, undefined, optionsFor(worker.address, timeoutMs));
    } catch (thrown) {
      if (isUnimplemented(thrown)) return undefined;
      throw errorOf(worker.address.id, thrown);
    }
  }

  async flushCache(worker: TokenWorker, timeoutMs: number): Promise<void> {
    const method = mustHave(worker, engineNamed(worker.engine).flushCache, 'flush its cache');
    const order = { timeoutSeconds: timeoutMs / 1_000 };
    done(worker, await this.#ask(worker, method, order, timeoutMs + FLUSH_GRACE_MS));
  }

  async startProfile(worker: TokenWorker, order: Readonly<Record<string, unknown>>): Promise<void> {
    const method = mustHave(worker, engineNamed(worker.engine).startProfile, 'record a profile');
    done(worker, await this.#ask(worker, method, order, PROFILE_TIMEOUT_MS));
  }

  async stopProfile(worker: TokenWorker): Promise<void> {
    const method = mustHave(worker, engineNamed(worker.engine).stopProfile, 'record a profile');
    done(worker, await this.#ask(worker, method, undefined, PROFILE_TIMEOUT_MS));
  }

  async #ask<In, Out>(worker: TokenWorker, method: RpcMethod<In, Out>, message: In, timeoutMs: number): Promise<Out> {
    const { address } = worker;
    const channel: Channel = this.#channels.channelTo(address.url);
    try {
      return await channel.unary(method, message, optionsFor(address, timeoutMs));
    } catch (thrown) {
      throw errorOf(address.id, thrown);
    }
  }

  #dated({ url }: WorkerAddress, { uptimeSeconds, ...told }: TimedDescription): EngineDescription {
    if (uptimeSeconds === undefined || uptimeSeconds <= 0) return told;
    const start = this.#starts.of(url, this.#clock.wallTime() / 1_000 - uptimeSeconds);
    const parts = [told.instance, `start=${start}`].filter((part) => part !== undefined);
    return { ...told, instance: parts.join(';') };
  }
}

function optionsFor({ apiKey }: WorkerAddress, timeoutMs: number): RpcOptions {
  return { timeoutMs, metadata: metadataOf({ key: apiKey }) };
}

function mustHave<T>({ engine }: TokenWorker, method: T | undefined, what: string): T {
  if (method === undefined)
    throw new GatewayError('not_translatable', `The engine ${engine} cannot ${what} over gRPC.`);
  return method;
}

function done({ address }: TokenWorker, { isDone, message }: Outcome): void {
  if (!isDone) throw new GatewayError('upstream_error', `Worker ${address.id} did not do it: ${message.slice(0, 500)}`);
}

/** Engines behind gRPC that answer from a table: an EngineProber without a network. */
import { GatewayError } from '../../src/domain/errors.ts';
import type { DetectedEngine, EngineDescription, EngineHealth, EngineProber } from '../../src/domain/engine-prober.ts';
import type { EngineLoad } from '../../src/domain/engine-load.ts';
import type { TokenWorker } from '../../src/domain/token-generation.ts';
import type { TokenEngineName } from '../../src/domain/worker.ts';

export interface EngineAnswers {
  readonly engine: TokenEngineName;
  readonly health: EngineHealth;
  readonly description: Partial<EngineDescription>;
  readonly load: EngineLoad | undefined;
}

export const WELL: EngineAnswers = {
  engine: 'sglang',
  health: { isHealthy: true, message: 'fine' },
  description: { model: 'qwen3' },
  load: undefined,
};

export const NOT_TOLD: EngineDescription = {
  version: undefined,
  model: undefined,
  contextLength: undefined,
  maxRunning: undefined,
  capacityTokens: undefined,
  dataParallelSize: undefined,
  instance: undefined,
  samplingDefaults: undefined,
  labels: {},
};

export class TableEngines implements EngineProber {
  /** What was asked, in order, with the URL. */
  readonly asked: string[] = [];
  /** Null: the worker is down. */
  answers: EngineAnswers | null;

  constructor(answers: EngineAnswers | null) {
    this.answers = answers;
  }

  async detect({ url }: { readonly url: string }): Promise<DetectedEngine> {
    const { engine, health } = await this.#answer('detect', url);
    return { engine, health };
  }

  async health(worker: TokenWorker): Promise<EngineHealth> {
    const { engine, health } = await this.#answer('health', worker.address.url);
    if (engine !== worker.engine) throw new GatewayError('not_translatable', 'Method not found');
    return health;
  }

  async describe({ address }: TokenWorker): Promise<EngineDescription> {
    return { ...NOT_TOLD, ...(await this.#answer('describe', address.url)).description };
  }

  async loads({ address }: TokenWorker): Promise<EngineLoad | undefined> {
    return (await this.#answer('loads', address.url)).load;
  }

  async flushCache({ address }: TokenWorker): Promise<void> {
    await this.#answer('flush', address.url);
  }

  async startProfile({ address }: TokenWorker): Promise<void> {
    await this.#answer('start profile', address.url);
  }

  async stopProfile({ address }: TokenWorker): Promise<void> {
    await this.#answer('stop profile', address.url);
  }

  async #answer(what: string, url: string): Promise<EngineAnswers> {
    this.asked.push(`${what} ${url}`);
    await Promise.resolve();
    if (!this.answers) throw new GatewayError('upstream_unreachable', 'Worker w is not reachable');
    return this.answers;
  }
}

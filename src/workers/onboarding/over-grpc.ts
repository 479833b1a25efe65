/**
 * The steps of a worker behind gRPC after it was found: it is well, it is that engine, and it serves that model. Engines
 * have no list of models there: one is served, by the best name that it has, and without any name it takes all.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { TokenWorker } from '../../domain/token-generation.ts';
import { ranksWithin, versionWithin } from './engines/engine-profile.ts';
import { modelsOf } from './list-models.ts';
import { boundedIds } from './model-list.ts';
import type { Findings, Round, Step } from './step.ts';

function workerAt({ worker }: Round, { url, engine }: Findings): TokenWorker {
  return { address: { ...worker.address, url }, engine };
}

/** Is it there and well? By the health check of each engine's own service, or of the one that the spec names. */
const connect: Step = {
  name: 'connect',
  run: async (round, found) => {
    const { runtime } = round.worker.spec;
    if (runtime === 'external' || runtime === 'llama_cpp' || runtime === 'ollama')
      throw new GatewayError('upstream_unreachable', `${runtime} does not speak gRPC; use its HTTP port`);
    const { address } = workerAt(round, found);
    const known = runtime && { engine: runtime, health: await healthOf(round, { address, engine: runtime }) };
    const { engine, health } = known ?? (await round.engines.detect(address, round.timeoutMs));
    if (health.isHealthy) return { engine };
    throw new GatewayError(
      'upstream_unreachable',
      `${engine} says that it is not well: ${health.message || 'no reason'}`,
    );
  },
};

async function healthOf({ engines, timeoutMs }: Round, worker: TokenWorker) {
  try {
    return await engines.health(worker, timeoutMs);
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    if (error.code !== 'not_translatable') throw error;
    throw new GatewayError('upstream_unreachable', `A gRPC server is there, but it is not ${worker.engine}`);
  }
}

/** Known since its health check answered; told as a step of its own because it is one for those who watch. */
const detectEngine: Step = {
  name: 'detect_engine',
  run: (_round, { engine }) => Promise.resolve({ engine }),
};

const readMetadata: Step = {
  name: 'read_metadata',
  run: async (round, found) => {
    const told = await round.engines.describe(workerAt(round, found), round.timeoutMs);
    return {
      metadata: {
        version: versionWithin(told.version),
        contextLength: told.contextLength,
        maxRunning: told.maxRunning,
        capacityTokens: told.capacityTokens,
        dataParallelSize: ranksWithin(told.dataParallelSize),
        instance: told.instance,
        labels: told.labels,
      },
      models: boundedIds(told.model === undefined ? [] : [told.model]),
      contextLength: told.contextLength,
      samplingDefaults: told.samplingDefaults,
    };
  },
};

const listModels: Step = {
  name: 'list_models',
  run: ({ worker: { spec } }, found) =>
    Promise.resolve(spec.models.length > 0 ? modelsOf(spec.models, found) : { models: found.models }),
};

/** In the order in which they run. */
export const tokenSteps: readonly Step[] = [connect, detectEngine, readMetadata, listModels];

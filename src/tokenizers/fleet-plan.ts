/**
 * Which models of the fleet need a tokenizer, and where it may come from: what the operator named, what the labels of the
 * model's workers say, and at last the workers themselves. Pure but for the sources it makes.
 */
import type { TokenizerBundles } from '../domain/engine-prober.ts';
import type { FleetSnapshot } from '../domain/ports.ts';
import type { Worker } from '../domain/worker.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ModelSource } from './loading.ts';
import { requireTokenizer, SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';
import type { SourceReader } from './source-reader.ts';
import { unzip } from './zip.ts';

/** Workers that take any model stand under this name. */
export const ANY_MODEL = '*';

/** Workers behind gRPC by each model that they serve. */
export function tokenWorkersByModel({ workers }: FleetSnapshot): ReadonlyMap<string, readonly Worker[]> {
  const byModel = new Map<string, Worker[]>();
  for (const worker of workers) {
    if (worker.facts?.connection !== 'grpc') continue;
    const models = worker.facts.models.length > 0 ? worker.facts.models : [ANY_MODEL];
    for (const model of models) {
      const known = byModel.get(model);
      if (known) known.push(worker);
      else byModel.set(model, [worker]);
    }
  }
  return byModel;
}

/** What an operator's label says counts before what the engine says of itself. */
function labelOf({ spec, facts }: Worker, name: string): string | undefined {
  return spec.labels[name] || facts?.labels[name] || undefined;
}

/** Texts for sources that ready workers name, each once: all tokenizer paths before all model paths. */
function labelledSources(workers: readonly Worker[]): string[] {
  const named = ['tokenizer_path', 'model_path'].flatMap((name) =>
    workers.flatMap((each) => labelOf(each, name) ?? []),
  );
  return [...new Set(named)];
}

export interface PlanParts {
  readonly reader: SourceReader;
  /** Undefined: workers are not asked for theirs. */
  readonly bundles: TokenizerBundles | undefined;
  /** Of the command line, in the order in which they are tried. */
  readonly named: readonly string[];
}

export function sourcesFor(workers: readonly Worker[], { reader, bundles, named }: PlanParts): ModelSource[] {
  const ready = workers.filter(({ state }) => state === 'ready');
  const sources = namedSources([...new Set([...named, ...labelledSources(ready)])], reader);
  if (bundles) for (const worker of ready.slice(0, MAX_ASKED)) sources.push(bundleSource(worker, bundles));
  return sources;
}

/** Workers of one model have the same tokenizer: when a few of them cannot give it, the others will not either. */
const MAX_ASKED = 4;

/** In the order of the texts. A source that has only a tokenizer gets the model's habits from those behind it. */
export function namedSources(texts: readonly string[], reader: SourceReader): ModelSource[] {
  return texts.map((text, i) => ({
    name: text,
    async load(signal) {
      const files = await reader.read(text, signal);
      requireTokenizer(files);
      return HABITS.some((name) => files.has(name)) ? files : withHabits(files, texts.slice(i + 1), { reader, signal });
    },
  }));
}

const HABITS = ['config.json', 'generation_config.json'] as const;

interface Reading {
  readonly reader: SourceReader;
  readonly signal: AbortSignal;
}

async function withHabits(
  files: ModelFiles,
  others: readonly string[],
  { reader, signal }: Reading,
): Promise<ModelFiles> {
  for (const other of others) {
    // Where they cannot be had the tokenizer is good all the same.
    const found = await reader.read(other, signal).catch(() => undefined);
    const habits = HABITS.flatMap((name) => {
      const bytes = found?.get(name);
      return bytes ? [[name, bytes] as const] : [];
    });
    if (habits.length > 0) return new Map([...files, ...habits]);
  }
  return files;
}

function bundleSource({ id, address, facts }: Worker, bundles: TokenizerBundles): ModelSource {
  return {
    name: `worker ${id}`,
    async load(signal) {
      if (!facts) throw new SourceError('the worker is not known well enough');
      const archive = await bundles.fetch({ address, engine: facts.engine }, signal).catch((thrown: unknown) => {
        throw new SourceError(
          thrown instanceof GatewayError ? thrown.message : 'it did not give its tokenizer',
          thrown,
        );
      });
      return unzip(archive);
    },
  };
}

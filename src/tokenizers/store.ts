/**
 * The tokenizers of the gateway with their models: which there are, how far each is loaded, who needs it. Follows the
 * fleet: a model that a worker behind gRPC serves is loaded when the worker becomes ready, tried anew when another one
 * comes after it has failed, and let go when its last worker is gone. What flags and the API named stays.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { TokenizerBundles } from '../domain/engine-prober.ts';
import { GatewayError } from '../domain/errors.ts';
import type { FleetSnapshot, WorkerDirectory } from '../domain/ports.ts';
import type { TokenModel, TokenModelState } from '../domain/token-model.ts';
import type { TokenizerControl, TokenizerSpec, TokenizerView } from '../domain/tokenizers.ts';
import { ANY_MODEL, namedSources, sourcesFor, tokenWorkersByModel } from './fleet-plan.ts';
import { Loading, LOADING_TIMES } from './loading.ts';
import type { LoadingTimes, ModelSource } from './loading.ts';
import type { ModelFiles } from './model-files.ts';
import type { SourceReader } from './source-reader.ts';

export interface StoreOptions {
  /** Sources of the command line, in the order in which they are tried. */
  readonly named: readonly string[];
  /** Path of a template, or the template itself, in place of the models' own; undefined: theirs. */
  readonly template: string | undefined;
  /** False: only what the API names is loaded. */
  readonly loadsByItself: boolean;
  readonly times?: LoadingTimes;
}

/** Makes models of files, and lets go of them. */
export interface ModelMaker {
  /** Rejects with a SourceError or a GatewayError. `holder` keeps what is shared until it is released. */
  make(
    files: ModelFiles,
    options: { source: string; template: string | undefined; holder: object },
  ): Promise<TokenModel>;
  release(holder: object): void;
  close(): void;
}

export interface StoreParts {
  readonly clock: Clock;
  readonly directory: WorkerDirectory;
  readonly reader: SourceReader;
  readonly bundles: TokenizerBundles | undefined;
  readonly maker: ModelMaker;
  log(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, string | number>>): void;
}

interface Entry {
  readonly id: string;
  readonly name: string;
  readonly origin: TokenizerView['origin'];
  readonly template: string | undefined;
  readonly sources: () => readonly ModelSource[];
  readonly loading: Loading;
}

export class TokenizerStore implements TokenizerControl {
  readonly #options: StoreOptions;
  readonly #parts: StoreParts;
  /** By name. */
  readonly #entries = new Map<string, Entry>();
  /** Ready workers by model: one that is not among them has come anew. */
  #seen: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #unsubscribe: (() => void) | undefined;

  constructor(options: StoreOptions, parts: StoreParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Begins to load what flags name, and to follow the fleet. Returns at once. */
  start(): void {
    const { directory, reader } = this.#parts;
    const { loadsByItself, named } = this.#options;
    if (!loadsByItself || this.#unsubscribe) return;
    const [first] = named;
    if (first !== undefined) {
      const sources = namedSources(named, reader);
      this.#begin({ name: first, origin: 'flags', template: this.#options.template, sources: () => sources });
    }
    this.#unsubscribe = directory.subscribe((snapshot) => this.#follow(snapshot));
    this.#follow(directory.snapshot());
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const { loading } of this.#entries.values()) loading.stop();
    this.#parts.maker.close();
  }

  of(model: string): TokenModelState {
    const entry = this.#entries.get(model) ?? this.#entries.get(ANY_MODEL) ?? this.#flagged();
    if (entry) return stateOf(entry);
    const text = `No tokenizer is known for \`${model.slice(0, 200)}\`; --tokenizer-path or --model-path names one.`;
    return { kind: 'failed', error: new GatewayError('tokenizer_unavailable', text) };
  }

  lookUp(model: string): TokenModelState | undefined {
    const isAnybody = model === '' || model === 'unknown';
    const known = isAnybody ? [...this.#entries.values()][0] : this.#entries.get(model);
    if (known) return stateOf(known);
    const snapshot = this.#parts.directory.snapshot();
    const isServed = snapshot.membersOf(model) !== undefined || snapshot.wildcards.length > 0;
    const other = isServed ? (this.#entries.get(ANY_MODEL) ?? this.#flagged()) : undefined;
    return other && stateOf(other);
  }

  list(): readonly TokenizerView[] {
    return [...this.#entries.values()].map(viewOf);
  }

  view(idOrName: string): TokenizerView | undefined {
    const entry = this.#find(idOrName);
    return entry && viewOf(entry);
  }

  add({ name, source, templatePath }: TokenizerSpec): TokenizerView {
    const known = this.#entries.get(name);
    if (known && known.loading.status !== 'failed') {
      const text = `There is a tokenizer \`${name.slice(0, 200)}\` already; DELETE it first.`;
      throw new GatewayError('tokenizer_exists', text, { param: 'name' });
    }
    if (known) this.#drop(known);
    const { reader } = this.#parts;
    const sources = namedSources([source], reader);
    const template = templatePath ?? this.#options.template;
    return viewOf(this.#begin({ name, origin: 'api', template, sources: () => sources }));
  }

  remove(idOrName: string): TokenizerView | undefined {
    const entry = this.#find(idOrName);
    if (!entry) return undefined;
    this.#drop(entry);
    return viewOf(entry);
  }

  #find(idOrName: string): Entry | undefined {
    const byName = this.#entries.get(idOrName);
    if (byName) return byName;
    return [...this.#entries.values()].find(({ id }) => id === idOrName);
  }

  #flagged(): Entry | undefined {
    return [...this.#entries.values()].find(({ origin }) => origin === 'flags');
  }

  #drop(entry: Entry): void {
    entry.loading.stop();
    this.#entries.delete(entry.name);
    this.#parts.maker.release(entry.loading);
  }

  #begin(what: Omit<Entry, 'id' | 'loading'>): Entry {
    const { name, template, sources } = what;
    const { clock, maker } = this.#parts;
    const loading: Loading = new Loading(name, {
      clock,
      times: this.#options.times ?? LOADING_TIMES,
      sources,
      make: (files, source) => maker.make(files, { source, template, holder: loading }),
    });
    const entry = { ...what, id: idOf(name), loading };
    this.#entries.set(name, entry);
    void loading.settled.then(() => this.#settled(entry));
    return entry;
  }

  #settled({ name, loading }: Entry): void {
    // What was dropped meanwhile is nobody's loss.
    if (this.#entries.get(name)?.loading !== loading) return;
    const { model, error, source, attempts } = loading;
    if (model) this.#parts.log('info', 'tokenizer loaded', { model: name, source, attempts });
    else this.#parts.log('warn', 'tokenizer not loaded', { model: name, attempts, error: error?.message ?? '' });
  }

  #follow(snapshot: FleetSnapshot): void {
    const byModel = tokenWorkersByModel(snapshot);
    const seen = new Map<string, ReadonlySet<string>>();
    for (const [model, workers] of byModel) {
      const ready = workers.filter(({ state }) => state === 'ready').map(({ id }) => id);
      const before = this.#seen.get(model);
      seen.set(model, new Set(ready));
      if (ready.some((id) => !before?.has(id))) this.#came(model);
    }
    this.#seen = seen;
    for (const entry of [...this.#entries.values()]) {
      if (entry.origin === 'workers' && !byModel.has(entry.name)) this.#drop(entry);
    }
  }

  /** A worker of the model has become ready. */
  #came(name: string): void {
    const known = this.#entries.get(name);
    if (known && known.loading.status !== 'failed') return;
    if (known) {
      this.#drop(known);
      this.#begin(known);
      return;
    }
    const { directory, reader, bundles } = this.#parts;
    const { named, template } = this.#options;
    const plan = { reader, bundles, named };
    const workers = () => tokenWorkersByModel(directory.snapshot()).get(name) ?? [];
    this.#begin({ name, origin: 'workers', template, sources: () => sourcesFor(workers(), plan) });
  }
}

function idOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

function stateOf({ loading }: Entry): TokenModelState {
  if (loading.model) return { kind: 'ready', model: loading.model };
  if (loading.status === 'failed' && loading.error) return { kind: 'failed', error: loading.error };
  return { kind: 'loading', settled: loading.settled };
}

function viewOf({ id, name, origin, loading }: Entry): TokenizerView {
  const { status, attempts, error, model } = loading;
  const vocabularySize = model?.tokenizer.vocabularySize;
  return {
    id,
    name,
    source: model?.source ?? loading.source,
    origin,
    status,
    attempts,
    error: error?.message,
    vocabularySize,
  };
}

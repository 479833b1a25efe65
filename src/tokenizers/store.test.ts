/** Tokenizers as the fleet comes and goes, on a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { FleetSnapshot, WorkerDirectory } from '../domain/ports.ts';
import { awaitTokenModel } from '../domain/tokenizers.ts';
import { specOfUrl } from '../domain/worker-spec.ts';
import type { Worker, WorkerFacts, WorkerState } from '../domain/worker.ts';
import { LetterTokenizer } from '../../test/support/letter-tokenizer.ts';
import { zip } from '../../test/support/zip.ts';
import { LOADING_TIMES } from './loading.ts';
import { SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';
import { SourceReader } from './source-reader.ts';
import { TokenizerStore } from './store.ts';
import type { StoreOptions } from './store.ts';

interface WorkerPlan {
  readonly models?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly state?: WorkerState;
  readonly connection?: WorkerFacts['connection'];
}

function workerOf(
  id: string,
  { models = ['m'], labels = {}, state = 'ready', connection = 'grpc' }: WorkerPlan = {},
): Worker {
  const url = `${connection}://${id}:1`;
  const spec = specOfUrl(url, { apiKey: undefined, maxInFlight: 0, origin: 'start_up' });
  const address = { id, url, apiKey: undefined, provider: undefined };
  const facts: WorkerFacts = {
    url,
    engine: 'sglang',
    connection,
    models,
    contextLength: undefined,
    modelLimits: new Map(),
    version: undefined,
    healthPath: '/health',
    dataParallelSize: 1,
    maxRunning: undefined,
    capacityTokens: undefined,
    instance: undefined,
    lacks: [],
    samplingDefaults: undefined,
    labels,
  };
  return { id, address, spec, facts, state, progress: { step: 'ready', attempts: 1, lastError: undefined } };
}

class FakeDirectory implements WorkerDirectory {
  #workers: readonly Worker[] = [];
  readonly #listeners = new Set<(snapshot: FleetSnapshot) => void>();

  set(...workers: readonly Worker[]): void {
    this.#workers = workers;
    for (const each of this.#listeners) each(this.snapshot());
  }

  snapshot(): FleetSnapshot {
    const models = new Set(this.#workers.flatMap(({ facts }) => facts?.models ?? []));
    return {
      version: 1,
      workers: this.#workers,
      members: [],
      membersOf: (model) => (models.has(model) ? [] : undefined),
      cloudMembersFor: () => [],
      wildcards: [],
      models: [...models],
      hasUnknown: false,
    };
  }

  subscribe(listener: (snapshot: FleetSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

/** An id ending in `m` is that of a whole model. */
function filesOf(id: string): ModelFiles {
  const files = new Map([['tokenizer.json', Buffer.from(id)]]);
  if (id.endsWith('m')) files.set('generation_config.json', Buffer.from('{}'));
  return files;
}

/** `hub` says which ids the hub has; what is asked is written down. */
function storeFor(
  t: TestContext,
  options: Partial<StoreOptions> = {},
  hub: Map<string, 'good' | 'bad' | 'silent'> = new Map(),
) {
  const clock = new ManualClock();
  const directory = new FakeDirectory();
  const asked: string[] = [];
  const released: object[] = [];
  const made: string[][] = [];
  const logged: string[] = [];
  const bundle = zip([{ name: 'tokenizer.json', bytes: Buffer.from('{}') }]);
  const givers = new Set<string>();
  const read = (id: string): Promise<ModelFiles> => {
    asked.push(id);
    const kind = hub.get(id);
    if (kind === 'silent') return new Promise(() => undefined);
    if (kind === 'good') return Promise.resolve(filesOf(id));
    return Promise.reject(new SourceError('it is not there'));
  };
  const store = new TokenizerStore(
    { named: [], template: undefined, loadsByItself: true, ...options },
    {
      clock,
      directory,
      reader: new SourceReader({ read }),
      bundles: {
        fetch: ({ address: { id } }) => {
          asked.push(`worker ${id}`);
          if (givers.has(id)) return Promise.resolve(bundle);
          return Promise.reject(new GatewayError('upstream_error', 'The engine has no tokenizer.'));
        },
      },
      maker: {
        make: (files, { source }) => {
          made.push([...files.keys()]);
          return Promise.resolve({
            source,
            tokenizer: new LetterTokenizer(),
            template: undefined,
            endTokenIds: [],
            modelType: undefined,
            architectures: [],
            contextLength: undefined,
            defaults: {},
          });
        },
        release: (holder) => void released.push(holder),
        close: () => undefined,
      },
      log: (level, message, { model }) => void logged.push(`${level} ${message} ${model}`),
    },
  );
  t.after(() => store.stop());
  return { store, clock, directory, asked, made, released, logged, hub, givers };
}

/** Long enough for what must not happen to happen. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 60; i += 1) await setImmediate();
}

/** Through all attempts. */
async function toTheEnd({ store, clock }: { store: TokenizerStore; clock: ManualClock }, name: string): Promise<void> {
  await until(() => {
    const view = store.view(name);
    if (view?.status === 'pending' && view.attempts > 0) clock.advance(LOADING_TIMES.pauseMs);
    return view?.status === 'failed';
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

const ready = (store: TokenizerStore, model: string) => {
  const state = store.of(model);
  return state.kind === 'ready' ? state.model.source : state.kind;
};

test('what flags name is loaded from the start on, and serves every model that has nothing of its own', async (t) => {
  const { store, logged } = storeFor(t, { named: ['org/flag'] }, new Map([['org/flag', 'good']]));
  assert.equal(store.of('any').kind, 'failed');
  store.start();
  assert.equal(store.of('any').kind, 'loading');
  await until(() => store.of('any').kind === 'ready');
  assert.equal(ready(store, 'any'), 'org/flag');
  assert.deepEqual(logged, ['info tokenizer loaded org/flag']);
  assert.equal(store.lookUp('any'), undefined);
  assert.equal(store.lookUp('')?.kind, 'ready');
  assert.equal(store.lookUp('unknown')?.kind, 'ready');
});

test('sources are tried in turn: flags, labels of the workers, the workers themselves', async (t) => {
  const { store, directory, asked, givers } = storeFor(t, { named: ['org/t', 'org/m'] });
  givers.add('w2');
  store.start();
  await until(() => asked.length === 2);
  asked.length = 0;
  const labels = (tokenizer_path: string, model_path: string) => ({ labels: { tokenizer_path, model_path } });
  directory.set(
    workerOf('w1', labels('org/wt', 'org/wm')),
    workerOf('w2', labels('org/wt', 'org/wm')),
    workerOf('w3', { state: 'unhealthy' }),
  );
  await until(() => ready(store, 'm') === 'worker w2');
  assert.deepEqual(asked, ['org/t', 'org/m', 'org/wt', 'org/wm', 'worker w1', 'worker w2']);
});

test('a tokenizer without the model’s habits gets them from the next source that has them', async (t) => {
  const { store, directory, asked, made } = storeFor(
    t,
    { named: ['org/t', 'org/m'] },
    new Map([
      ['org/t', 'good'],
      ['org/m', 'good'],
    ]),
  );
  store.start();
  directory.set(workerOf('w1'));
  await until(() => ready(store, 'm') === 'org/t');
  assert.ok(asked.includes('org/m'));
  assert.deepEqual(made.at(-1), ['tokenizer.json', 'generation_config.json']);
});

test('every failure stands in the message, and none of them is the first attempt’s only', async (t) => {
  const { store, directory, clock, asked, logged } = storeFor(t);
  store.start();
  directory.set(workerOf('w1', { labels: { tokenizer_path: 'org/wt' } }));
  await toTheEnd({ store, clock }, 'm');
  const state = store.of('m');
  assert.ok(state.kind === 'failed');
  assert.equal(state.error.code, 'tokenizer_unavailable');
  assert.equal(
    state.error.message,
    'The tokenizer of `m` could not be loaded: org/wt: it is not there; worker w1: The engine has no tokenizer.',
  );
  assert.equal(asked.filter((each) => each === 'org/wt').length, 3);
  assert.deepEqual([store.view('m')?.status, store.view('m')?.attempts], ['failed', 3]);
  assert.deepEqual(logged, ['warn tokenizer not loaded m']);
  assert.equal(clock.pendingTimers, 0);
});

test('a later attempt succeeds where an earlier one failed', async (t) => {
  const { store, directory, clock, hub } = storeFor(t);
  store.start();
  directory.set(workerOf('w1', { labels: { model_path: 'org/x' } }));
  await until(() => store.view('m')?.error !== undefined);
  assert.equal(store.view('m')?.status, 'pending');
  hub.set('org/x', 'good');
  clock.advance(LOADING_TIMES.pauseMs);
  await until(() => ready(store, 'm') === 'org/x');
  assert.deepEqual([store.view('m')?.attempts, store.view('m')?.error], [2, undefined]);
});

test('all attempts together have a limit, also against a source that says nothing', async (t) => {
  const { store, directory, clock, asked } = storeFor(t, {}, new Map([['org/x', 'silent']]));
  store.start();
  directory.set(workerOf('w1', { labels: { model_path: 'org/x' } }));
  await until(() => asked.length === 1);
  clock.advance(LOADING_TIMES.limitMs);
  await until(() => store.of('m').kind === 'failed');
  const state = store.of('m');
  assert.match(state.kind === 'failed' ? state.error.message : '', /given up after 300 s/);
});

test('what has failed is tried anew when another worker of the model comes, not when the same one is only seen again', async (t) => {
  const { store, directory, clock, hub } = storeFor(t);
  store.start();
  const first = workerOf('w1', { labels: { model_path: 'org/x' } });
  directory.set(first);
  await toTheEnd({ store, clock }, 'm');
  assert.equal(ready(store, 'm'), 'failed');
  hub.set('org/x', 'good');
  directory.set(first);
  await quiet();
  assert.equal(ready(store, 'm'), 'failed');
  directory.set(first, workerOf('w2'));
  await until(() => ready(store, 'm') === 'org/x');
});

test('it is kept while any worker of the model is there, and let go with the last one', async (t) => {
  const { store, directory, released } = storeFor(t, {}, new Map([['org/x', 'good']]));
  store.start();
  directory.set(workerOf('w1', { labels: { model_path: 'org/x' } }), workerOf('w2'));
  await until(() => ready(store, 'm') === 'org/x');
  directory.set(workerOf('w2', { state: 'unhealthy' }));
  assert.equal(ready(store, 'm'), 'org/x');
  directory.set();
  assert.equal(ready(store, 'm'), 'failed');
  assert.equal(released.length, 1);
});

test('workers over HTTP need no tokenizer, but what flags name serves their models too', async (t) => {
  const { store, directory } = storeFor(t, { named: ['org/flag'] }, new Map([['org/flag', 'good']]));
  store.start();
  directory.set(workerOf('w1', { connection: 'http', models: ['h'] }));
  await until(() => store.lookUp('h')?.kind === 'ready');
  assert.deepEqual(
    store.list().map(({ name }) => name),
    ['org/flag'],
  );
});

test('workers that take any model give the tokenizer of any model', async (t) => {
  const { store, directory } = storeFor(t, {}, new Map([['org/x', 'good']]));
  store.start();
  directory.set(workerOf('w1', { models: [], labels: { model_path: 'org/x' } }));
  await until(() => ready(store, 'whatever') === 'org/x');
});

test('without autoload only what the API names is loaded', async (t) => {
  const options = { named: ['org/flag'], loadsByItself: false };
  const { store, directory, asked } = storeFor(
    t,
    options,
    new Map([
      ['org/flag', 'good'],
      ['org/x', 'good'],
    ]),
  );
  store.start();
  directory.set(workerOf('w1'));
  await quiet();
  assert.deepEqual([asked, store.list()], [[], []]);
  const { id } = store.add({ name: 'm', source: 'org/x', templatePath: undefined });
  await until(() => ready(store, 'm') === 'org/x');
  assert.deepEqual([store.view(id)?.status, store.view(id)?.vocabularySize], ['completed', 0x110002]);
});

test('a name is taken until it is removed or has failed; what the API named outlives the workers', async (t) => {
  const { store, directory, clock, released } = storeFor(t, {}, new Map([['org/x', 'good']]));
  store.start();
  const spec = { name: 'm', source: 'org/x', templatePath: undefined };
  store.add(spec);
  assert.throws(
    () => store.add(spec),
    (thrown) => thrown instanceof GatewayError && thrown.code === 'tokenizer_exists',
  );
  await until(() => ready(store, 'm') === 'org/x');
  assert.throws(() => store.add(spec));
  directory.set(workerOf('w1'));
  directory.set();
  assert.equal(ready(store, 'm'), 'org/x');
  assert.equal(store.remove('m')?.name, 'm');
  assert.equal(store.remove('m'), undefined);
  assert.equal(released.length, 1);
  store.add({ ...spec, source: 'org/none' });
  await toTheEnd({ store, clock }, 'm');
  assert.equal(store.add(spec).status, 'pending');
});

test('stopping ends what is under way and listens no longer', async (t) => {
  const { store, directory, clock, asked } = storeFor(t, {}, new Map([['org/x', 'silent']]));
  store.start();
  directory.set(workerOf('w1', { labels: { model_path: 'org/x' } }));
  await until(() => asked.length === 1);
  store.stop();
  await until(() => clock.pendingTimers === 0);
  assert.equal(directory.listeners, 0);
});

test('a call that comes early waits for the model, no longer than it may, and not for nobody', async (t) => {
  const { store, directory, clock, hub } = storeFor(t);
  store.start();
  hub.set('org/x', 'silent');
  directory.set(
    workerOf('w1', { labels: { model_path: 'org/x' } }),
    workerOf('w2', { models: ['n'], labels: { model_path: 'org/y' } }),
  );
  const gone = new AbortController();
  const wait = { clock, waitMs: 1_000, signal: gone.signal };
  const late = assert.rejects(
    awaitTokenModel(() => store.of('m'), wait),
    (thrown) => thrown instanceof GatewayError && /still being loaded/.test(thrown.message),
  );
  hub.set('org/y', 'good');
  assert.equal((await awaitTokenModel(() => store.of('n'), wait)).source, 'org/y');
  clock.advance(1_000);
  await late;
  const left = assert.rejects(
    awaitTokenModel(() => store.of('m'), wait),
    (thrown) => thrown instanceof GatewayError && thrown.code === 'client_closed_request',
  );
  gone.abort();
  await left;
});

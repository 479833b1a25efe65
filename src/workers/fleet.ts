/** Starts and stops the watch over each worker as it joins and leaves. */
import type { WorkerSpec, Worker } from '../domain/worker.ts';
import type { WatchDeps, WatchOptions } from './watch.ts';
import { WorkerWatch } from './watch.ts';

export class Fleet {
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #watches = new Map<string, WorkerWatch>();

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Registers a worker and begins to probe it; undefined when its URL is there already. */
  add(spec: WorkerSpec): Worker | undefined {
    const worker = this.#deps.registry.add(spec);
    if (!worker) return undefined;
    const watch = new WorkerWatch(worker.id, this.#options, this.#deps);
    this.#watches.set(worker.id, watch);
    watch.start();
    return worker;
  }

  probeSoon(workerId: string): void {
    this.#watches.get(workerId)?.probeSoon();
  }

  stop(): void {
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }
}

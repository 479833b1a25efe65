/** Starts and stops the watch over each worker as it joins and leaves. */
import type { FleetControl, FleetEvent, WorkerPatch } from '../domain/ports.ts';
import type { WorkerSpec, Worker } from '../domain/worker.ts';
import type { WatchDeps, WatchOptions } from './watch.ts';
import { WorkerWatch } from './watch.ts';

export class Fleet implements FleetControl {
  readonly #options: WatchOptions;
  readonly #deps: WatchDeps;
  readonly #watches = new Map<string, WorkerWatch>();

  constructor(options: WatchOptions, deps: WatchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  add(spec: WorkerSpec): { readonly worker: Worker; readonly isNew: boolean } {
    const { worker, isNew } = this.#deps.registry.add(spec);
    if (!isNew) return { worker, isNew };
    const watch = new WorkerWatch(worker.id, this.#options, this.#deps);
    this.#watches.set(worker.id, watch);
    watch.start();
    return { worker, isNew };
  }

  patch(id: string, patch: WorkerPatch): Worker | undefined {
    const worker = this.#deps.registry.get(id);
    if (worker) this.#deps.registry.change(id, { spec: { ...worker.spec, ...patch } });
    return this.#deps.registry.get(id);
  }

  replace(id: string, spec: WorkerSpec): Worker | undefined {
    if (this.#deps.registry.get(id)) this.#deps.registry.change(id, { spec });
    return this.#deps.registry.get(id);
  }

  remove(id: string): Worker | undefined {
    const worker = this.#deps.registry.get(id);
    this.#watches.get(id)?.stop();
    this.#watches.delete(id);
    this.#deps.registry.remove(id);
    return worker;
  }

  onEvent(_listener: (event: FleetEvent) => void): () => void {
    return () => undefined;
  }

  probeSoon(workerId: string): void {
    this.#watches.get(workerId)?.probeSoon();
  }

  stop(): void {
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }
}

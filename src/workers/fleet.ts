/** Changing the fleet: starts and stops the watch over each worker as it joins and leaves, and lets leavers drain. */
import type { FleetControl, FleetEvent, WorkerPatch, WorkerView } from '../domain/ports.ts';
import type { Worker, WorkerSpec } from '../domain/worker.ts';
import { Drain } from './drain.ts';
import type { LoadBook } from './load.ts';
import { NO_PROGRESS } from './registry.ts';
import type { WatchOptions } from './watch-options.ts';
import type { WatchDeps } from './watch.ts';
import { WorkerWatch } from './watch.ts';

export interface FleetOptions extends WatchOptions {
  /** How long running calls of a removed worker may take to end. */
  readonly drainLimitMs: number;
}

export interface FleetDeps extends WatchDeps {
  readonly loads: Pick<LoadBook, 'inFlight' | 'onIdle'>;
  /** Closes the connections to a worker, and with them what runs there. */
  disconnect(worker: Worker): void;
}

export class Fleet implements FleetControl {
  readonly #options: FleetOptions;
  readonly #deps: FleetDeps;
  readonly #watches = new Map<string, WorkerWatch>();
  readonly #drains = new Map<string, Drain>();

  constructor(options: FleetOptions, deps: FleetDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  view(id: string): WorkerView | undefined {
    const worker = this.#deps.registry.get(id);
    return worker && { worker, members: this.#deps.registry.membersOf(id) };
  }

  /** A worker that is draining comes back, with the new spec and under its old id; its running calls go on. */
  add(spec: WorkerSpec): { readonly worker: Worker; readonly isNew: boolean } {
    const { registry } = this.#deps;
    const { worker, isNew } = registry.add(spec);
    const drain = this.#drains.get(worker.id);
    if (!isNew && !drain) return { worker, isNew };
    if (drain) {
      drain.stop();
      this.#drains.delete(worker.id);
      const back = { ...spec, url: worker.spec.url };
      registry.change(worker.id, { spec: back, state: 'pending', progress: NO_PROGRESS });
    }
    const watch = new WorkerWatch(worker.id, this.#options, this.#deps);
    this.#watches.set(worker.id, watch);
    watch.start();
    return { worker: registry.get(worker.id) ?? worker, isNew: true };
  }

  patch(id: string, patch: WorkerPatch): Worker | undefined {
    const { registry } = this.#deps;
    const worker = registry.get(id);
    if (!worker) return undefined;
    registry.change(id, { spec: { ...worker.spec, ...patch } });
    // Another key or rhythm counts from now on, not from the next probe on.
    if ('apiKey' in patch || 'health' in patch) this.#watches.get(id)?.retune();
    return registry.get(id);
  }

  replace(id: string, spec: WorkerSpec): Worker | undefined {
    const { registry } = this.#deps;
    const worker = registry.get(id);
    if (!worker) return undefined;
    registry.change(id, { spec: { ...spec, url: worker.spec.url } });
    this.#watches.get(id)?.refresh();
    return registry.get(id);
  }

  remove(id: string, isForced = false): Worker | undefined {
    const { registry } = this.#deps;
    const worker = registry.get(id);
    if (!worker) return undefined;
    this.#watches.get(id)?.stop();
    this.#watches.delete(id);
    let drain = this.#drains.get(id);
    if (!drain) {
      drain = this.#drainOf(worker);
      this.#drains.set(id, drain);
      registry.change(id, { state: 'draining' });
      drain.start();
    }
    if (isForced && this.#drains.has(id)) drain.cut();
    return registry.get(id) ?? { ...worker, state: 'draining' };
  }

  onEvent(listener: (event: FleetEvent) => void): () => void {
    return this.#deps.registry.onEvent(listener);
  }

  probeSoon(workerId: string): void {
    this.#watches.get(workerId)?.probeSoon();
  }

  /** The worker may have been started anew: its facts are read now. */
  lookAgain(workerId: string): void {
    this.#watches.get(workerId)?.lookAgain();
  }

  stop(): void {
    for (const each of [...this.#watches.values(), ...this.#drains.values()]) each.stop();
    this.#watches.clear();
    this.#drains.clear();
  }

  #drainOf(worker: Worker): Drain {
    const { registry, loads, clock } = this.#deps;
    const plan = {
      memberIds: registry.membersOf(worker.id).map((member) => member.id),
      settleMs: (worker.spec.health.drainSettleSecs ?? 0) * 1_000,
      limitMs: this.#options.drainLimitMs,
      cut: () => this.#deps.disconnect(worker),
      gone: () => {
        this.#drains.delete(worker.id);
        registry.remove(worker.id);
        this.#deps.disconnect(worker);
      },
    };
    return new Drain(plan, loads, clock);
  }
}

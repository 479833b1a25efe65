/**
 * Who exists: the single writer of the fleet. Every change makes the next snapshot another one and tells the listeners.
 * A data-parallel worker may be one worker with several members, one for each of its ranks.
 * Cost of a change O(members of the worker); of the first look at a snapshot after changes O(fleet), of others O(1).
 */
import type { Candidate, Gate, PoolMember } from '../domain/candidate.ts';
import { rankIdOf, workerIdOf } from '../domain/ids.ts';
import { providerOf } from '../domain/providers/index.ts';
import type { FleetEvent, FleetSnapshot, WorkerDirectory } from '../domain/ports.ts';
import type {
  Engine,
  OnboardingProgress,
  Worker,
  WorkerAddress,
  WorkerFacts,
  WorkerSpec,
  WorkerState,
} from '../domain/worker.ts';
import { makeSnapshot } from './snapshot.ts';

export interface MemberParts {
  readonly candidate: Candidate;
  readonly gate: Gate;
}

export interface RegistryDeps {
  /** Makes the live parts of a member that joins. */
  open(memberId: string, worker: Worker): MemberParts;
  /** The spec of the member's worker is another one: its live parts follow. */
  retune?(member: PoolMember): void;
  /** The member is gone: its parts are not needed any more. */
  close(member: PoolMember): void;
  onStateChange(worker: Worker, from: WorkerState): void;
  /** A worker whose engine can be told which rank to use has one member for each of its ranks. */
  readonly dpAware?: boolean;
}

export interface WorkerChange {
  readonly spec?: WorkerSpec;
  readonly state?: WorkerState;
  readonly facts?: WorkerFacts;
  readonly progress?: OnboardingProgress;
}

export const NO_PROGRESS: OnboardingProgress = { step: 'queued', attempts: 0, lastError: undefined };

interface Entry {
  readonly worker: Worker;
  readonly members: readonly PoolMember[];
}

/** Engines that take the rank of a call from the caller. */
const TAKES_RANK: ReadonlySet<Engine> = new Set(['sglang', 'vllm']);

export class Registry implements WorkerDirectory {
  readonly #deps: RegistryDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #idByUrl = new Map<string, string>();
  readonly #listeners = new Set<(snapshot: FleetSnapshot) => void>();
  readonly #eventListeners = new Set<(event: FleetEvent) => void>();
  #version = 0;
  #snapshot: FleetSnapshot = makeSnapshot(0, []);

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  /** Made when somebody looks: a start of two thousand workers is some ten thousand changes, and few of them are seen. */
  snapshot(): FleetSnapshot {
    if (this.#snapshot.version !== this.#version) {
      const members = [...this.#entries.values()].flatMap((entry) => entry.members);
      this.#snapshot = makeSnapshot(this.#version, members);
    }
    return this.#snapshot;
  }

  subscribe(listener: (snapshot: FleetSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener with each change but those of progress alone, until the returned function is called. */
  onEvent(listener: (event: FleetEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  get(id: string): Worker | undefined {
    return this.#entries.get(id)?.worker;
  }

  /** One for each rank of the worker; none for an unknown id. */
  membersOf(id: string): readonly PoolMember[] {
    return this.#entries.get(id)?.members ?? [];
  }

  /** Adds a worker in state `pending`; the one that has the URL already is given back instead. */
  add(spec: WorkerSpec): { readonly worker: Worker; readonly isNew: boolean } {
    const known = this.#findByUrl(spec.url);
    if (known) return { worker: known, isNew: false };
    const id = workerIdOf(spec.url, (taken) => this.#entries.has(taken));
    const address = addressOf(id, spec, undefined);
    const worker: Worker = { id, address, spec, facts: undefined, state: 'pending', progress: NO_PROGRESS };
    this.#entries.set(id, { worker, members: [this.#openMember(worker, undefined)] });
    this.#idByUrl.set(spec.url, id);
    this.#publish();
    this.#tell({ type: 'worker_added', worker, from: undefined });
    return { worker, isNew: true };
  }

  /** Changes what is given; an unknown id (a worker removed meanwhile) is ignored. A spec keeps its URL. */
  change(id: string, change: WorkerChange): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const before = entry.worker;
    const { spec, facts } = { ...before, ...change };
    const worker: Worker = { ...before, ...change, address: addressOf(id, spec, facts) };
    const members = this.#membersFor(worker, entry.members);
    this.#entries.set(id, { worker, members });
    if (worker.spec !== before.spec) for (const member of members) this.#deps.retune?.(member);
    this.#publish();
    for (const member of entry.members)
      if (!members.some(({ id: kept }) => kept === member.id)) this.#deps.close(member);
    if (worker.state !== before.state) this.#deps.onStateChange(worker, before.state);
    const isEvent = worker.state !== before.state || worker.spec !== before.spec || worker.facts !== before.facts;
    if (isEvent) this.#tell({ type: 'worker_changed', worker, from: before.state });
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#idByUrl.delete(entry.worker.spec.url);
    for (const member of entry.members) this.#deps.close(member);
    this.#publish();
    this.#tell({ type: 'worker_removed', worker: entry.worker, from: entry.worker.state });
  }

  #openMember(worker: Worker, rank: number | undefined): PoolMember {
    const id = rank === undefined ? worker.id : rankIdOf(worker.id, rank);
    return { id, worker, rank, ...this.#deps.open(id, worker) };
  }

  /** One for each rank; those that there were already keep their live parts. */
  #membersFor(worker: Worker, before: readonly PoolMember[]): readonly PoolMember[] {
    const count =
      this.#deps.dpAware && worker.facts && TAKES_RANK.has(worker.facts.engine) ? worker.facts.dataParallelSize : 1;
    const ranks = count > 1 ? Array.from({ length: count }, (_, rank) => rank) : [undefined];
    return ranks.map((rank) => {
      const known = before.find((member) => member.rank === rank);
      return known ? { ...known, worker } : this.#openMember(worker, rank);
    });
  }

  #findByUrl(url: string): Worker | undefined {
    for (const spelling of spellingsOf(url)) {
      const id = this.#idByUrl.get(spelling);
      if (id !== undefined) return this.get(id);
    }
    return undefined;
  }

  #publish(): void {
    this.#version += 1;
    if (this.#listeners.size === 0) return;
    const snapshot = this.snapshot();
    for (const listener of this.#listeners) listener(snapshot);
  }

  #tell(event: FleetEvent): void {
    for (const listener of this.#eventListeners) listener(event);
  }
}

/** A URL without a scheme is asked over HTTP until it is known better. */
function addressOf(id: string, spec: WorkerSpec, facts: WorkerFacts | undefined): WorkerAddress {
  const url = facts?.url ?? (spec.url.includes('://') ? spec.url : `http://${spec.url}`);
  return { id, url, apiKey: spec.apiKey, provider: providerOf(spec) };
}

/** How else the worker of this URL may have been named: with or without its scheme. */
function spellingsOf(url: string): readonly string[] {
  const at = url.indexOf('://');
  return at < 0 ? [url, `http://${url}`, `https://${url}`] : [url, url.slice(at + 3)];
}

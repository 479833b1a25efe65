/**
 * Who exists: the single writer of the fleet. Every change makes a new immutable snapshot and tells the listeners.
 * Cost of a change O(workers); of reading a snapshot O(1).
 */
import type { Candidate, Gate, PoolMember } from '../domain/candidate.ts';
import { workerIdOf } from '../domain/ids.ts';
import type { FleetSnapshot, WorkerDirectory } from '../domain/ports.ts';
import type { OnboardingProgress, Worker, WorkerFacts, WorkerSpec, WorkerState } from '../domain/worker.ts';

export interface MemberParts {
  readonly candidate: Candidate;
  readonly gate: Gate;
}

export interface RegistryDeps {
  /** Makes the live parts of a worker that joins. */
  open(worker: Worker): MemberParts;
  /** The worker is gone: its parts are not needed any more. */
  close(workerId: string): void;
  onStateChange(worker: Worker, from: WorkerState): void;
}

export interface WorkerChange {
  readonly state?: WorkerState;
  readonly facts?: WorkerFacts;
  readonly progress?: OnboardingProgress;
}

const NO_PROGRESS: OnboardingProgress = { step: 'queued', attempts: 0, lastError: undefined };

export class Registry implements WorkerDirectory {
  readonly #deps: RegistryDeps;
  readonly #members = new Map<string, PoolMember>();
  readonly #listeners = new Set<(snapshot: FleetSnapshot) => void>();
  #snapshot: FleetSnapshot = makeSnapshot(0, []);

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  snapshot(): FleetSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: (snapshot: FleetSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id: string): Worker | undefined {
    return this.#members.get(id)?.worker;
  }

  /** Adds a worker in state `pending`; undefined when its URL is there already. */
  add(spec: WorkerSpec): Worker | undefined {
    for (const { worker } of this.#members.values()) if (worker.spec.url === spec.url) return undefined;
    const id = workerIdOf(spec.url, (taken) => this.#members.has(taken));
    const worker: Worker = { id, spec, facts: undefined, state: 'pending', progress: NO_PROGRESS };
    this.#members.set(id, { worker, ...this.#deps.open(worker) });
    this.#publish();
    return worker;
  }

  /** Changes what is given; an unknown id (a worker removed meanwhile) is ignored. */
  change(id: string, change: WorkerChange): void {
    const member = this.#members.get(id);
    if (!member) return;
    const before = member.worker;
    const worker: Worker = { ...before, ...change };
    this.#members.set(id, { ...member, worker });
    this.#publish();
    if (worker.state !== before.state) this.#deps.onStateChange(worker, before.state);
  }

  remove(id: string): void {
    if (!this.#members.delete(id)) return;
    this.#deps.close(id);
    this.#publish();
  }

  #publish(): void {
    this.#snapshot = makeSnapshot(this.#snapshot.version + 1, [...this.#members.values()]);
    for (const listener of this.#listeners) listener(this.#snapshot);
  }
}

function makeSnapshot(version: number, members: readonly PoolMember[]): FleetSnapshot {
  const byModel = new Map<string, PoolMember[]>();
  const wildcards: PoolMember[] = [];
  const models = new Set<string>();
  for (const member of members) {
    const { facts, state } = member.worker;
    if (!facts) continue;
    if (facts.models.length === 0) wildcards.push(member);
    for (const model of facts.models) {
      const list = byModel.get(model);
      if (list) list.push(member);
      else byModel.set(model, [member]);
      if (state === 'ready') models.add(model);
    }
  }
  return {
    version,
    workers: members.map((member) => member.worker),
    members,
    membersOf: (model) => byModel.get(model),
    wildcards,
    models: [...models].sort(),
    hasUnknown: members.some((member) => !member.worker.facts),
  };
}

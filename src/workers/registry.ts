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
  /** Makes the live parts of a member that joins. */
  open(memberId: string, worker: Worker): MemberParts;
  /** The member is gone: its parts are not needed any more. */
  close(member: PoolMember): void;
  onStateChange(worker: Worker, from: WorkerState): void;
}

export interface WorkerChange {
  readonly spec?: WorkerSpec;
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

  /** Adds a worker in state `pending`; the one that has the URL already is given back instead. */
  add(spec: WorkerSpec): { readonly worker: Worker; readonly isNew: boolean } {
    for (const { worker } of this.#members.values()) if (worker.spec.url === spec.url) return { worker, isNew: false };
    const id = workerIdOf(spec.url, (taken) => this.#members.has(taken));
    const address = { id, url: spec.url, apiKey: spec.apiKey };
    const worker: Worker = { id, address, spec, facts: undefined, state: 'pending', progress: NO_PROGRESS };
    this.#members.set(id, { id, worker, rank: undefined, ...this.#deps.open(id, worker) });
    this.#publish();
    return { worker, isNew: true };
  }

  /** Changes what is given; an unknown id (a worker removed meanwhile) is ignored. */
  change(id: string, change: WorkerChange): void {
    const member = this.#members.get(id);
    if (!member) return;
    const before = member.worker;
    const { spec, facts } = { ...before, ...change };
    const address = { id, url: facts?.url ?? spec.url, apiKey: spec.apiKey };
    const worker: Worker = { ...before, ...change, address };
    this.#members.set(id, { ...member, worker });
    this.#publish();
    if (worker.state !== before.state) this.#deps.onStateChange(worker, before.state);
  }

  remove(id: string): void {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    this.#deps.close(member);
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

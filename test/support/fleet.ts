/** Workers, candidates and pool members as plain values, for tests of everything that reads them. */
import type { Candidate, PoolMember } from '../../src/domain/candidate.ts';
import type { FleetSnapshot } from '../../src/domain/ports.ts';
import type { Worker, WorkerFacts, WorkerSpec, WorkerState } from '../../src/domain/worker.ts';

export function specOf(change: Partial<WorkerSpec> = {}): WorkerSpec {
  return {
    url: 'http://worker:8000',
    apiKey: undefined,
    priority: 50,
    cost: 1,
    maxInFlight: 0,
    labels: {},
    ...change,
  };
}

export function factsOf(change: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    engine: 'sglang',
    models: ['m'],
    contextLength: undefined,
    version: undefined,
    healthPath: '/health',
    ...change,
  };
}

export interface WorkerParts {
  readonly state?: WorkerState;
  readonly spec?: Partial<WorkerSpec>;
  /** `null`: not found out yet. */
  readonly facts?: Partial<WorkerFacts> | null;
}

export function workerOf(id: string, parts: WorkerParts = {}): Worker {
  return {
    id,
    spec: specOf({ url: `http://${id}:8000`, ...parts.spec }),
    facts: parts.facts === null ? undefined : factsOf(parts.facts ?? {}),
    state: parts.state ?? 'ready',
    progress: { step: 'ready', attempts: 1, lastError: undefined },
  };
}

/** A candidate whose load a test may move. */
export interface MovableCandidate extends Candidate {
  inFlight: number;
}

export function candidateOf(workerId: string, change: Partial<Candidate> = {}): MovableCandidate {
  return { workerId, priority: 50, cost: 1, inFlight: 0, ...change };
}

export interface MemberParts extends WorkerParts {
  readonly inFlight?: number;
  readonly mayServe?: (nowMs: number, keyDigest: number) => boolean;
}

export function memberOf(id: string, parts: MemberParts = {}): PoolMember {
  const worker = workerOf(id, parts);
  const { priority, cost } = worker.spec;
  return {
    worker,
    candidate: candidateOf(id, { priority, cost, inFlight: parts.inFlight ?? 0 }),
    gate: { mayServe: parts.mayServe ?? (() => true) },
  };
}

/** The snapshot that a registry would make of these members. */
export function snapshotOf(members: readonly PoolMember[]): FleetSnapshot {
  const listing = (model: string) => members.filter(({ worker }) => worker.facts?.models.includes(model));
  const ready = members.filter(({ worker }) => worker.state === 'ready');
  return {
    version: 1,
    workers: members.map(({ worker }) => worker),
    members,
    membersOf: (model) => (listing(model).length > 0 ? listing(model) : undefined),
    wildcards: members.filter(({ worker }) => worker.facts?.models.length === 0),
    models: [...new Set(ready.flatMap(({ worker }) => worker.facts?.models ?? []))].sort(),
    hasUnknown: members.some(({ worker }) => !worker.facts),
  };
}

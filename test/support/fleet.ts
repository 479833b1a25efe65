/** Workers, candidates and pool members as plain values, for tests of everything that reads them. */
import { providerOf } from '../../src/domain/providers/index.ts';
import type { Candidate, PoolMember } from '../../src/domain/candidate.ts';
import type { Hints } from '../../src/routing/policy.ts';
import type { FleetSnapshot } from '../../src/domain/ports.ts';
import { specOfUrl } from '../../src/domain/worker-spec.ts';
import type { Worker, WorkerFacts, WorkerSpec, WorkerState } from '../../src/domain/worker.ts';
import { makeSnapshot } from '../../src/workers/snapshot.ts';

export function specOf(change: Partial<WorkerSpec> = {}): WorkerSpec {
  const defaults = { apiKey: undefined, maxInFlight: 0, origin: 'start_up' } as const;
  return { ...specOfUrl('http://worker:8000', defaults), ...change };
}

export function factsOf(change: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    url: 'http://worker:8000',
    engine: 'sglang',
    models: ['m'],
    contextLength: undefined,
    modelLimits: new Map(),
    version: undefined,
    healthPath: '/health',
    dataParallelSize: 1,
    maxRunning: undefined,
    capacityTokens: undefined,
    instance: undefined,
    lacks: [],
    connection: 'http',
    samplingDefaults: undefined,
    labels: {},
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
  const spec = specOf({ url: `http://${id}:8000`, ...parts.spec });
  return {
    id,
    address: { id, url: spec.url, apiKey: spec.apiKey, provider: providerOf(spec) },
    spec,
    facts: parts.facts === null ? undefined : factsOf(parts.facts ?? {}),
    state: parts.state ?? 'ready',
    progress: { step: 'ready', attempts: 1, lastError: undefined },
  };
}

export const NO_BLOCKS = { words: new Uint32Array(0), count: 0, tokensPerBlock: 128, tokens: 1 };

/** Hints that say nothing. */
export function hintsOf(change: Partial<Hints> = {}): Hints {
  return { model: 'm', header: () => undefined, blocks: () => NO_BLOCKS, prefixHash: () => 0, ...change };
}

/** A candidate whose load a test may move. */
export interface MovableCandidate extends Candidate {
  inFlight: number;
}

export function candidateOf(workerId: string, change: Partial<Candidate> = {}): MovableCandidate {
  const numbers = { slot: slotOf(workerId), priority: 50, cost: 1, inFlight: 0, report: undefined };
  const candidate = { workerId, ...numbers, ...change };
  // A getter that can be enumerated, so that a copy of the candidate still shows its load.
  Object.defineProperty(candidate, 'load', { get: () => change.load ?? candidate.inFlight, enumerable: true });
  return candidate as MovableCandidate;
}

const slots = new Map<string, number>();

/** A slot for each id, the same every time. */
function slotOf(workerId: string): number {
  const known = slots.get(workerId) ?? slots.size;
  slots.set(workerId, known);
  return known;
}

export interface MemberParts extends WorkerParts {
  readonly inFlight?: number;
  readonly mayServe?: (nowMs: number, keyDigest: number) => boolean;
}

export function memberOf(id: string, parts: MemberParts = {}): PoolMember {
  const worker = workerOf(id, parts);
  const { priority, cost } = worker.spec;
  return {
    id,
    worker,
    rank: undefined,
    candidate: candidateOf(id, { priority, cost, inFlight: parts.inFlight ?? 0 }),
    gate: { mayServe: parts.mayServe ?? (() => true) },
  };
}

/** The snapshot that a registry would make of these members. */
export function snapshotOf(members: readonly PoolMember[]): FleetSnapshot {
  return makeSnapshot(1, members);
}

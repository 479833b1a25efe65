/** What a policy sees of a worker, and what the spine keeps beside it. */
import type { Worker } from './worker.ts';

/** A worker that may be chosen. Policies read it; `inFlight` moves with every call. */
export interface Candidate {
  readonly workerId: string;
  /** Higher tiers serve first. */
  readonly priority: number;
  /** Weight of load, > 0. */
  readonly cost: number;
  /** Calls that the gateway has under way on this worker now. */
  readonly inFlight: number;
}

/** May this worker take a call now? Asked for every candidate of every call, so it must be cheap. */
export interface Gate {
  mayServe(nowMs: number, keyDigest: number): boolean;
}

/** One worker in a snapshot, with its live parts. */
export interface PoolMember {
  readonly worker: Worker;
  readonly candidate: Candidate;
  readonly gate: Gate;
}

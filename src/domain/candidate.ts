/** What a policy sees of a worker, and what the spine keeps beside it. */
import type { Worker } from './worker.ts';

/** A worker, or one rank of it, that may be chosen. Policies read it; the load moves with every call. */
export interface Candidate {
  /** The worker's id; `id@rank` for one rank of a data-parallel worker. */
  readonly workerId: string;
  /** Small whole number, different for all candidates that exist now and reused after one has left: an array index. */
  readonly slot: number;
  /** Higher tiers serve first. */
  readonly priority: number;
  /** Weight of load, > 0. */
  readonly cost: number;
  /** Calls that the gateway has under way on this worker now. */
  readonly inFlight: number;
  /** `inFlight` and what the engine reported beyond it: calls of others. Decays while no new report comes. */
  readonly load: number;
  /** What the engine last said of itself; undefined when it says nothing or has been silent too long. */
  readonly report: LoadReport | undefined;
}

/** What an engine reports about itself. Units: calls and tokens; undefined = not reported. */
export interface LoadReport {
  /** When it came, in ms of the Clock. */
  readonly atMs: number;
  readonly running: number;
  readonly waiting: number;
  /** Prompt tokens that wait and are not in the cache. */
  readonly waitingTokens: number | undefined;
  readonly usedTokens: number | undefined;
  /** Size of the KV cache. */
  readonly capacityTokens: number | undefined;
  /** Generated tokens per second. */
  readonly throughput: number | undefined;
  /** Share of prompt tokens found in the cache, 0 to 1. */
  readonly cacheHitRate: number | undefined;
}

/** May this worker take a call now? Asked for every candidate of every call, so it must be cheap. */
export interface Gate {
  mayServe(nowMs: number, keyDigest: number): boolean;
}

/** One worker, or one rank of it, in a snapshot, with its live parts. */
export interface PoolMember {
  /** The candidate's `workerId`. */
  readonly id: string;
  readonly worker: Worker;
  /** Which data-parallel rank this is; undefined for a worker that is one member. */
  readonly rank: number | undefined;
  readonly candidate: Candidate;
  readonly gate: Gate;
}

/**
 * Who is busy: the in-flight calls of each member of the fleet, and what its engine reports. The one writer of the
 * numbers of a candidate; everyone else reads.
 */
import type { Candidate, LoadReport } from '../domain/candidate.ts';

/** What of a candidate an operator decides. */
export interface CandidateTerms {
  readonly priority: number;
  readonly cost: number;
}

/** Intervals after which a report says nothing any more. */
const FORGOTTEN_AFTER = 3;

class LiveCandidate implements Candidate {
  readonly workerId: string;
  readonly slot: number;
  priority: number;
  cost: number;
  inFlight = 0;
  /** Calls that the engine has and the gateway did not send. */
  foreign = 0;
  /** What `foreign` was when the report came. */
  reported = 0;
  report: LoadReport | undefined = undefined;
  onIdle: (() => void) | undefined = undefined;

  constructor(workerId: string, slot: number, { priority, cost }: CandidateTerms) {
    this.workerId = workerId;
    this.slot = slot;
    this.priority = priority;
    this.cost = cost;
  }

  get load(): number {
    return this.inFlight + this.foreign;
  }
}

export class LoadBook {
  readonly #candidates = new Map<string, LiveCandidate>();
  readonly #freeSlots: number[] = [];
  #nextSlot = 0;

  /** The live candidate of a member that joins. */
  open(memberId: string, terms: CandidateTerms): Candidate {
    const candidate = new LiveCandidate(memberId, this.#freeSlots.pop() ?? this.#takeSlot(), terms);
    this.#candidates.set(memberId, candidate);
    return candidate;
  }

  change(memberId: string, { priority, cost }: CandidateTerms): void {
    const candidate = this.#candidates.get(memberId);
    if (!candidate) return;
    candidate.priority = priority;
    candidate.cost = cost;
  }

  close(memberId: string): void {
    const candidate = this.#candidates.get(memberId);
    if (!candidate) return;
    this.#candidates.delete(memberId);
    this.#freeSlots.push(candidate.slot);
  }

  /** Counts one call in; the returned function counts it out, once. */
  enter(memberId: string): () => void {
    const candidate = this.#candidates.get(memberId);
    if (!candidate) return () => undefined;
    candidate.inFlight += 1;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      candidate.inFlight -= 1;
      if (candidate.inFlight === 0) candidate.onIdle?.();
    };
  }

  /** Calls the one listener of the member whenever its last call ends, until the returned function is called. */
  onIdle(memberId: string, listener: () => void): () => void {
    const candidate = this.#candidates.get(memberId);
    if (!candidate) return () => undefined;
    candidate.onIdle = listener;
    return () => {
      if (candidate.onIdle === listener) candidate.onIdle = undefined;
    };
  }

  /**
   * What the engine says now. Of its calls those that the gateway has under way are known better here; the rest are
   * others' and count on top.
   */
  report(memberId: string, report: LoadReport): void {
    const candidate = this.#candidates.get(memberId);
    if (!candidate) return;
    candidate.report = report;
    candidate.reported = Math.max(0, report.running + report.waiting - candidate.inFlight);
    candidate.foreign = candidate.reported;
  }

  /**
   * Lets reports age: each one that did not come, with half an interval of grace, halves what it added to the load;
   * after three intervals it is forgotten. Cost O(members that have a report).
   */
  age(nowMs: number, intervalMs: number): void {
    for (const candidate of this.#candidates.values()) {
      if (!candidate.report) continue;
      const ageMs = nowMs - candidate.report.atMs;
      if (ageMs >= FORGOTTEN_AFTER * intervalMs) {
        candidate.report = undefined;
        candidate.foreign = 0;
        continue;
      }
      const missed = Math.max(0, Math.floor(ageMs / intervalMs - 0.5));
      candidate.foreign = Math.floor(candidate.reported / 2 ** missed);
    }
  }

  inFlight(memberId: string): number {
    return this.#candidates.get(memberId)?.inFlight ?? 0;
  }

  #takeSlot(): number {
    this.#nextSlot += 1;
    return this.#nextSlot - 1;
  }
}

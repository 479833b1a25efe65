/** Who is busy: the in-flight calls of each worker. The one writer of `inFlight`; everyone else reads. */
import type { Candidate } from '../domain/candidate.ts';
import type { Worker } from '../domain/worker.ts';

class LiveCandidate implements Candidate {
  readonly workerId: string;
  readonly priority: number;
  readonly cost: number;
  inFlight = 0;

  constructor(worker: Worker) {
    this.workerId = worker.id;
    this.priority = worker.spec.priority;
    this.cost = worker.spec.cost;
  }
}

export class LoadBook {
  readonly #candidates = new Map<string, LiveCandidate>();

  /** The live candidate of a worker that joins. */
  open(worker: Worker): Candidate {
    const candidate = new LiveCandidate(worker);
    this.#candidates.set(worker.id, candidate);
    return candidate;
  }

  close(workerId: string): void {
    this.#candidates.delete(workerId);
  }

  /** Counts one call in; the returned function counts it out, once. */
  enter(workerId: string): () => void {
    const candidate = this.#candidates.get(workerId);
    if (!candidate) return () => undefined;
    candidate.inFlight += 1;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      candidate.inFlight -= 1;
    };
  }

  inFlight(workerId: string): number {
    return this.#candidates.get(workerId)?.inFlight ?? 0;
  }
}

/**
 * To which worker does a key belong? Rendezvous hashing: every candidate draws a lot from its own name and the key, and
 * the best lot wins; the next best is who takes over when the winner cannot serve. Used where others walk a hash ring.
 * Shapes  find(key, candidates, limit) → the candidate that the key belongs to
 * Cost    O(candidates), about 10 ns each; nothing is built when workers come and go, so nothing ever pauses for it
 * Why     a worker that joins or leaves moves its own share of keys and no other, for any subset of candidates; shares
 *         follow 1 / cost exactly, where a ring of 150 nodes for each worker misses by a tenth (docs/decisions/0012)
 * Owner   one policy instance; it keeps a number for each slot
 */
import type { Candidate } from '../domain/candidate.ts';
import { hash32, mix } from './text-hash.ts';

/** Where a lot of 32 bits lies between 0 and 1, both excluded. */
function unit(lot: number): number {
  return (lot + 0.5) / 4_294_967_296;
}

export class Rendezvous {
  /** By slot: who was hashed, and the hash of its name. */
  readonly #names: (string | undefined)[] = [];
  readonly #hashes: number[] = [];

  /**
   * Candidates whose load times cost is above `limit` are passed over; undefined when that is all of them. The answer
   * depends on the key, on the workers' ids and on their costs alone: the same on every gateway and after a restart.
   */
  find(key: number, candidates: readonly Candidate[], limit = Number.POSITIVE_INFINITY): Candidate | undefined {
    let best: Candidate | undefined;
    let bestWait = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const { cost } = candidate;
      if (limit !== Number.POSITIVE_INFINITY && candidate.load * cost > limit) continue;
      const lot = unit(mix(Math.imul(key ^ this.#hashOf(candidate), 0x9e3779b1)));
      // 1 - lot is less than -ln(lot): a wait that is too long already needs no logarithm, and nearly all are.
      if ((1 - lot) * cost >= bestWait) continue;
      // How long one waits for an event of rate 1 / cost: the first of all is each one's in proportion to its rate.
      const wait = -Math.log(lot) * cost;
      if (wait < bestWait) {
        best = candidate;
        bestWait = wait;
      }
    }
    return best;
  }

  forget({ slot }: Candidate): void {
    this.#names[slot] = undefined;
  }

  #hashOf({ slot, workerId }: Candidate): number {
    if (this.#names[slot] !== workerId) {
      this.#names[slot] = workerId;
      this.#hashes[slot] = hash32(workerId);
    }
    return this.#hashes[slot] ?? 0;
  }
}

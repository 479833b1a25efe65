/** The hard filters: of a pool, who may take this call now? Highest priority tier first. */
import type { Candidate, PoolMember } from '../domain/candidate.ts';
import type { Worker } from '../domain/worker.ts';

/** Which key a call would use with a worker, as a number: cool-downs are per worker and key. */
export interface KeyDigests {
  digestFor(worker: Worker): number;
  /** The worker wants a key and there is none for it; left out: nobody is so. */
  lacksKey?(worker: Worker): boolean;
}

export interface CandidateQuery {
  readonly nowMs: number;
  readonly key: KeyDigests;
  /** Worker ids that this call has tried already. */
  readonly tried: readonly string[];
}

/** What the filters left: the candidates of the best tier, or why there are none. */
export interface CandidateList {
  readonly candidates: readonly Candidate[];
  /** There are candidates, and none of them can be sent a key that it wants. */
  readonly lackKeys: boolean;
  /** Members that are ready and untried but held back by breaker, cool-down or their in-flight limit. */
  readonly heldBack: number;
}

function isFull({ worker, rank, candidate }: PoolMember): boolean {
  const limit = worker.spec.maxInFlight;
  if (limit <= 0) return false;
  return candidate.inFlight >= (rank === undefined ? limit : shareOf(rank, limit, worker.facts?.dataParallelSize ?? 1));
}

/** The ranks of a worker share its limit evenly, and the first ones take what is left over. */
function shareOf(rank: number, limit: number, ranks: number): number {
  return Math.floor(limit / ranks) + (rank < limit % ranks ? 1 : 0);
}

/**
 * Workers that would only say that a key is missing count when there is nobody else, in whatever tier.
 * Cost O(members); allocates one list.
 */
export function listCandidates(members: readonly PoolMember[], query: CandidateQuery): CandidateList {
  let candidates: Candidate[] = [];
  let tier = Number.NEGATIVE_INFINITY;
  let lackKeys = true;
  let heldBack = 0;
  for (const member of members) {
    if (member.worker.state !== 'ready') continue;
    if (query.tried.length > 0 && query.tried.includes(member.worker.id)) continue;
    if (isFull(member) || !member.gate.mayServe(query.nowMs, query.key.digestFor(member.worker))) {
      heldBack += 1;
      continue;
    }
    const { candidate } = member;
    const lacks = query.key.lacksKey?.(member.worker) ?? false;
    if (lacks && !lackKeys) continue;
    if (candidate.priority > tier || lacks !== lackKeys) {
      lackKeys = lacks;
      tier = candidate.priority;
      candidates = [candidate];
    } else if (candidate.priority === tier) {
      candidates.push(candidate);
    }
  }
  return { candidates, lackKeys: lackKeys && candidates.length > 0, heldBack };
}

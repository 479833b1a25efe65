/** The hard filters: of a pool, who may take this call now? Highest priority tier first. */
import type { Candidate, PoolMember } from '../domain/candidate.ts';

export interface CandidateQuery {
  readonly nowMs: number;
  /** Digest of the key that the call would use; cool-downs are per worker and key. */
  readonly keyDigest: number;
  /** Worker ids that this call has tried already. */
  readonly tried: readonly string[];
}

/** What the filters left: the candidates of the best tier, or why there are none. */
export interface CandidateList {
  readonly candidates: readonly Candidate[];
  /** Members that are ready and untried but held back by breaker, cool-down or their in-flight limit. */
  readonly heldBack: number;
}

function isFull(member: PoolMember): boolean {
  const limit = member.worker.spec.maxInFlight;
  return limit > 0 && member.candidate.inFlight >= limit;
}

/** Cost O(members); allocates one list. */
export function listCandidates(members: readonly PoolMember[], query: CandidateQuery): CandidateList {
  let candidates: Candidate[] = [];
  let tier = Number.NEGATIVE_INFINITY;
  let heldBack = 0;
  for (const member of members) {
    if (member.worker.state !== 'ready') continue;
    if (query.tried.length > 0 && query.tried.includes(member.worker.id)) continue;
    if (isFull(member) || !member.gate.mayServe(query.nowMs, query.keyDigest)) {
      heldBack += 1;
      continue;
    }
    const { candidate } = member;
    if (candidate.priority > tier) {
      tier = candidate.priority;
      candidates = [candidate];
    } else if (candidate.priority === tier) {
      candidates.push(candidate);
    }
  }
  return { candidates, heldBack };
}

/** From the pool of a model to one worker: the filters, then the policy; and the reason when there is none. */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';
import type { PassReason } from '../domain/record.ts';
import type { CandidateQuery, KeyDigests } from '../routing/candidates.ts';
import { listCandidates } from '../routing/candidates.ts';
import type { Policy } from '../routing/policy.ts';
import type { DispatchDeps } from './deps.ts';
import type { CallHints } from './hints.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { printable } from './reply-headers.ts';
import { pinMembers } from './target-worker.ts';

export interface Placed {
  readonly member: PoolMember;
  readonly policy: Policy;
}

export interface Placement {
  readonly resolved: ResolvedModel;
  readonly hints: CallHints;
  /** Ids of the workers that this call has tried already, with all their ranks. */
  readonly tried: readonly string[];
  readonly key: KeyDigests;
  readonly deps: DispatchDeps;
}

/** The members that may be asked at all: those of the model, or the one that the client named. Throws when it named none. */
export function poolOf(call: Call, resolved: ResolvedModel): readonly PoolMember[] {
  const target = call.headers['x-smg-target-worker'];
  return typeof target === 'string' && target !== '' ? pinMembers(resolved.members, target) : resolved.members;
}

/** Undefined when no worker can take the call now. */
export function placeCall(call: Call, placement: Placement): Placed | undefined {
  const { deps, tried, key, resolved, hints } = placement;
  const pool = poolOf(call, resolved);
  const { candidates } = listCandidates(pool, { nowMs: deps.clock.now(), key, tried });
  if (candidates.length === 0) return undefined;
  const { name, policy } = deps.policyFor(resolved.model, resolved.members);
  const chosen = policy.select(candidates, hints);
  const member = chosen && pool.find((other) => other.candidate === chosen);
  if (!member) throw new GatewayError('internal_error', `The policy ${name} chose no worker of the pool.`);
  call.record.policy = name;
  if (call.headers['x-smg-explain'] === 'true') call.record.decision = explain(call, placement, { member, policy });
  return { member, policy };
}

function explain({ record }: Call, { resolved, hints, tried }: Placement, { member, policy }: Placed): string {
  const { candidate } = member;
  const why = policy.explain?.(candidate, hints);
  const facts = [`load=${candidate.load}`, `priority=${candidate.priority}`, `cost=${candidate.cost}`];
  const pool = [`pool=${resolved.members.length}`, `tried=${tried.length}`];
  const passed = record.chain.map(({ model, why: reason }) => `${printable(model)}:${reason}`);
  const chain = passed.length === 0 ? [] : [`chain=${passed.join(',')}`];
  return [...(why === undefined ? [] : [why]), ...facts, ...pool, ...chain].join(' ');
}

/** There are such, but they would only say that a key is missing. */
export function lackKeys(members: readonly PoolMember[], query: CandidateQuery): boolean {
  return listCandidates(members, query).lackKeys;
}

export function hasCandidates(members: readonly PoolMember[], query: CandidateQuery): boolean {
  return listCandidates(members, query).candidates.length > 0;
}

/** Why nobody could be asked: all cooling down after 429s, or simply none available. */
export function refusePlacement(members: readonly PoolMember[], key: KeyDigests, deps: DispatchDeps): GatewayError {
  const ends = firstCoolDownEnd(members, key, deps);
  if (ends > 0) {
    const retryAfterSeconds = Math.max(1, Math.ceil((ends - deps.clock.now()) / 1_000));
    const text = `Every worker of the model is rate limited; try again in ${retryAfterSeconds} s.`;
    return new GatewayError('rate_limited', text, { retryAfterSeconds });
  }
  const isAlone = members.length === 1;
  const nobody = isAlone
    ? 'The only worker of the model cannot'
    : `None of the ${members.length} workers of the model can`;
  const text = `${nobody} take a call now.`;
  return new GatewayError('no_available_workers', text, { retryAfterSeconds: 1 });
}

/** Why none of these can take the call now, in the words of the record. */
export function whyNobody(members: readonly PoolMember[], key: KeyDigests, { leases }: DispatchDeps): PassReason {
  const ready = members.filter(({ worker }) => worker.state === 'ready');
  const isOf = (test: (id: string, digest: number) => boolean) =>
    ready.length > 0 && ready.every(({ id, worker }) => test(id, key.digestFor(worker)));
  if (isOf((id, digest) => leases.isOutOfQuota(id, digest))) return 'quota';
  return isOf((id, digest) => leases.coolDownEndsAt([id], digest) > 0) ? 'rate_limited' : 'no_worker';
}

/** When the first of the ready ones is free again; 0 when one of them does not rest, or none is ready. */
function firstCoolDownEnd(members: readonly PoolMember[], key: KeyDigests, { leases }: DispatchDeps): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { id, worker } of members) {
    if (worker.state !== 'ready') continue;
    const ends = leases.coolDownEndsAt([id], key.digestFor(worker));
    if (ends === 0) return 0;
    first = Math.min(first, ends);
  }
  return Number.isFinite(first) ? first : 0;
}

/** From the pool of a model to one worker: the filters, then the policy; and the reason when there is none. */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Worker } from '../domain/worker.ts';
import type { CandidateQuery } from '../routing/candidates.ts';
import { listCandidates } from '../routing/candidates.ts';
import type { Hints } from '../routing/policy.ts';
import type { DispatchDeps } from './deps.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { resolveModel } from './resolve-model.ts';

export interface Placed {
  readonly worker: Worker;
  /** The id that goes upstream; empty when the call names none. */
  readonly model: string;
}

interface Placement {
  readonly tried: readonly string[];
  readonly keyDigest: number;
  readonly deps: DispatchDeps;
}

/** The routing inputs of a call, read when a policy asks for them. */
class CallHints implements Hints {
  readonly model: string;
  readonly #call: Call;

  constructor(call: Call, model: string) {
    this.#call = call;
    this.model = model;
  }

  header(name: string): string | undefined {
    const value = this.#call.headers[name];
    return typeof value === 'string' ? value : undefined;
  }
}

/** Undefined when no worker can take the call now. */
export function placeCall(call: Call, resolved: ResolvedModel, placement: Placement): Placed | undefined {
  const { deps, tried, keyDigest } = placement;
  const { candidates } = listCandidates(resolved.members, { nowMs: deps.clock.now(), keyDigest, tried });
  if (candidates.length === 0) return undefined;
  const chosen = deps.policy.select(candidates, new CallHints(call, resolved.model));
  const member = chosen && resolved.members.find((other) => other.candidate === chosen);
  if (!member) throw new GatewayError('internal_error', `The policy ${deps.policyName} chose no worker of the pool.`);
  call.record.policy = deps.policyName;
  return { worker: member.worker, model: resolved.model };
}

export function hasCandidates(members: readonly PoolMember[], query: CandidateQuery): boolean {
  return listCandidates(members, query).candidates.length > 0;
}

/** Why nobody could be asked: all cooling down after 429s, or simply none available. */
export function refusePlacement(call: Call, { keyDigest, deps }: Omit<Placement, 'tried'>): GatewayError {
  const fleet = deps.directory.snapshot();
  const { members } = resolveModel(call.model, call.modelOptional, fleet, deps.aliases);
  const ready = members.filter((member) => member.worker.state === 'ready').map((member) => member.worker.id);
  const ends = ready.length > 0 ? deps.leases.coolDownEndsAt(ready, keyDigest) : 0;
  if (ends > 0) {
    const retryAfterSeconds = Math.max(1, Math.ceil((ends - deps.clock.now()) / 1_000));
    const text = `Every worker of the model is rate limited; try again in ${retryAfterSeconds} s.`;
    return new GatewayError('rate_limited', text, { retryAfterSeconds });
  }
  const text = `None of the ${members.length} workers of the model can take a call now.`;
  return new GatewayError('no_available_workers', text, { retryAfterSeconds: 1 });
}

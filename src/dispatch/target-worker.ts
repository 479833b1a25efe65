/** `x-smg-target-worker`: the client names the worker, by id or by its index in the model's pool (0 is the first). */
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';

/** The members that the text names: one, or all ranks of a worker. Throws `worker_not_found`. */
export function pinMembers(members: readonly PoolMember[], target: string): readonly PoolMember[] {
  const named = members.filter((member) => member.id === target || member.worker.id === target);
  if (named.length > 0) return named;
  // An id may consist of digits only, but it is never shorter than 8.
  const at = /^\d{1,6}$/.test(target) ? members[Number(target)] : undefined;
  if (at) return [at];
  throw new GatewayError(
    'worker_not_found',
    `x-smg-target-worker: no worker of this model has the id or index \`${target.slice(0, 64)}\`; its pool has ${members.length}.`,
    { param: 'x-smg-target-worker' },
  );
}

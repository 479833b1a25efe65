/** From the members of the fleet to the immutable view that everybody reads. Pure. */
import type { PoolMember } from '../domain/candidate.ts';
import type { FleetSnapshot } from '../domain/ports.ts';
import type { Worker } from '../domain/worker.ts';

/** `members` in the order of their workers, those of one worker together. Cost O(members and the models they list). */
export function makeSnapshot(version: number, members: readonly PoolMember[]): FleetSnapshot {
  const byModel = new Map<string, PoolMember[]>();
  const wildcards: PoolMember[] = [];
  const models = new Set<string>();
  const workers: Worker[] = [];
  let hasUnknown = false;
  for (const member of members) {
    const { worker } = member;
    const { facts, state } = worker;
    if (workers.at(-1) !== worker) workers.push(worker);
    if (!facts) {
      hasUnknown = true;
      continue;
    }
    if (facts.models.length === 0) wildcards.push(member);
    for (const model of facts.models) {
      const list = byModel.get(model);
      if (list) list.push(member);
      else byModel.set(model, [member]);
      if (state === 'ready') models.add(model);
    }
  }
  return {
    version,
    workers,
    members,
    membersOf: (model) => byModel.get(model),
    wildcards,
    models: [...models].sort(),
    hasUnknown,
  };
}

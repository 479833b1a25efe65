/** From the members of the fleet to the immutable view that everybody reads. Pure. */
import type { PoolMember } from '../domain/candidate.ts';
import type { FleetSnapshot } from '../domain/ports.ts';
import { ownersOf } from '../domain/providers/model-names.ts';
import type { Provider } from '../domain/providers/provider.ts';
import type { Worker } from '../domain/worker.ts';

/** `members` in the order of their workers, those of one worker together. Cost O(members and the models they list). */
export function makeSnapshot(version: number, members: readonly PoolMember[]): FleetSnapshot {
  const byModel = new Map<string, PoolMember[]>();
  const wildcards: PoolMember[] = [];
  const byName: PoolMember[] = [];
  const models = new Set<string>();
  const workers: Worker[] = [];
  let hasUnknown = false;
  for (const member of members) {
    const { worker } = member;
    const { facts, state, address, spec } = worker;
    if (workers.at(-1) !== worker) workers.push(worker);
    if (!facts) {
      hasUnknown = true;
      continue;
    }
    if (address.provider && spec.models.length === 0) byName.push(member);
    if (!address.provider && facts.models.length === 0) wildcards.push(member);
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
    cloudMembersFor: cloudLookup(byName),
    wildcards,
    models: [...models].sort(),
    hasUnknown,
  };
}

const NOBODY: readonly PoolMember[] = [];

/** By the names of the owners, of which there are few, whatever models are asked for. */
function cloudLookup(members: readonly PoolMember[]): FleetSnapshot['cloudMembersFor'] {
  if (members.length === 0) return () => NOBODY;
  const providers = new Map<string, Provider>();
  for (const { worker } of members) {
    const { provider } = worker.address;
    if (provider) providers.set(provider.name, provider);
  }
  const known = [...providers.values()];
  const pools = new Map<string, readonly PoolMember[]>();
  return (model) => {
    const owners = ownersOf(model, known).map(({ name }) => name);
    if (owners.length === 0) return NOBODY;
    const key = owners.join(' ');
    const pool = pools.get(key) ?? members.filter(({ worker }) => owners.includes(worker.address.provider?.name ?? ''));
    pools.set(key, pool);
    return pool;
  };
}

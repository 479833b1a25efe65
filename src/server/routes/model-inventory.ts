/**
 * Which models there are (behaviour §6): the union of what the ready workers list, or what providers list for the key of
 * the caller. Owns the choice of whom a caller's key may be sent to for that; how a list is shown is models.ts.
 * Limits  so many workers are asked at once, each once, for one page, for so long
 */
import { callerKeyOf, providerOfKey } from '../../domain/credentials.ts';
import type { ClientHeaders } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import { readListing } from '../../domain/providers/listing.ts';
import type { ListedModel } from '../../domain/providers/listing.ts';
import { listingPathOf } from '../../domain/providers/path.ts';
import type { Worker } from '../../domain/worker.ts';
import { limitsOf } from '../../domain/worker.ts';
import type { ServerDeps } from '../deps.ts';

const MAX_ASKED = 32;
const ASK_TIMEOUT_MS = 10_000;

/** A model and whose it is: a provider's name, or `self_hosted`. */
export interface Model extends ListedModel {
  readonly owner: string;
}

const SELF_HOSTED = 'self_hosted';

/** `isWide`: what the caller's key shows and what there is here, together. */
export async function inventory(deps: ServerDeps, headers: ClientHeaders, isWide: boolean): Promise<readonly Model[]> {
  const key = keyOfCaller(deps, headers);
  const asked = key === undefined ? [] : targetsOf(deps, key).map((worker) => ask(deps, worker, key));
  if (asked.length === 0) return ownModels(deps);
  if (isWide) return distinct([...(await Promise.all(asked)).flat(), ...ownModels(deps)]);
  // All of them have been asked; the first in the order of the workers that shows something counts.
  for (const models of asked) {
    const found = await models;
    if (found.length > 0) return found;
  }
  return ownModels(deps);
}

/** The list is open to all, but whoever wants it asked for with a key of his own must be one who may make calls. */
function keyOfCaller({ gatekeeper }: ServerDeps, headers: ClientHeaders): string | undefined {
  try {
    return callerKeyOf(headers, gatekeeper.check(headers, 'data').usedGatewayKey);
  } catch (thrown) {
    if (GatewayError.from(thrown).code === 'invalid_request') throw thrown;
    // No key of the gateway, or a bad one: it may be a mistyped one, which must not leave the house.
    return undefined;
  }
}

/** Healthy workers of the one provider that the key is for, as far as that can be told. */
function targetsOf(deps: ServerDeps, key: string): readonly Worker[] {
  const clouds = deps.directory
    .snapshot()
    .workers.filter((worker) => isListable(worker) && deps.conditionOf(worker.id).breaker !== 'open');
  const plain = clouds.find(({ address }) => address.provider?.hasPlainKeys === true) ?? clouds[0];
  const named = providerOfKey(key) ?? plain?.address.provider?.name;
  return clouds.filter(({ address }) => address.provider?.name === named).slice(0, MAX_ASKED);
}

/** Those that serve what an operator has named serve nothing else, whatever the provider lists. */
function isListable({ state, spec, address }: Worker): boolean {
  return state === 'ready' && spec.models.length === 0 && listingPathOf(address) !== undefined;
}

/** Empty when the provider shows nothing for this key, or does not answer. */
async function ask({ prober }: ServerDeps, worker: Worker, key: string): Promise<readonly Model[]> {
  const { address } = worker;
  const path = listingPathOf(address);
  const { provider } = address;
  if (!provider?.listing || path === undefined) return [];
  try {
    const reply = await prober.ask({ ...address, apiKey: key }, { method: 'GET', path }, ASK_TIMEOUT_MS);
    if (reply.status !== 200) return [];
    const { models } = readListing(provider.listing.form, JSON.parse(reply.text));
    return models.map((model) => ({ ...model, owner: provider.name }));
  } catch {
    // Silent, broken, or no JSON: this worker shows nothing, and the next one in the order counts.
    return [];
  }
}

/** What ready workers list, aliases of these too; a model that anyone here serves himself is self-hosted. */
function ownModels({ directory, aliases }: ServerDeps): readonly Model[] {
  const fleet = directory.snapshot();
  const known = new Map<string, Model>();
  for (const worker of fleet.workers) {
    if (worker.state !== 'ready') continue;
    const owner = worker.address.provider?.name ?? SELF_HOSTED;
    for (const id of worker.facts?.models ?? []) {
      if (owner === SELF_HOSTED || !known.has(id))
        known.set(id, { id, owner, displayName: undefined, limits: limitsOf(worker, id), entry: {} });
    }
  }
  const named = [...aliases].flatMap(([alias, targets]) => {
    const served = [targets]
      .flat()
      .map((model) => known.get(model))
      .find((model) => model !== undefined);
    return served && !known.has(alias) ? [{ ...served, id: alias }] : [];
  });
  return [...fleet.models.flatMap((id) => known.get(id) ?? []), ...named];
}

function distinct(models: readonly Model[]): readonly Model[] {
  return [...new Map(models.toReversed().map((model) => [model.id, model])).values()].toReversed();
}

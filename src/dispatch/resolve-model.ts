/**
 * From the model of a call to those who may serve it (behaviour §4): an alias stands for one model or for a chain of
 * them, of which each is tried when those before it cannot take the call; then workers that list it, then
 * clouds by its name, then local wildcards.
 */
import type { PoolMember } from '../domain/candidate.ts';
import { GatewayError } from '../domain/errors.ts';
import type { FleetSnapshot } from '../domain/ports.ts';

/**
 * Alias to the models that it stands for, at least one, in the order in which they are tried. What they name are models:
 * an alias among them is not followed, so that one may have the name of its own first model.
 */
export type ModelAliases = ReadonlyMap<string, readonly string[]>;

export interface ResolvedModel {
  /** The id that goes upstream; empty when the call names none. */
  readonly model: string;
  readonly members: readonly PoolMember[];
  /** The fleet knows the id, so that it is safe as a metric's label. */
  readonly isListed: boolean;
}

const MAX_NAMED = 20;

/** The models to try for the name that the client gave, in order; one empty name when it gave none. */
export function chainOf(asked: string | undefined, aliases: ModelAliases): readonly string[] {
  if (asked === undefined || asked === '') return UNNAMED;
  return aliases.get(asked) ?? [asked];
}

const UNNAMED: readonly string[] = [''];

/** Who serves one model of a chain. Throws `missing_model`, `model_not_found` or `no_available_workers`. */
export function resolveModel(
  model: string,
  isOptional: boolean,
  fleet: FleetSnapshot,
  aliases: ModelAliases,
): ResolvedModel {
  if (model === '') return resolveUnnamed(isOptional, fleet, aliases);
  const named = fleet.membersOf(model);
  if (named) return { model, members: named, isListed: true };
  const byName = fleet.cloudMembersFor(model);
  if (byName.length > 0) return { model, members: byName, isListed: false };
  if (fleet.wildcards.length > 0) return { model, members: fleet.wildcards, isListed: false };
  if (fleet.hasUnknown || fleet.members.length === 0) throw noWorkers(fleet);
  throw new GatewayError(
    'model_not_found',
    `The model \`${shorten(model)}\` does not exist here. ${listModels(fleet, aliases)}`,
    {
      param: 'model',
    },
  );
}

/** A call without a model is served when there is no doubt which one is meant. */
function resolveUnnamed(isOptional: boolean, fleet: FleetSnapshot, aliases: ModelAliases): ResolvedModel {
  const [only, second] = fleet.models;
  if (isOptional && second === undefined) {
    const members = only === undefined ? fleet.members : (fleet.membersOf(only) ?? []);
    if (members.length === 0) throw noWorkers(fleet);
    return { model: '', members, isListed: false };
  }
  throw new GatewayError('missing_model', `The body must name a \`model\`. ${listModels(fleet, aliases)}`, {
    param: 'model',
  });
}

function noWorkers(fleet: FleetSnapshot): GatewayError {
  const text =
    fleet.members.length === 0
      ? 'No worker is registered.'
      : 'No worker has joined yet; workers are still being probed.';
  return new GatewayError('no_available_workers', text, { retryAfterSeconds: 1 });
}

/** What can be asked for: the models of ready workers, then the aliases of these. */
function listModels(fleet: FleetSnapshot, aliases: ModelAliases): string {
  const isServed = (model: string) => fleet.models.includes(model);
  const known = [...aliases].filter(([alias, chain]) => chain.some(isServed) && !isServed(alias));
  const models = [...fleet.models, ...known.map(([alias]) => alias)];
  if (models.length === 0) return 'No model is served at present.';
  const shown = models.slice(0, MAX_NAMED).join(', ');
  return models.length > MAX_NAMED ? `Models: ${shown} and ${models.length - MAX_NAMED} more.` : `Models: ${shown}.`;
}

function shorten(text: string): string {
  return text.length > 128 ? `${text.slice(0, 128)}…` : text;
}

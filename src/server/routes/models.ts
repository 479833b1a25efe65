/** The models that can be asked for: the union of what the ready workers list, aliases included. */
import { GatewayError } from '../../domain/errors.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

interface ModelCard {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

function card(id: string): ModelCard {
  return { id, object: 'model', created: 0, owned_by: 'self_hosted' };
}

function modelCards(deps: ServerDeps): ModelCard[] {
  const { models } = deps.directory.snapshot();
  const known = new Set(models);
  const aliases = [...deps.aliases].filter(([alias, model]) => known.has(model) && !known.has(alias));
  return [...models, ...aliases.map(([alias]) => alias)].map(card);
}

export function listModels(deps: ServerDeps): JsonAnswer {
  return json(200, { object: 'list', data: modelCards(deps) });
}

export function getModel(deps: ServerDeps, id: string): JsonAnswer {
  const found = modelCards(deps).find((model) => model.id === id);
  if (found) return json(200, found);
  throw new GatewayError('model_not_found', `The model \`${id.slice(0, 128)}\` does not exist here.`, {
    param: 'model',
  });
}

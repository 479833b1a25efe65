/** What it serves: the models of its spec, else every id that it lists, base models and adapters alike. */
import type { ModelCard } from '../../domain/worker.ts';
import { boundedIds, readModelList } from './model-list.ts';
import type { Findings, Round, Step } from './step.ts';
import { MODELS_PATH, refusal } from './step.ts';

export const listModels: Step = {
  name: 'list_models',
  run: (round, found) => {
    const given = round.worker.spec.models;
    return given.length > 0 ? Promise.resolve(modelsOf(given, found)) : fromWorker(round, found);
  },
};

/** The models that an operator has named. */
export function modelsOf(given: readonly ModelCard[], found: Findings): Partial<Findings> {
  const told = given.find((card) => card.contextLength !== undefined)?.contextLength;
  return {
    models: boundedIds(given.flatMap((card) => [card.id, ...card.aliases])),
    contextLength: told ?? found.metadata.contextLength,
    modelLimits: limitsOfCards(given),
  };
}

function limitsOfCards(given: readonly ModelCard[]): Findings['modelLimits'] {
  return new Map(
    given.flatMap(({ id, aliases, contextLength }) => {
      if (contextLength === undefined) return [];
      return [id, ...aliases].map((name) => [name, { contextLength, maxOutputTokens: undefined }] as const);
    }),
  );
}

async function fromWorker({ questions }: Round, found: Findings): Promise<Partial<Findings>> {
  const reply = await questions.ask(MODELS_PATH);
  // A key that is refused here would be refused for calls too; a list that fails now is asked for again.
  if (reply.status === 401 || reply.status === 403 || reply.status >= 500)
    throw refusal(MODELS_PATH, reply, questions.hasKey);
  const list = readModelList(reply);
  const others = (await found.profile.listModels?.(questions)) ?? [];
  return {
    models: boundedIds([...list.ids, ...others]),
    contextLength: found.metadata.contextLength ?? list.contextLength,
    modelLimits: list.limits,
  };
}

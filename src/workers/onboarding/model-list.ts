/** Reading `GET /v1/models`, and the bounds on what a worker may list. */
import type { ProbeReply } from '../../domain/ports.ts';
import type { ModelLimits } from '../../domain/worker.ts';
import type { JsonObject } from '../read-json.ts';
import { asArray, asObject, countAt, objectOf, textAt } from '../read-json.ts';

const MAX_MODELS = 10_000;
const MAX_ID_BYTES = 512;

export interface ModelList {
  readonly ids: readonly string[];
  /** Who owns the first model: engines put their name there. Undefined when it does not say. */
  readonly owner: string | undefined;
  readonly contextLength: number | undefined;
  /** Of each model that says how much fits. */
  readonly limits: ReadonlyMap<string, ModelLimits>;
  /** Where the first model lies, if it says. */
  readonly root: string | undefined;
}

export function readModelList(reply: ProbeReply | undefined): ModelList {
  const cards = asArray(objectOf(reply)['data']).flatMap((card) => {
    const object = asObject(card);
    return object && textAt(object, 'id') !== undefined ? [object] : [];
  });
  const first = cards[0] ?? {};
  return {
    ids: cards.map((card) => textAt(card, 'id') ?? ''),
    owner: textAt(first, 'owned_by'),
    contextLength: contextOf(first),
    limits: limitsIn(cards),
    root: textAt(first, 'root'),
  };
}

function limitsIn(cards: readonly JsonObject[]): ModelList['limits'] {
  return new Map(
    cards.slice(0, MAX_MODELS).flatMap((card) => {
      const contextLength = contextOf(card);
      const id = textAt(card, 'id') ?? '';
      return contextLength === undefined ? [] : [[id, { contextLength, maxOutputTokens: undefined }] as const];
    }),
  );
}

/** llama.cpp says it in `meta`: what it runs with, else what the model was trained with. */
function contextOf(card: JsonObject): number | undefined {
  const meta = asObject(card['meta']) ?? {};
  return countAt(card, 'max_model_len') ?? countAt(meta, 'n_ctx') ?? countAt(meta, 'n_ctx_train');
}

/** Each once, in order; what is too long to be an id, and what is too many, is left out. */
export function boundedIds(ids: readonly string[]): readonly string[] {
  const kept = new Set<string>();
  for (const id of ids) {
    if (kept.size >= MAX_MODELS) break;
    if (id !== '' && Buffer.byteLength(id) <= MAX_ID_BYTES) kept.add(id);
  }
  return [...kept];
}

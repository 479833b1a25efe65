/** Reading `GET /v1/models`, and the bounds on what a worker may list. */
import type { ProbeReply } from '../../domain/ports.ts';
import type { JsonObject } from '../read-json.ts';
import { asArray, asObject, countAt, objectOf, textAt } from '../read-json.ts';

const MAX_MODELS = 10_000;
const MAX_ID_BYTES = 512;

export interface ModelList {
  readonly ids: readonly string[];
  /** Who owns the first model: engines put their name there. Undefined when it does not say. */
  readonly owner: string | undefined;
  readonly contextLength: number | undefined;
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
    contextLength: countAt(first, 'max_model_len') ?? contextOf(asObject(first['meta'])),
    root: textAt(first, 'root'),
  };
}

/** llama.cpp says it in `meta`: what it runs with, else what the model was trained with. */
function contextOf(meta: JsonObject | undefined): number | undefined {
  return meta && (countAt(meta, 'n_ctx') ?? countAt(meta, 'n_ctx_train'));
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

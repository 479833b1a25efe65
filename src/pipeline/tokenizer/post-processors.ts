/** `post_processor` of tokenizer.json: the ids that a model wants around a text. */

import { idOf, isObject, type JsonObject, listOf, objectOf } from './json-shape.ts';
import { UnusableTokenizer } from './unusable.ts';

export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const NOTHING: Surroundings = { before: [], after: [] };

export function surroundingsOf(description: unknown): Surroundings {
  if (!isObject(description)) return NOTHING;
  switch (description['type']) {
    case 'ByteLevel':
      return NOTHING;
    case 'TemplateProcessing':
      return template(description);
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [pairedId(description['cls'])], after: [pairedId(description['sep'])] };
    case 'Sequence':
      return listOf(description['processors'], 'sequence of post-processors')
        .map(surroundingsOf)
        .reduce(around, NOTHING);
    default:
      throw new UnusableTokenizer(`the post-processor ${String(description['type'])}`);
  }
}

/** The later one goes around what the earlier made. */
function around(inner: Surroundings, outer: Surroundings): Surroundings {
  return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] };
}

function pairedId(value: unknown): number {
  return idOf(Array.isArray(value) ? value[1] : undefined, 'id of the post-processor');
}

function template(description: JsonObject): Surroundings {
  const special = objectOf(description['special_tokens'], 'special tokens of the template');
  const before: number[] = [];
  const after: number[] = [];
  let into = before;
  for (const piece of listOf(description['single'], 'template')) {
    const { SpecialToken: token, Sequence: sequence } = objectOf(piece, 'piece of the template');
    if (sequence !== undefined) {
      if (into === after) throw new UnusableTokenizer('a template with its text twice');
      into = after;
    } else into.push(...templateIds(special, token));
  }
  return { before, after };
}

function templateIds(special: JsonObject, token: unknown): number[] {
  const name = String(objectOf(token, 'special token of the template')['id']);
  const entry = objectOf(special[name], `special token ${name} of the template`);
  return listOf(entry['ids'], 'list of ids').map((id) => idOf(id, 'id of the template'));
}

/** What tokenizer_config.json wants in place of it. */
export interface EdgeWishes {
  readonly bosId: number | undefined;
  readonly addBos: boolean | undefined;
  readonly eosId: number | undefined;
  readonly addEos: boolean | undefined;
}

/** `add_bos_token` and `add_eos_token`: true puts the token there, false takes it away, absent leaves it. */
export function adjust(found: Surroundings, wishes: EdgeWishes): Surroundings {
  const { bosId, addBos, eosId, addEos } = wishes;
  let before = found.before;
  if (bosId !== undefined && addBos === true && before[0] !== bosId) before = [bosId, ...before];
  if (bosId !== undefined && addBos === false) before = before.filter((id) => id !== bosId);
  let after = found.after;
  if (eosId !== undefined && addEos === true && after.at(-1) !== eosId) after = [...after, eosId];
  if (eosId !== undefined && addEos === false) after = after.filter((id) => id !== eosId);
  return { before, after };
}

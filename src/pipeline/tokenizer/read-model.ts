/** tokenizer.json as tables of tokens and merges, and the rest of it as JSON. */

import { MergeList, mergesOfList } from './bpe-merges.ts';
import { decodesBytes } from './decoding.ts';
import { idOf, isObject, type JsonObject, listOf, objectOf, parseJson } from './json-shape.ts';
import { ModelText } from './json-walk.ts';
import type { MergeTable } from './merge-table.ts';
import type { Steps } from './steps.ts';
import { TokenTable } from './token-table.ts';
import { textOfBytes } from './utf8.ts';

/** Tokens that are added in one step. */
const ENTRIES_AT_ONCE = 1024;

export interface ReadModel {
  /** Without vocabulary and merges where they were read apart. */
  readonly json: JsonObject;
  /** The tokens of the model, without the added ones. */
  readonly table: TokenTable;
  /** Undefined where the model has none, or some that its vocabulary does not explain. */
  readonly merges: MergeTable | undefined;
  readonly isByteLevel: boolean;
}

/** `text`: UTF-8. */
export function* readModel(text: Uint8Array): Steps<ReadModel> {
  let apart: { table: TokenTable; merges: MergeList; isByteLevel: boolean } | undefined;
  const rest = yield* new ModelText(text).read((decoder) => {
    const isByteLevel = decodesBytes(decoder);
    const table = new TokenTable(isByteLevel);
    const merges = new MergeList(table);
    apart = { table, merges, isByteLevel };
    return {
      byteLevel: isByteLevel,
      token: (bytes, length, id) => table.addBytes(bytes, length, id),
      oddToken: (name, id) => table.add(name, id),
      merge: (bytes, middle, end) => merges.add(table.find(bytes, 0, middle), table.find(bytes, middle, end)),
    };
  });
  yield;
  if (rest === undefined || apart === undefined)
    return yield* modelOfJson(parseJson(textOfBytes(text), 'tokenizer.json'));
  const json = parseJson(rest, 'tokenizer.json');
  yield;
  return { ...apart, json, merges: yield* apart.merges.toTable() };
}

function* modelOfJson(json: JsonObject): Steps<ReadModel> {
  const model = objectOf(json['model'], 'model');
  const isByteLevel = decodesBytes(json['decoder']);
  const table = new TokenTable(isByteLevel);
  yield* addVocabulary(model['vocab'], table);
  const hasMerges = Array.isArray(model['merges']);
  const merges = hasMerges ? yield* mergesOfList(listOf(model['merges'], 'merges'), table) : undefined;
  return { json, table, merges, isByteLevel };
}

/** BPE, WordPiece and WordLevel list ids by name, Unigram lists names with scores in the order of their ids. */
function* addVocabulary(vocabulary: unknown, table: TokenTable): Steps<void> {
  let count = 0;
  if (Array.isArray(vocabulary)) {
    for (const [id, entry] of (vocabulary as readonly unknown[]).entries()) {
      table.add(String(Array.isArray(entry) ? entry[0] : ''), id);
      if (++count % ENTRIES_AT_ONCE === 0) yield;
    }
    return;
  }
  const byName = isObject(vocabulary) ? vocabulary : objectOf(undefined, 'vocabulary');
  for (const name in byName) {
    table.add(name, idOf(byName[name], 'id in the vocabulary'));
    if (++count % ENTRIES_AT_ONCE === 0) yield;
  }
}

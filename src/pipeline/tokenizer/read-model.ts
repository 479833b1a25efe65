/** tokenizer.json as tables of tokens and merges, and the rest of it as JSON. */

import { MergeList, mergesOfList } from './bpe-merges.ts';
import { decodesBytes } from './decoding.ts';
import { idOf, isObject, type JsonObject, listOf, objectOf, parseJson } from './json-shape.ts';
import { ModelText } from './json-walk.ts';
import type { MergeTable } from './merge-table.ts';
import { TokenTable } from './token-table.ts';

export interface ReadModel {
  /** Without vocabulary and merges where they were read apart. */
  readonly json: JsonObject;
  /** The tokens of the model, without the added ones. */
  readonly table: TokenTable;
  /** Undefined where the model has none, or some that its vocabulary does not explain. */
  readonly merges: MergeTable | undefined;
  readonly isByteLevel: boolean;
}

export function readModel(text: string): ReadModel {
  let apart: { table: TokenTable; merges: MergeList; isByteLevel: boolean } | undefined;
  const rest = new ModelText(text).read((decoder) => {
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
  if (rest === undefined || apart === undefined) return modelOfJson(parseJson(text, 'tokenizer.json'));
  return { ...apart, json: parseJson(rest, 'tokenizer.json'), merges: apart.merges.toTable() };
}

export function modelOfJson(json: JsonObject): ReadModel {
  const model = objectOf(json['model'], 'model');
  const isByteLevel = decodesBytes(json['decoder']);
  const table = new TokenTable(isByteLevel);
  addVocabulary(model['vocab'], table);
  const merges = Array.isArray(model['merges']) ? mergesOfList(listOf(model['merges'], 'merges'), table) : undefined;
  return { json, table, merges, isByteLevel };
}

/** BPE, WordPiece and WordLevel list ids by name, Unigram lists names with scores in the order of their ids. */
function addVocabulary(vocabulary: unknown, table: TokenTable): void {
  if (Array.isArray(vocabulary)) {
    vocabulary.forEach((entry: unknown, id) => table.add(String(Array.isArray(entry) ? entry[0] : ''), id));
    return;
  }
  const byName = isObject(vocabulary) ? vocabulary : objectOf(undefined, 'vocabulary');
  for (const name in byName) table.add(name, idOf(byName[name], 'id in the vocabulary'));
}

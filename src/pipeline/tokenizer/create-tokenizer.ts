/**
 * Makes a tokenizer of a model's files. Reads nothing and waits for nothing: 20 to 300 ms of the loop for vocabularies of
 * 32,000 to 262,000 tokens, so the caller does it at the start or elsewhere.
 */

import type { Tokenizer } from '../../domain/tokenizer.ts';
import type { AddedToken } from './added-tokens.ts';
import type { Assembled } from './assembled.ts';
import { mergesOfList } from './bpe-merges.ts';
import { ByteDecoding } from './byte-decoding.ts';
import { decodesBytes } from './decoding.ts';
import { type Encode, type EncodeElsewhere, EngineTokenizer, TextEncoding } from './engine.ts';
import { addedTokensOf, addedTokensOfConfig, type TokenizerFiles, tokenTextOf } from './files.ts';
import { flagOf, idOf, type JsonObject, listOf, objectOf, parseJson } from './json-shape.ts';
import { scanJoints } from './joints.ts';
import { normalizerOf } from './normalizers.ts';
import { adjust, type Surroundings, surroundingsOf } from './post-processors.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { byteTokenIds } from './symbols.ts';
import { TextDecoding } from './text-decoding.ts';
import { textRulesOf } from './text-rules.ts';
import { tiktokenTokenizer } from './tiktoken.ts';
import { TokenTable } from './token-table.ts';
import { UnusableTokenizer } from './unusable.ts';
import { vocabularyAsTokenizerJson } from './vocabulary-files.ts';
import type { BpeModel } from './word-encoder.ts';
import type { Cutter } from './words.ts';

export interface MadeTokenizer extends Tokenizer {
  /** Why texts are encoded elsewhere; undefined where this engine does it. */
  readonly encodesElsewhere: string | undefined;
  /** Forgets words that were encoded before; for measurements. */
  clearCache(): void;
}

/**
 * `elsewhere` encodes what this engine only decodes: models that are no BPE, and parts that it does not know.
 * Errors: `UnusableTokenizer` for files that cannot be read, or that need `elsewhere` where there is none.
 */
export function createTokenizer(files: TokenizerFiles, elsewhere?: EncodeElsewhere): MadeTokenizer {
  const config = files.configJson === undefined ? undefined : parseJson(files.configJson, 'tokenizer_config.json');
  switch (files.kind) {
    case 'tokenizer_json':
      return tokenizerOf(parseJson(files.tokenizerJson, 'tokenizer.json'), config, elsewhere);
    case 'vocabulary':
      return tokenizerOf(vocabularyAsTokenizerJson(files, config), config, elsewhere);
    case 'tiktoken':
      return made(tiktokenTokenizer(files.ranks, config));
  }
}

function made(parts: Assembled): MadeTokenizer {
  const { encoding, elsewhere } = parts;
  let encode: Encode;
  if (typeof encoding !== 'string') encode = (text, addSpecialTokens) => encoding.encode(text, addSpecialTokens);
  else if (elsewhere !== undefined) encode = elsewhere;
  else throw new UnusableTokenizer(encoding);
  const engine = new EngineTokenizer({ ...parts, encode });
  return Object.assign(engine, {
    encodesElsewhere: typeof encoding === 'string' ? encoding : undefined,
    clearCache: () => (typeof encoding === 'string' ? undefined : encoding.clearCache()),
  });
}

function tokenizerOf(json: JsonObject, config: JsonObject | undefined, elsewhere?: EncodeElsewhere): MadeTokenizer {
  const model = objectOf(json['model'], 'model');
  const added = withConfigTokens(addedTokensOf(json['added_tokens']), config);
  const isByteLevel = decodesBytes(json['decoder']);
  const { table, inModel } = tableOf(model, added, isByteLevel);
  const settled = added.map((token) => ({ ...token, id: inModel(token.content) ?? token.id }));
  const isSpecial = new Uint8Array(table.size);
  for (const token of settled) if (token.isSpecial) isSpecial[token.id] = 1;
  const decoding = isByteLevel
    ? new ByteDecoding(table, isSpecial)
    : new TextDecoding(table, textRulesOf(json['decoder']), isSpecial);
  const encoding = encodingOf({ json, model, config, added: settled, table, inModel, isByteLevel });
  return made({ table, added: settled, decoding, encoding, elsewhere });
}

/** Tokens that only tokenizer_config.json has come on top. */
function withConfigTokens(added: AddedToken[], config: JsonObject | undefined): AddedToken[] {
  const contents = new Set(added.map((token) => token.content));
  const ids = new Set(added.map((token) => token.id));
  const more = addedTokensOfConfig(config).filter((token) => !contents.has(token.content) && !ids.has(token.id));
  return [...added, ...more];
}

interface Tokens {
  readonly table: TokenTable;
  /** The id of a name in the model's own vocabulary. */
  readonly inModel: (name: string) => number | undefined;
}

function tableOf(model: JsonObject, added: readonly AddedToken[], isByteLevel: boolean): Tokens {
  const entries = vocabularyOf(model);
  let highest = 0;
  for (const id of entries.values()) highest = Math.max(highest, id);
  for (const token of added) highest = Math.max(highest, token.id);
  const table = new TokenTable(highest, isByteLevel);
  for (const [name, id] of entries) table.add(name, id);
  for (const token of added) if (!entries.has(token.content)) table.addApart(token.content, token.id);
  return { table, inModel: (name) => entries.get(name) };
}

/** BPE, WordPiece and WordLevel list ids by name, Unigram lists names with scores in the order of their ids. */
function vocabularyOf(model: JsonObject): ReadonlyMap<string, number> {
  const vocabulary = model['vocab'];
  const found = new Map<string, number>();
  if (Array.isArray(vocabulary)) {
    vocabulary.forEach((entry: unknown, id) => found.set(String(Array.isArray(entry) ? entry[0] : ''), id));
    return found;
  }
  const byName = objectOf(vocabulary, 'vocabulary');
  for (const name in byName) found.set(name, idOf(byName[name], 'id in the vocabulary'));
  return found;
}

interface EncodingParts extends Tokens {
  readonly json: JsonObject;
  readonly model: JsonObject;
  readonly config: JsonObject | undefined;
  readonly added: readonly AddedToken[];
  readonly isByteLevel: boolean;
}

/** The encoder, or why there is none. */
function encodingOf(parts: EncodingParts): TextEncoding | string {
  try {
    const { json, added, table, config } = parts;
    const preTokenizer = preTokenizerOf(json['pre_tokenizer']);
    if (preTokenizer.isByteLevel !== parts.isByteLevel) {
      throw new UnusableTokenizer('bytes on one side and text on the other');
    }
    const model = bpeOf(parts);
    return new TextEncoding({
      model,
      added,
      normalize: normalizerOf(json['normalizer']),
      cut: finerCut(preTokenizer.cut, model),
      surroundings: wished(surroundingsOf(json['post_processor']), table, config),
    });
  } catch (error) {
    if (error instanceof UnusableTokenizer) return error.message;
    throw error;
  }
}

function bpeOf({ model, table, inModel, isByteLevel }: EncodingParts): BpeModel {
  // Files of old have no type; they are BPE where they have merges.
  const type = model['type'] ?? (Array.isArray(model['merges']) ? 'BPE' : 'a model without type');
  if (type !== 'BPE') throw new UnusableTokenizer(`the model ${JSON.stringify(type)}`);
  if (typeof model['dropout'] === 'number' && model['dropout'] > 0) throw new UnusableTokenizer('dropout');
  const affixes = [model['continuing_subword_prefix'], model['end_of_word_suffix']];
  if (affixes.some((affix) => typeof affix === 'string' && affix !== '')) throw new UnusableTokenizer('affixes');
  const unknown = typeof model['unk_token'] === 'string' ? inModel(model['unk_token']) : undefined;
  return {
    table,
    merges: mergesOfList(listOf(model['merges'], 'list of merges'), table, {
      idOf: (name) => inModel(name) ?? -1,
      prefixBytes: 0,
    }),
    isByteLevel,
    ignoresMerges: flagOf(model['ignore_merges'], false),
    unknown: {
      unknownId: unknown,
      fuseUnknown: flagOf(model['fuse_unk'], false),
      byteFallback: flagOf(model['byte_fallback'], false),
    },
  };
}

/** Words of text models are cut further where no merge reaches across, so that they are short and cached. */
function finerCut(cut: Cutter, model: BpeModel): Cutter {
  const hasAllBytes = model.unknown.byteFallback && byteTokenIds(model.table).every((id) => id >= 0);
  if (model.isByteLevel || model.ignoresMerges || !hasAllBytes) return cut;
  const scan = scanJoints(model.table, model.merges);
  return (text, isFirst, sink) => cut(text, isFirst, { word: (from, start, end) => scan(from, start, end, sink) });
}

function wished(found: Surroundings, table: TokenTable, config: JsonObject | undefined): Surroundings {
  const idOfToken = (value: unknown) => {
    const text = tokenTextOf(value);
    return text === undefined ? undefined : table.idOf(text);
  };
  const claim = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
  return adjust(found, {
    bosId: idOfToken(config?.['bos_token']),
    addBos: claim(config?.['add_bos_token']),
    eosId: idOfToken(config?.['eos_token']),
    addEos: claim(config?.['add_eos_token']),
  });
}

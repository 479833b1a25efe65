/**
 * Makes a tokenizer of a model's files. Reads nothing and waits for nothing: 20 to 300 ms for vocabularies of 32,000 to
 * 262,000 tokens, in steps of a millisecond or so that the caller runs when it likes.
 */

import type { Tokenizer } from '../../domain/tokenizer.ts';
import type { AddedToken } from './added-tokens.ts';
import type { Assembled } from './assembled.ts';
import { ByteDecoding } from './byte-decoding.ts';
import { type Encode, type EncodeElsewhere, EngineTokenizer, TextEncoding } from './engine.ts';
import { addedTokensOf, addedTokensOfConfig, type TokenizerFiles, tokenTextOf } from './files.ts';
import { flagOf, type JsonObject, objectOf, parseJson } from './json-shape.ts';
import { scanJoints } from './joints.ts';
import { normalizerOf } from './normalizers.ts';
import { adjust, type Surroundings, surroundingsOf } from './post-processors.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { type ReadModel, readModel } from './read-model.ts';
import { byteTokenIds } from './symbols.ts';
import { TextDecoding } from './text-decoding.ts';
import { textRulesOf } from './text-rules.ts';
import { tiktokenTokenizer } from './tiktoken.ts';
import { allAtOnce, type Steps } from './steps.ts';
import type { TokenTable } from './token-table.ts';
import { UnusableTokenizer } from './unusable.ts';
import { vocabularyAsTokenizerJson } from './vocabulary-files.ts';
import type { BpeModel } from './word-encoder.ts';
import type { Cutter } from './words.ts';

export interface MadeTokenizer extends Tokenizer {
  /** Why texts are encoded elsewhere; undefined where this engine does it. */
  readonly encodesElsewhere: string | undefined;
  /** Forgets words that were encoded before; for measurements. */
  clearCache(): void;
  /**
   * Encodes and decodes some of its own tokens, so that the runtime has compiled what the first prompt needs: that one is
   * then encoded some 3 times as fast. 100 to 150 ms; others may use it between the steps.
   */
  warmUp(): Steps<void>;
}

/** Tokens to warm up with, evenly out of the vocabulary: enough to have each function compiled. */
const WARM_TOKENS = 12_000;
/** Of these in one step. */
const WARM_AT_ONCE = 200;

/**
 * `elsewhere` encodes what this engine only decodes: models that are no BPE, and parts that it does not know.
 * Errors: `UnusableTokenizer` for files that cannot be read, or that need `elsewhere` where there is none.
 */
export function createTokenizer(files: TokenizerFiles, elsewhere?: EncodeElsewhere): MadeTokenizer {
  return allAtOnce(createTokenizerInSteps(files, elsewhere));
}

/** The same for a loop that has other work: the longest step is the parsing of what is neither vocabulary nor merges. */
export function* createTokenizerInSteps(files: TokenizerFiles, elsewhere?: EncodeElsewhere): Steps<MadeTokenizer> {
  const config = files.configJson === undefined ? undefined : parseJson(files.configJson, 'tokenizer_config.json');
  yield;
  switch (files.kind) {
    case 'tokenizer_json':
      return yield* tokenizerOf(yield* readModel(bytesOf(files.tokenizerJson)), config, elsewhere);
    case 'vocabulary':
      return yield* tokenizerOf(yield* readModel(bytesOf(vocabularyAsTokenizerJson(files, config))), config, elsewhere);
    case 'tiktoken':
      return made(yield* tiktokenTokenizer(files.ranks, config));
  }
}

/** Without a byte order mark. */
function bytesOf(text: string | Uint8Array): Uint8Array {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
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
    warmUp: () => warmUp(engine, encoding),
  });
}

function* warmUp(engine: Tokenizer, encoding: TextEncoding | string): Steps<void> {
  if (typeof encoding === 'string') return;
  const step = Math.max(1, engine.vocabularySize / WARM_TOKENS);
  const ids = Array.from({ length: Math.min(WARM_TOKENS, engine.vocabularySize) }, (_, at) => Math.floor(at * step));
  const decoder = engine.createDecoder();
  for (let at = 0; at < ids.length; at += WARM_AT_ONCE) {
    const texts = ids.slice(at, at + WARM_AT_ONCE).map((id) => decoder.push(id));
    // Long words and short ones.
    encoding.encode(texts.join(''), false);
    encoding.encode(texts.join(' '), true);
    yield;
  }
  encoding.clearCache();
}

function* tokenizerOf(
  read: ReadModel,
  config: JsonObject | undefined,
  elsewhere?: EncodeElsewhere,
): Steps<MadeTokenizer> {
  const { json, table, isByteLevel } = read;
  const added = withConfigTokens(addedTokensOf(json['added_tokens']), config);
  // A token that the model has keeps the model's id, whatever the list of added ones says.
  const settled = added.map((token) => ({ ...token, id: table.idOf(token.content) ?? token.id }));
  yield;
  const unknownId = unknownIdOf(objectOf(json['model'], 'model'), table);
  for (const token of settled) if (table.idOf(token.content) === undefined) table.addApart(token.content, token.id);
  yield;
  const isSpecial = new Uint8Array(table.size);
  for (const token of settled) if (token.isSpecial) isSpecial[token.id] = 1;
  const decoding = isByteLevel
    ? new ByteDecoding(table, isSpecial)
    : new TextDecoding(table, textRulesOf(json['decoder']), isSpecial);
  yield;
  const encoding = yield* encodingOf({ ...read, config, added: settled, unknownId });
  yield;
  return made({ table, added: settled, decoding, encoding, elsewhere });
}

/** Of the model's own tokens only: before the added ones come. */
function unknownIdOf(model: JsonObject, table: TokenTable): number | undefined {
  return typeof model['unk_token'] === 'string' ? table.idOf(model['unk_token']) : undefined;
}

/** Tokens that only tokenizer_config.json has come on top. */
function withConfigTokens(added: AddedToken[], config: JsonObject | undefined): AddedToken[] {
  const contents = new Set(added.map((token) => token.content));
  const ids = new Set(added.map((token) => token.id));
  const more = addedTokensOfConfig(config).filter((token) => !contents.has(token.content) && !ids.has(token.id));
  return [...added, ...more];
}

interface EncodingParts extends ReadModel {
  readonly config: JsonObject | undefined;
  readonly added: readonly AddedToken[];
  readonly unknownId: number | undefined;
}

/** The encoder, or why there is none. */
function* encodingOf(parts: EncodingParts): Steps<TextEncoding | string> {
  try {
    const { json, added, table, config } = parts;
    const model = bpeOf(parts);
    const preTokenizer = preTokenizerOf(json['pre_tokenizer']);
    if (preTokenizer.isByteLevel !== parts.isByteLevel) {
      throw new UnusableTokenizer('bytes on one side and text on the other');
    }
    const cut = yield* finerCut(preTokenizer.cut, model);
    yield;
    return new TextEncoding({
      model,
      added,
      normalize: normalizerOf(json['normalizer']),
      cut,
      surroundings: wished(surroundingsOf(json['post_processor']), table, config),
    });
  } catch (error) {
    if (error instanceof UnusableTokenizer) return error.message;
    throw error;
  }
}

function bpeOf({ json, table, isByteLevel, merges, unknownId }: EncodingParts): BpeModel {
  const model = objectOf(json['model'], 'model');
  // Files of old have no type; they are BPE where they have merges.
  const type = model['type'] ?? (merges === undefined ? 'a model without type' : 'BPE');
  if (type !== 'BPE' || merges === undefined) throw new UnusableTokenizer(`the model ${JSON.stringify(type)}`);
  if (typeof model['dropout'] === 'number' && model['dropout'] > 0) throw new UnusableTokenizer('dropout');
  const affixes = [model['continuing_subword_prefix'], model['end_of_word_suffix']];
  if (affixes.some((affix) => typeof affix === 'string' && affix !== '')) throw new UnusableTokenizer('affixes');
  return {
    table,
    merges,
    isByteLevel,
    ignoresMerges: flagOf(model['ignore_merges'], false),
    unknown: {
      unknownId,
      fuseUnknown: flagOf(model['fuse_unk'], false),
      byteFallback: flagOf(model['byte_fallback'], false),
    },
  };
}

/** Words of text models are cut further where no merge reaches across, so that they are short and cached. */
function* finerCut(cut: Cutter, model: BpeModel): Steps<Cutter> {
  const hasAllBytes = model.unknown.byteFallback && byteTokenIds(model.table).every((id) => id >= 0);
  if (model.isByteLevel || model.ignoresMerges || !hasAllBytes) return cut;
  const scan = yield* scanJoints(model.table, model.merges);
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

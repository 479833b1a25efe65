/**
 * The simulated model's tokenizer: a real one, from a folder like any model's, run by the `tokenizers` package.
 * Loaded once per folder and process, however many engines use it.
 */

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { byteDecoder } from './byte-decoder.ts';
import { isRecord, type JsonRecord, listOf, numberOf, recordOf, stringOf } from '../json.ts';

/** Token ids and text, with what the model's folder says of the model. */
export interface SimTokenizer {
  /** The folder, absolute. */
  readonly path: string;
  readonly vocabularySize: number;
  /** Of config.json and generation_config.json together; the model ends its turns with the first. */
  readonly endTokenIds: readonly number[];
  readonly padTokenId: number;
  readonly bosTokenId: number;
  /** Texts of the special tokens. */
  readonly specialTexts: readonly string[];
  readonly config: JsonRecord;
  readonly generationConfig: JsonRecord;
  encode(text: string): Promise<readonly number[]>;
  /** Special tokens stay in the text. */
  decode(ids: readonly number[]): Promise<string>;
}

type Library = typeof import('tokenizers');
type Loaded = InstanceType<Library['Tokenizer']>;

const cache = new Map<string, Promise<SimTokenizer>>();

/** The tokenizer of a folder with a tokenizer.json. Rejects with a plain reason. */
export function loadTokenizer(folder: string): Promise<SimTokenizer> {
  const path = resolve(folder);
  const known = cache.get(path);
  if (known !== undefined) return known;
  const loading = load(path);
  cache.set(path, loading);
  loading.catch(() => cache.delete(path));
  return loading;
}

async function load(path: string): Promise<SimTokenizer> {
  const { Tokenizer } = await loadLibrary();
  const tokenizer = await readTokenizer(Tokenizer, join(path, 'tokenizer.json'));
  const [definition, tokenizerConfig, config, generationConfig] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json', 'config.json', 'generation_config.json'].map((name) =>
      readJson(join(path, name)),
    ),
  );
  const idOf = (name: string) => tokenIdOf(tokenizer, recordOf(tokenizerConfig)[name]);
  const configs = [recordOf(config), recordOf(generationConfig)];
  const ends = configs.flatMap((one) => idsOf(one['eos_token_id']));
  const own = idOf('eos_token');
  const fast = byteDecoder(recordOf(definition), tokenizer.getVocab(true));
  return {
    path,
    vocabularySize: tokenizer.getVocabSize(true),
    endTokenIds: [...new Set(ends.length > 0 || own === undefined ? ends : [own])],
    padTokenId: configs.map((one) => numberOf(one['pad_token_id'])).find(isDefined) ?? idOf('pad_token') ?? 0,
    bosTokenId: configs.map((one) => numberOf(one['bos_token_id'])).find(isDefined) ?? idOf('bos_token') ?? 0,
    specialTexts: listOf(recordOf(definition)['added_tokens'])
      .filter((token) => recordOf(token)['special'] === true)
      .flatMap((token) => stringOf(recordOf(token)['content']) ?? []),
    config: recordOf(config),
    generationConfig: recordOf(generationConfig),
    encode: async (text) => (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds(),
    decode: async (ids) => fast?.(ids) ?? (ids.length === 0 ? '' : await tokenizer.decode([...ids], false)),
  };
}

async function loadLibrary(): Promise<Library> {
  try {
    return await import('tokenizers');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`simulated gRPC engines need the package tokenizers: ${reason}`, { cause: error });
  }
}

async function readTokenizer(Tokenizer: Library['Tokenizer'], file: string): Promise<Loaded> {
  const text = await readFile(file, 'utf8');
  try {
    return Tokenizer.fromString(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is no tokenizer: ${reason}`, { cause: error });
  }
}

/** A file that is not there has nothing to say. */
async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isRecord(error) && error['code'] === 'ENOENT') return {};
    throw error;
  }
  return JSON.parse(text);
}

function tokenIdOf(tokenizer: Loaded, value: unknown): number | undefined {
  const text = stringOf(value) ?? stringOf(recordOf(value)['content']);
  return text === undefined ? undefined : (tokenizer.tokenToId(text) ?? undefined);
}

function idsOf(value: unknown): readonly number[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'number');
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

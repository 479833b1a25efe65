/**
 * Which files of a model are looked at, by name, and how large each may be; whatever the source, nothing else is read.
 * Owns the names and limits; where files come from is for the sources beside it.
 */

/** Files by their base name. */
export type ModelFiles = ReadonlyMap<string, Buffer>;

/** Why a source gives no model: one sentence for people, without a word of any file's content. */
export class SourceError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SourceError';
  }
}

const MIB = 1024 * 1024;

export const MAX_FILES = 50;
/** Of all files of one model together. */
export const MAX_TOTAL_BYTES = 500 * MIB;

const LIMITS: ReadonlyMap<string, number> = new Map([
  ['tokenizer.json', 256 * MIB],
  ['vocab.json', 64 * MIB],
  ['merges.txt', 64 * MIB],
  ['added_tokens.json', 16 * MIB],
  ['tiktoken.model', 64 * MIB],
  // Never read for what is in it: that it is there makes a better message.
  ['tokenizer.model', 64 * MIB],
  ['tokenizer_config.json', 16 * MIB],
  ['special_tokens_map.json', 16 * MIB],
  ['config.json', 4 * MIB],
  ['generation_config.json', 4 * MIB],
  ['chat_template.json', 4 * MIB],
]);

/** The most bytes that a file of this name may have; undefined: it is none of a model's that we read. */
export function limitOf(name: string): number | undefined {
  const limit = LIMITS.get(name);
  if (limit !== undefined) return limit;
  if (!/^[\w.@+-]+$/.test(name)) return undefined;
  if (name.endsWith('.tiktoken')) return 64 * MIB;
  return name.endsWith('.jinja') ? 4 * MIB : undefined;
}

/** Throws a SourceError that says what is missing. */
export function requireTokenizer(files: ModelFiles): void {
  const names = [...files.keys()];
  const isBpe = files.has('vocab.json') && files.has('merges.txt');
  if (files.has('tokenizer.json') || files.has('tiktoken.model') || isBpe) return;
  if (names.some((name) => name.endsWith('.tiktoken'))) return;
  if (files.has('tokenizer.model'))
    throw new SourceError('tokenizer.model (SentencePiece) is not supported; it needs the tokenizer.json of the model');
  throw new SourceError('there is no tokenizer.json, vocab.json with merges.txt, *.tiktoken or tiktoken.model');
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object in a JSON file; undefined where there is no such file. Throws a SourceError for what is none. */
export function jsonOf(files: ModelFiles, name: string): JsonObject | undefined {
  const bytes = files.get(name);
  if (!bytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch {
    // The parser quotes the file, and what is in a file is nobody's business.
    throw new SourceError(`${name} is not valid JSON`);
  }
  if (!isObject(value)) throw new SourceError(`${name} is not a JSON object`);
  return value;
}

/** UTF-8 without its byte order mark. */
export function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

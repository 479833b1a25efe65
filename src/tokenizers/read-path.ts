/**
 * A model's files from the disk: of a folder, or of the folder that a named file is in. Only files of known names are
 * opened, and never more of one is read than its limit; symbolic links are followed, as hub caches are made of them.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { limitOf, MAX_FILES, MAX_TOTAL_BYTES, SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';

/** Whether a tokenizer is among them is for the caller. Rejects with a SourceError. */
export async function readModelPath(path: string): Promise<ModelFiles> {
  const found = await kindOf(path);
  if (found === undefined) throw new SourceError('there is no such file or folder');
  return found === 'folder' ? readFolder(path) : readBesideFile(path);
}

/** Undefined: there is none. Rejects with a SourceError for what may not be looked at. */
export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? 'folder' : 'file';
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw new SourceError(`it cannot be looked at (${code})`, thrown);
  }
}

/** The files of a model that are in a folder. Rejects with a SourceError. */
export async function readFolder(path: string): Promise<Map<string, Buffer>> {
  const names = (await wrapped(() => readdir(path), 'the folder')).filter((name) => limitOf(name) !== undefined);
  if (names.length > MAX_FILES) throw new SourceError(`the folder has more than ${MAX_FILES} files of a model`);
  const files = new Map<string, Buffer>();
  let total = 0;
  for (const name of names.sort()) {
    const bytes = await readBounded(join(path, name), limitOf(name) ?? 0);
    if (!bytes) continue;
    total += bytes.length;
    if (total > MAX_TOTAL_BYTES) throw new SourceError('the files of the model are too large together');
    files.set(name, bytes);
  }
  return files;
}

/** A named file is the tokenizer, whatever other tokenizers are beside it; the rest of the folder belongs to the model. */
async function readBesideFile(path: string): Promise<ModelFiles> {
  const name = basename(path);
  if (/\.(model|gguf)$/i.test(name) && name !== 'tiktoken.model')
    throw new SourceError(
      `${/gguf$/i.test(name) ? 'GGUF' : 'SentencePiece'} is not supported; it needs a tokenizer.json`,
    );
  const isTiktoken = name.endsWith('.tiktoken') || name === 'tiktoken.model';
  if (!isTiktoken && !name.endsWith('.json') && limitOf(name) === undefined)
    throw new SourceError('it is no file of a tokenizer; tokenizer.json, *.tiktoken or the folder of a model is');
  const files = await readFolder(dirname(path));
  if (isTiktoken) {
    for (const other of [...files.keys()]) if (isTokenizerFile(other) && other !== name) files.delete(other);
  } else if (limitOf(name) === undefined) {
    for (const other of [...files.keys()]) if (isTokenizerFile(other)) files.delete(other);
    const bytes = await readBounded(path, limitOf('tokenizer.json') ?? 0);
    if (bytes) files.set('tokenizer.json', bytes);
  }
  return files;
}

function isTokenizerFile(name: string): boolean {
  return name === 'tokenizer.json' || name === 'vocab.json' || name === 'merges.txt' || /tiktoken/.test(name);
}

/** The file; undefined for what is no file. Rejects with a SourceError for one that is larger than `limit`. */
export async function readBounded(path: string, limit: number): Promise<Buffer | undefined> {
  const name = basename(path);
  return wrapped(async () => {
    const file = await open(path, 'r');
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return undefined;
      if (stats.size > limit) throw new SourceError(`${name} is larger than ${limit} bytes`);
      const bytes = Buffer.allocUnsafeSlow(stats.size);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    } finally {
      await file.close();
    }
  }, name);
}

async function wrapped<T>(work: () => Promise<T>, what: string): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof SourceError) throw thrown;
    throw new SourceError(`${what} cannot be read (${codeOf(thrown)})`, thrown);
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'unknown fault';
}

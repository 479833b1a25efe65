/**
 * What GetTokenizer streams: a ZIP of the model's files in chunks, its SHA-256 with the last of them, or one of the
 * things that a careful receiver refuses.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleKind } from './options.ts';
import { RpcRefusal, STATUS } from './status.ts';
import { type ZipEntry, zip, zipOfZeros } from './zip.ts';

/** One message of the stream. */
export interface BundleChunk {
  readonly data: Buffer;
  readonly sha256: string;
}

const MEMBERS = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'config.json',
  'generation_config.json',
  'special_tokens_map.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'tiktoken.model',
  'chat_template.json',
  'preprocessor_config.json',
]);
const ENDINGS = /\.(?:tiktoken|jinja|model)$/;
const MLX_LEAVES_OUT = new Set(['config.json', 'generation_config.json', 'preprocessor_config.json']);
const MANY = 60;
const HUGE_MEBIBYTES = 600;

/** The messages for a folder. Throws RpcRefusal where there is none to send. */
export async function bundleChunks(folder: string, kind: BundleKind, isMlx: boolean): Promise<readonly BundleChunk[]> {
  if (kind === 'none') {
    throw new RpcRefusal(STATUS.failedPrecondition, 'The tokenizer is not a local directory and cannot be sent.');
  }
  const archive = await bundleArchive(folder, kind, isMlx);
  const sent = kind === 'truncated' ? archive.subarray(0, archive.length >> 1) : archive;
  const digest = createHash('sha256').update(sent).digest('hex');
  const sha256 = kind === 'missing_sha' ? '' : kind === 'wrong_sha' ? '0'.repeat(64) : digest;
  return cut(sent, isMlx ? 512 * 1024 : 64 * 1024, sha256);
}

async function bundleArchive(folder: string, kind: BundleKind, isMlx: boolean): Promise<Buffer> {
  if (kind === 'empty') return zip([]);
  if (kind === 'huge') return zipOfZeros('tokenizer.json', HUGE_MEBIBYTES);
  const entries = await readMembers(folder, isMlx);
  if (kind === 'traversal') return zip([{ name: '../escaped.json', content: Buffer.from('{}') }, ...entries]);
  const extra = Array.from({ length: MANY }, (_, index) => ({ name: `${index}.jinja`, content: Buffer.from('x') }));
  return zip(kind === 'many' ? [...entries, ...extra] : entries);
}

async function readMembers(folder: string, isMlx: boolean): Promise<readonly ZipEntry[]> {
  const names = (await readdir(folder)).filter((name) => isMember(name, isMlx)).sort();
  return Promise.all(names.map(async (name) => ({ name, content: await readFile(join(folder, name)) })));
}

function isMember(name: string, isMlx: boolean): boolean {
  if (isMlx && MLX_LEAVES_OUT.has(name)) return false;
  return MEMBERS.has(name) || ENDINGS.test(name) || (isMlx && name === 'added_tokens.json');
}

function cut(archive: Buffer, chunkBytes: number, sha256: string): readonly BundleChunk[] {
  const chunks: BundleChunk[] = [];
  for (let start = 0; start < archive.length; start += chunkBytes) {
    const isLast = start + chunkBytes >= archive.length;
    chunks.push({ data: archive.subarray(start, start + chunkBytes), sha256: isLast ? sha256 : '' });
  }
  return chunks;
}

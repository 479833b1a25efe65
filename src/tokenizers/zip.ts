/**
 * Reads a ZIP archive that an engine sent, in memory. An engine's word is not trusted: the central directory is the only
 * list of members, names that lead anywhere but into the archive's top are refused, and sizes are those of the bytes that
 * really come out, so that an archive cannot grow into more than it may.
 * Cost    inflates on the thread pool, one member at a time     Errors  SourceError
 * Source  PKWARE APPNOTE 6.3.10: 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end), 4.4.4 (flags)
 */
import { crc32, inflateRaw } from 'node:zlib';
import { limitOf, MAX_FILES, MAX_TOTAL_BYTES, SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const IS_ENCRYPTED = 0x2041;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/** The members that a model has; others of good names are passed over. Rejects with a SourceError. */
export async function unzip(archive: Buffer): Promise<ModelFiles> {
  const files = new Map<string, Buffer>();
  const entries = readEntries(archive);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MAX_TOTAL_BYTES) throw new SourceError(`the archive unpacks to more than ${MAX_TOTAL_BYTES} bytes`);
  for (const entry of entries) {
    const limit = limitOf(entry.name);
    if (limit === undefined) continue;
    if (entry.bytes > limit) throw new SourceError(`${shown(entry.name)} is larger than ${limit} bytes`);
    files.set(entry.name, await unpack(archive, entry));
  }
  return files;
}

function readEntries(archive: Buffer): Entry[] {
  const end = findEnd(archive);
  const count = archive.readUInt16LE(end + 10);
  const start = archive.readUInt32LE(end + 16);
  if (archive.readUInt16LE(end + 4) !== 0 || archive.readUInt16LE(end + 8) !== count)
    throw new SourceError('the archive is one of several parts, which is not supported');
  if (count === 0xffff || start === 0xffffffff) throw new SourceError('ZIP64 archives are not supported');
  if (count > MAX_FILES) throw new SourceError(`the archive has more than ${MAX_FILES} members`);
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i += 1) {
    const entry = readEntry(archive, at, end);
    at += entry.headerBytes;
    if (entry.isFolder) continue;
    if (entries.some(({ name }) => name === entry.name)) throw new SourceError(`${shown(entry.name)} is in it twice`);
    entries.push(entry);
  }
  return entries;
}

function findEnd(archive: Buffer): number {
  const lowest = Math.max(0, archive.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = archive.length - END_BYTES; at >= lowest; at -= 1) {
    const isEnd = archive.readUInt32LE(at) === END_SIGNATURE;
    if (isEnd && at + END_BYTES + archive.readUInt16LE(at + 20) === archive.length) return at;
  }
  throw new SourceError('it is no ZIP archive, or a cut one');
}

function readEntry(
  archive: Buffer,
  at: number,
  end: number,
): Entry & { readonly headerBytes: number; readonly isFolder: boolean } {
  if (at + ENTRY_BYTES > end || archive.readUInt32LE(at) !== ENTRY_SIGNATURE) throw broken();
  const nameBytes = archive.readUInt16LE(at + 28);
  const headerBytes = ENTRY_BYTES + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  if (at + headerBytes > end) throw broken();
  const raw = archive.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes).toString('utf8');
  const isFolder = raw.endsWith('/');
  const name = checkName(isFolder ? raw.slice(0, -1) : raw, isFolder);
  if ((archive.readUInt16LE(at + 8) & IS_ENCRYPTED) !== 0) throw new SourceError(`${shown(name)} is encrypted`);
  const packedBytes = archive.readUInt32LE(at + 20);
  const bytes = archive.readUInt32LE(at + 24);
  const offset = archive.readUInt32LE(at + 42);
  if ([packedBytes, bytes, offset].includes(0xffffffff)) throw new SourceError('ZIP64 archives are not supported');
  const method = archive.readUInt16LE(at + 10);
  const crc = archive.readUInt32LE(at + 16);
  return { name, method, crc, packedBytes, bytes, offset, headerBytes, isFolder };
}

/** The name itself, which leads nowhere but into the archive; of a file in a folder of it, with the folder. */
function checkName(name: string, isFolder: boolean): string {
  const isBad =
    name === '' ||
    name.includes('\\') ||
    /\p{Cc}/u.test(name) ||
    /^[a-z]:/i.test(name) ||
    name.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (isBad)
    throw new SourceError(`the archive has a ${isFolder ? 'folder' : 'member'} with a name that leads out of it`);
  return name;
}

async function unpack(archive: Buffer, entry: Entry): Promise<Buffer> {
  const { name, offset, packedBytes, method } = entry;
  if (offset + LOCAL_BYTES > archive.length || archive.readUInt32LE(offset) !== LOCAL_SIGNATURE) throw broken();
  const from = offset + LOCAL_BYTES + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  if (from + packedBytes > archive.length) throw broken();
  const packed = archive.subarray(from, from + packedBytes);
  if (method !== 0 && method !== 8) throw new SourceError(`${shown(name)} is packed in an unknown way (${method})`);
  // Copied: a view would hold the whole archive.
  const bytes = method === 0 ? Buffer.from(packed) : await inflated(packed, entry);
  if (bytes.length !== entry.bytes) throw new SourceError(`${shown(name)} has not the length that the archive says`);
  if (crc32(bytes) !== entry.crc) throw new SourceError(`${shown(name)} is damaged: its checksum is wrong`);
  return bytes;
}

function inflated(packed: Buffer, { name, bytes }: Entry): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One byte more than announced is enough to know.
    inflateRaw(packed, { maxOutputLength: Math.max(1, bytes) }, (error, result) => {
      if (!error) return resolve(result);
      const isLonger = 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
      const why = isLonger ? 'has not the length that the archive says' : 'cannot be unpacked';
      reject(new SourceError(`${shown(name)} ${why}`, error));
    });
  });
}

function broken(): SourceError {
  return new SourceError('the archive is damaged');
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 79)}…` : name;
}

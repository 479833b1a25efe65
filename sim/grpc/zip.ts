/**
 * Writes ZIP archives: enough for a bundle of a model's files. Source: PKWARE's APPNOTE.TXT (local header, central
 * directory, end record), methods 0 and 8. No dates, no ZIP64.
 */

import { crc32, deflateRawSync } from 'node:zlib';

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly content: Buffer;
}

interface Packed {
  readonly name: Buffer;
  readonly body: Buffer;
  readonly crc: number;
  readonly size: number;
}

const DEFLATE = 8;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;

/** The archive of these files, in their order. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  return archive(
    entries.map(({ name, content }) => ({
      name: Buffer.from(name),
      body: deflateRawSync(content),
      crc: crc32(content),
      size: content.length,
    })),
  );
}

/** An archive of one file of zeros that is far bigger unpacked: whole MiB, packed to a thousandth. */
export function zipOfZeros(name: string, mebibytes: number): Buffer {
  const block = Buffer.alloc(1024 * 1024);
  // Raw deflate pieces that end on a full flush can be put one behind the other.
  const middle = deflateRawSync(block, { finishFlush: 3 });
  let crc = 0;
  for (let index = 0; index < mebibytes; index++) crc = crc32(block, crc);
  const pieces = Array.from({ length: mebibytes }, () => middle);
  const body = Buffer.concat([...pieces, deflateRawSync(Buffer.alloc(0))]);
  return archive([{ name: Buffer.from(name), body, crc, size: block.length * mebibytes }]);
}

function archive(files: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    directory.push(centralHeader(file, offset), file.name);
    const local = [localHeader(file), file.name, file.body];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, endRecord(files.length, central.length, offset)]);
}

function localHeader({ name, body, crc, size }: Packed): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DEFLATE, 8);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(body.length, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name.length, 26);
  return header;
}

function centralHeader({ name, body, crc, size }: Packed, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(VERSION, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DEFLATE, 10);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(body.length, 20);
  header.writeUInt32LE(size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(offset, 42);
  return header;
}

function endRecord(count: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
